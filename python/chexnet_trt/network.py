"""A network file as builder and calibration take it: parsed, with its preprocessing."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from chexnet_trt import _core, marks, preprocess

logger = logging.getLogger("chexnet_trt")

Source = str | os.PathLike[str] | _core.Graph


@dataclass(frozen=True)
class Network:
    """`origin`: kind, file and sha256, for the manifest. `preprocessing`: from pixels to what the
    input takes; with `embedded_preset` a part of that lies inside the graph. `marks`: of the file,
    see `chexnet_trt.marks`.
    """

    graph: _core.Graph
    origin: Mapping[str, str]
    preprocessing: preprocess.Preprocessing | None
    embedded_preset: str | None
    marks: tuple[str, ...] = ()

    @cached_property
    def optimized(self) -> _core.Graph:
        """The graph that calibration runs and whose values dynamic ranges name."""
        graph: _core.Graph = _core.optimize(self.graph)[0]
        return graph


def read(
    source: Source,
    *,
    inputs: Mapping[str, Sequence[int]] | None = None,
    outputs: Sequence[str] = (),
    input_order: str = "NCHW",
    preprocessing: str | None = None,
    u8_input: bool = False,
) -> Network:
    """Reads a `.uff` file, a TensorFlow frozen graph (`.pb`) or a Graph; arguments as of
    `chexnet_trt.build`. `preprocessing`: by default the one that the file says it was trained with;
    another gives a warning. Raises InputError.
    """
    found: tuple[str, ...] = ()
    if isinstance(source, _core.Graph):
        graph, origin = source, {"kind": "graph"}
    else:
        path = Path(source)
        graph, found = _parse(path, inputs or {}, outputs, input_order)
        origin = {"kind": path.suffix.lstrip("."), "file": path.name, "sha256": _sha256(path)}
    name = _preset(preprocessing, marks.preprocessing_of(found, preprocess.PRESETS), graph)
    contract = _contract(graph, name)
    if u8_input:
        graph, contract = _embed(graph, contract)
    return Network(graph, origin, contract, name if u8_input else None, found)


def _parse(
    path: Path, inputs: Mapping[str, Sequence[int]], outputs: Sequence[str], input_order: str
) -> tuple[_core.Graph, tuple[str, ...]]:
    """The graph, and the marks of its file."""
    parser = _core.uff.UffParser()
    order = getattr(_core.uff.UffInputOrder, input_order, None)
    if order is None:
        raise _core.InputError(f"input order '{input_order}': expected NCHW or NHWC")
    for name, size in inputs.items():
        kind = order if len(size) == 3 else _core.uff.UffInputOrder.NC
        parser.register_input(name, list(size), kind)
    for name in outputs:
        parser.register_output(name)
    if path.suffix == ".pb" or path.is_dir():
        from chexnet_trt.uff import from_tensorflow
        from chexnet_trt.uff.graph_def import load

        graph_def = load(path)
        data = from_tensorflow(graph_def, list(outputs), quiet=True)
        return parser.parse_buffer(data), marks.marks_of_graph_def(graph_def)
    graph = parser.parse(os.fspath(path))
    return graph, marks.marks_of_uff(_core.uff.read_file(os.fspath(path)))


def _images(graph: _core.Graph) -> list[_core.Node]:
    return [node for node in graph.inputs if len(node.shape) == 4]


def _preset(asked: str | None, trained: str | None, graph: _core.Graph) -> str | None:
    if trained is None or len(_images(graph)) != 1:
        return asked
    if asked not in (None, trained):
        logger.warning(
            "preprocessing '%s': this network was trained on images preprocessed by '%s', as its "
            "file says",
            asked,
            trained,
        )
    return asked or trained


def _contract(graph: _core.Graph, name: str | None) -> preprocess.Preprocessing | None:
    if name is None:
        return None
    images = _images(graph)
    if len(images) != 1:
        raise _core.InputError(f"preprocessing '{name}' needs a network with one image input")
    _, *size = images[0].shape
    layout = images[0].attributes["layout"]
    channels, height, width = size if layout == "nchw" else (size[2], size[0], size[1])
    return preprocess.preset(name, width, height, channels)


def _embed(
    graph: _core.Graph, contract: preprocess.Preprocessing | None
) -> tuple[_core.Graph, preprocess.Preprocessing]:
    if contract is None:
        raise _core.InputError("a uint8 input needs a preprocessing to put inside the engine")
    embedded = _core.embed_preprocessing(graph, list(contract.mean), list(contract.std))
    size = (contract.width, contract.height, contract.channels)
    return embedded, preprocess.preset("raw", *size)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
