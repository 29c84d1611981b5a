"""Reads frozen TensorFlow graphs with the protos that tensorboard carries, without TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

from chexnet_trt._core import InputError

# Generated protobuf classes have no static types here. A graph made by TensorFlow's own classes
# has the same members and works as well.
GraphDef: TypeAlias = Any
NodeDef: TypeAlias = Any
TensorProto: TypeAlias = Any
AttrValue: TypeAlias = Any

# Numbers of tensorflow/core/framework/types.proto.
DT_FLOAT, DT_DOUBLE, DT_INT32, DT_UINT8, DT_INT16, DT_INT8, DT_STRING = 1, 2, 3, 4, 5, 6, 7
DT_INT64, DT_BOOL, DT_BFLOAT16, DT_UINT16, DT_HALF = 9, 10, 14, 17, 19

DTYPE_NAMES = {
    DT_FLOAT: "float32", DT_DOUBLE: "float64", DT_INT32: "int32", DT_UINT8: "uint8",
    DT_INT16: "int16", DT_INT8: "int8", DT_STRING: "string", DT_INT64: "int64", DT_BOOL: "bool",
    DT_BFLOAT16: "bfloat16", DT_UINT16: "uint16", DT_HALF: "float16",
}  # fmt: skip


def dtype_name(number: int) -> str:
    return DTYPE_NAMES.get(number, f"TensorFlow type {number}")


def graph_def_class() -> type[GraphDef]:
    """The GraphDef class. Raises InputError when tensorboard is not installed."""
    try:
        from tensorboard.compat.proto.graph_pb2 import GraphDef as Message
    except ImportError as error:
        raise InputError(
            "reading TensorFlow graphs needs the tensorboard package: "
            f"pip install 'chexnet_trt[convert]' ({error})"
        ) from error
    return Message  # type: ignore[no-any-return]


def load(path: str | Path) -> GraphDef:
    """Reads a frozen graph. Raises InputError on anything that is not one."""
    path = Path(path)
    if path.is_dir():
        raise InputError(_folder_message(path))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from error
    _refuse_other_formats(path, data)
    message = graph_def_class()
    from google.protobuf.message import DecodeError

    try:
        graph = message.FromString(data)
    except DecodeError as error:
        raise InputError(
            f"'{path}' is not a frozen TensorFlow graph, or it is cut short: give the binary .pb "
            "file of a GraphDef"
        ) from error
    if not graph.node or not all(node.name and node.op for node in graph.node):
        raise InputError(f"'{path}' is not a frozen TensorFlow graph: it holds no nodes with an op")
    return graph


def _folder_message(path: Path) -> str:
    if (path / "saved_model.pb").is_file():
        return (
            f"'{path}' is a SavedModel, which still has variables: freeze it into a .pb file first "
            "(python -m chexnet_trt freeze) and convert that"
        )
    return f"'{path}' is a folder: give the .pb file of a frozen TensorFlow graph"


def _refuse_other_formats(path: Path, data: bytes) -> None:
    if not data:
        raise InputError(f"'{path}' is empty: it is not a frozen TensorFlow graph")
    if data.startswith(b"version https://git-lfs"):
        raise InputError(f"'{path}' is a git-LFS pointer, not the file itself: run `git lfs pull`")
    if data.startswith(b"\x08\x01\x12"):
        raise InputError(
            f"'{path}' is the saved_model.pb of a SavedModel, not a frozen graph: freeze its "
            "folder first (python -m chexnet_trt freeze)"
        )
    if data.startswith(b"\x08\x01\x10\x01"):
        raise InputError(f"'{path}' is a UFF file already: build an engine from it directly")
    if data.startswith((b"node {", b"node:")):
        raise InputError(
            f"'{path}' is the text form of a graph: save the frozen graph in binary form"
        )
