"""From a network file to an engine: parse, optimise, compile, describe."""

from __future__ import annotations

import hashlib
import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from chexnet_trt import _core, labels, machine, manifest, preprocess
from chexnet_trt.engine import Engine, logger

Progress = Callable[[str, int, int], None]


def build(
    source: str | os.PathLike[str] | _core.Graph,
    *,
    inputs: Mapping[str, Sequence[int]] | None = None,
    outputs: Sequence[str] = (),
    input_order: str = "NCHW",
    backend: str = "openvino",
    precisions: Sequence[str] = (),
    obey: bool = False,
    max_batch: int = 1,
    timing_batch: int | None = None,
    slice_size: int = 0,
    threads: int = 0,
    streams: int = 1,
    profiling: bool = False,
    embed_blob: bool = True,
    timing_budget_ms: float = 1000.0,
    preprocessing: str | None = None,
    u8_input: bool = False,
    class_names: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Engine:
    """Builds an engine from a `.uff` file, a TensorFlow frozen graph (`.pb`) or a Graph.

    `inputs`: size of each input without the batch, in `input_order` (NCHW: C, H, W; NHWC: H, W, C).
    `outputs`: node names; none: those that the file marks. `precisions` are permitted besides fp32:
    each is timed at `timing_batch` (the maximum) on random input and the fastest is taken; with
    `obey` the one given is forced. `slice_size`: larger batches run in pieces of this size; 0: what
    is fastest at `timing_batch`. `threads`: 0 for every core. `preprocessing`: the preset that
    the engine is to remember; with `u8_input` its scale and offset move into the engine, which
    then takes uint8 pixels. `class_names`: names of the scores, in order.
    `progress(stage, done, total)`.

    Raises InputError on bad files, sizes, names and options, BackendError when compiling fails.
    """
    if isinstance(source, _core.Graph):
        graph, origin = source, {"kind": "graph"}
    else:
        path = Path(source)
        graph = parse(path, inputs or {}, outputs, input_order)
        origin = {"kind": path.suffix.lstrip("."), "file": path.name, "sha256": _sha256(path)}
    contract = _preprocessing(graph, preprocessing)
    if u8_input:
        graph, contract = _embed(graph, contract)
    _check_memory(graph, max_batch)
    core, report = _core.build_engine(
        graph,
        backend=backend,
        precisions=list(precisions),
        obey=obey,
        max_batch=max_batch,
        timing_batch=timing_batch or 0,
        slice=slice_size,
        threads=threads,
        streams=streams,
        profiling=profiling,
        embed_blob=embed_blob,
        timing_budget_ms=timing_budget_ms,
        progress=progress,
    )
    engine = Engine(core, report)
    _log(graph, engine)
    engine.manifest = manifest.compose(
        engine,
        origin=origin,
        asked=precisions,
        obey=obey,
        preprocessing=contract,
        embedded_preset=preprocessing if u8_input else None,
        class_names=_class_names(engine, class_names),
    )
    return engine


def parse(
    path: Path, inputs: Mapping[str, Sequence[int]], outputs: Sequence[str], input_order: str
) -> _core.Graph:
    """The network of a `.uff` or `.pb` file as a Graph. Raises InputError."""
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
        from chexnet_trt import uff

        data = uff.from_tensorflow_frozen_model(path, list(outputs), quiet=True)
        return parser.parse_buffer(data)
    return parser.parse(os.fspath(path))


def _log(graph: _core.Graph, engine: Engine) -> None:
    assert engine.report is not None
    for row in engine.report["passes"]:
        logger.info("pass %s: %d rewrites", row["pass"], row["rewrites"])
    logger.info("graph: %d nodes imported, %d left", len(graph), len(engine.graph))
    if logger.isEnabledFor(logging.DEBUG):
        logger.debug("optimised graph:\n%s", engine.graph.to_text())


def _check_memory(graph: _core.Graph, max_batch: int) -> None:
    """Refuses a batch whose largest single value, at 4 bytes a number, exceeds the memory."""
    largest = max(graph.nodes, key=lambda node: _numbers(node, max_batch), default=None)
    if largest is None:
        return
    needed, present = 4 * _numbers(largest, max_batch), machine.memory_bytes()
    if needed > present:
        raise _core.InputError(
            f"max batch {max_batch}: '{largest.name}' alone would take {needed / 2**30:,.0f} GiB of"
            f" the {present / 2**30:,.0f} GiB of this machine; build with a smaller one"
        )


def _numbers(node: _core.Node, max_batch: int) -> int:
    return math.prod(max_batch if extent is None else extent for extent in node.shape)


def _preprocessing(graph: _core.Graph, name: str | None) -> preprocess.Preprocessing | None:
    if name is None:
        return None
    images = [node for node in graph.inputs if len(node.shape) == 4]
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


def _class_names(engine: Engine, given: Sequence[str] | None) -> tuple[str, ...] | None:
    """Those given, else the 14 findings for the output that the whitepaper defines with them."""
    sizes = {info.name: list(info.shape)[1:] for info in engine.outputs}
    if given is None:
        return labels.LABELS if sizes.get(manifest.SCORES) == [len(labels.LABELS)] else None
    names = labels.canonical_names(given)
    if [len(names)] not in sizes.values():
        raise _core.InputError(f"{len(names)} labels, but the outputs have {sizes}")
    return names


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
