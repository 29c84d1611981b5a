"""TensorFlow to UFF, with the interface of the original converter."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from chexnet_trt._core import printable, write_file, write_files
from chexnet_trt._core.uff import encode, to_text
from chexnet_trt.marks import marks_of_uff, sentences
from chexnet_trt.uff import graph_def as tf
from chexnet_trt.uff.convert import Conversion, convert_graph, deduced_inputs, resolve_outputs
from chexnet_trt.uff.preprocess import run_preprocessor

__all__ = ["from_tensorflow", "from_tensorflow_frozen_model"]


def from_tensorflow_frozen_model(
    frozen_file: str | Path,
    output_nodes: Sequence[str | int] = (),
    preprocessor: str | Path | None = None,
    **kwargs: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """`from_tensorflow` over a frozen graph file."""
    return from_tensorflow(tf.load(frozen_file), output_nodes, preprocessor, **kwargs)


def from_tensorflow(
    graphdef: tf.GraphDef,
    output_nodes: Sequence[str | int] = (),
    preprocessor: str | Path | None = None,
    *,
    quiet: bool = False,
    input_node: Sequence[str] = (),
    text: bool = False,
    list_nodes: bool = False,
    output_filename: str | Path | None = None,
    write_preprocessed: bool = False,
    debug_mode: bool = False,
    return_graph_info: bool = False,
    **_ignored: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """Converts a frozen GraphDef and returns the bytes of the UFF file.

    output_nodes: names, or 1-based indices (negative: from the end); none: what nothing reads.
    preprocessor: a script that defines `preprocess(graph_def)`, which edits the GraphDef in place.
    input_node: "name,new_name,dtype,dim1,dim2,..." turns a node into an input.
    output_filename: also writes the file, with `text` its text form beside it (.pbtxt), with
    write_preprocessed the graph after the preprocessor (_preprocessed.pb).
    list_nodes: prints the nodes and returns None. return_graph_info: returns (bytes, input
    NodeDefs, output NodeDefs). Other keywords are ignored, as the original did.

    Progress goes to stdout unless `quiet`, warnings to stderr. Raises InputError.
    """
    say = _silent if quiet else _say
    if preprocessor:
        graphdef = copy.deepcopy(graphdef)
        run_preprocessor(preprocessor, graphdef)
    if list_nodes:
        for index, node in enumerate(graphdef.node, 1):
            _say(f'{index} {node.op}: "{node.name}"')
        return None
    if write_preprocessed and output_filename:
        path = Path(output_filename)
        preprocessed = path.with_name(path.stem + "_preprocessed.pb")
        write_file(str(preprocessed), graphdef.SerializeToString())
    inputs = deduced_inputs(graphdef)
    _announce(say, graphdef, inputs, output_nodes)
    conversion = convert_graph(
        graphdef, output_nodes, input_node, _warn, _say if debug_mode else _silent
    )
    say(f"No. nodes: {conversion.node_count}")
    for line in sentences(marks_of_uff(conversion.meta)):
        say(line)
    data = encode(conversion.meta)
    if output_filename:
        _write_files(say, conversion, data, Path(output_filename), text)
    if not return_graph_info:
        return data
    nodes = {node.name: node for node in graphdef.node}
    return data, inputs, [nodes[name] for name in conversion.outputs]


def _announce(
    say: Callable[[str], None],
    graphdef: tf.GraphDef,
    inputs: list[tf.NodeDef],
    output_nodes: Sequence[str | int],
) -> None:
    say(f"UFF converter of chexnet_trt {_version()}")
    say("=== Automatically deduced input nodes ===")
    for node in inputs:
        say(f'{node.op}: "{node.name}"')
    outputs = resolve_outputs(graphdef, output_nodes)
    if not output_nodes:
        say("=== Automatically deduced output nodes ===")
    for name in outputs:
        say(f"Using output node {name}")
    say("Converting to UFF graph")


def _write_files(
    say: Callable[[str], None],
    conversion: Conversion,
    data: bytes,
    path: Path,
    text: bool,
) -> None:
    files = {str(path): data}
    text_path = str(path.with_suffix(".pbtxt"))
    if text:
        files[text_path] = to_text(conversion.meta).encode()
    write_files(files)
    say(f"UFF Output written to {path}")
    if text:
        say(f"UFF Text Output written to {text_path}")


def _version() -> str:
    try:
        return version("chexnet_trt")
    except PackageNotFoundError:
        return "(not installed)"


def _say(line: str) -> None:
    sys.stdout.write(printable(line) + "\n")


def _warn(line: str) -> None:
    sys.stderr.write(printable(line) + "\n")


def _silent(_line: str) -> None:
    pass
