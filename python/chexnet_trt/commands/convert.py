"""`convert`: convert-to-uff of the original tool, flag for flag."""

from __future__ import annotations

import argparse
from pathlib import Path

from chexnet_trt._core import InputError

HELP = "frozen TensorFlow graph (.pb) -> UFF file (.uff)"
EXAMPLE = "python -m chexnet_trt convert frozen_graph.pb -o chexnet.uff -O chexnet_sigmoid_tensor"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input_file",
        nargs="+",
        help="frozen graph; the form `input_file PATH` is understood too",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="NAME",
        help="output file; its extension becomes .uff (default: the input with .uff)",
    )
    parser.add_argument(
        "-O",
        "--output-node",
        metavar="NAME",
        action="append",
        default=[],
        help="output node: a name, or its number in the list of -l; repeatable "
        "(default: the nodes that nothing reads)",
    )
    parser.add_argument(
        "-I",
        "--input-node",
        metavar="NAME,NEW_NAME,DTYPE,DIM1,...",
        action="append",
        default=[],
        help="make a node an input of the network; repeatable",
    )
    parser.add_argument(
        "-p",
        "--preprocessor",
        metavar="FILE",
        help="Python script with preprocess(graph_def), which edits the GraphDef in place",
    )
    parser.add_argument(
        "-l", "--list-nodes", action="store_true", help="list the nodes of the graph and stop"
    )
    parser.add_argument(
        "-t", "--text", action="store_true", help="write the text form too (.pbtxt)"
    )
    parser.add_argument(
        "--write_preprocessed",
        action="store_true",
        help="write the graph after the preprocessor too (_preprocessed.pb)",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print warnings only")
    parser.add_argument("-d", "--debug", action="store_true", help="print more")


def run(args: argparse.Namespace) -> int:
    from chexnet_trt.uff import from_tensorflow_frozen_model

    path = _input_path(args.input_file)
    from_tensorflow_frozen_model(
        path,
        args.output_node,
        args.preprocessor,
        input_node=args.input_node,
        quiet=args.quiet,
        text=args.text,
        list_nodes=args.list_nodes,
        output_filename=_output_path(path, args.output),
        write_preprocessed=args.write_preprocessed,
        debug_mode=args.debug,
    )
    return 0


def _input_path(words: list[str]) -> Path:
    """The one path; the word `input_file` in front of it is left out."""
    if len(words) == 2 and words[0] == "input_file":
        words = words[1:]
    if len(words) != 1:
        raise InputError(f"give one frozen graph, not {len(words)}: {' '.join(words)}")
    return Path(words[0])


def _output_path(path: Path, output: str | None) -> Path:
    target = Path(output) if output else path
    if not target.name:
        raise InputError(f"'{target}' is not a file name")
    return target.with_suffix(".uff")
