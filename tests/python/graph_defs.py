"""Hand-made GraphDefs, without TensorFlow, and their conversion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chexnet_trt._core import uff
from chexnet_trt.uff import from_tensorflow
from chexnet_trt.uff import graph_def as tf

TYPES = {
    "float32": 1, "float64": 2, "int32": 3, "uint8": 4, "string": 7, "int64": 9, "bool": 10,
    "bfloat16": 14, "float16": 19,
}  # fmt: skip


class GraphMaker:
    """Adds nodes to a GraphDef; attributes take Python values, types as `DType`."""

    def __init__(self) -> None:
        self.graph = tf.graph_def_class()()

    def node(self, op: str, name: str, inputs: Sequence[str] = (), /, **attributes: Any) -> str:
        node = self.graph.node.add(op=op, name=name, input=list(inputs))
        for key, value in attributes.items():
            set_attribute(node.attr[key], value)
        return name

    def placeholder(self, name: str = "x", shape: Sequence[int] = (-1, 8, 8, 3)) -> str:
        return self.node("Placeholder", name, dtype=DType("float32"), shape=Shape(shape))

    def const(self, name: str, value: Any) -> str:
        array = np.asarray(value)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        node = self.graph.node.add(op="Const", name=name)
        node.attr["dtype"].type = TYPES[str(array.dtype)]
        tensor = node.attr["value"].tensor
        tensor.dtype = TYPES[str(array.dtype)]
        for size in array.shape:
            tensor.tensor_shape.dim.add(size=size)
        tensor.tensor_content = array.tobytes()
        return name


class DType(str):
    pass


class Shape(tuple):
    pass


def set_attribute(attr: Any, value: Any) -> None:
    if isinstance(value, DType):
        attr.type = TYPES[value]
    elif isinstance(value, Shape):
        attr.shape.SetInParent()
        for size in value:
            attr.shape.dim.add(size=size)
    elif isinstance(value, bool):
        attr.b = value
    elif isinstance(value, int):
        attr.i = value
    elif isinstance(value, float):
        attr.f = value
    elif isinstance(value, str):
        attr.s = value.encode()
    else:
        attr.list.SetInParent()
        field = "b" if value and isinstance(value[0], bool) else "i"
        getattr(attr.list, field).extend(value)


def convert(maker: GraphMaker, *outputs: str | int, **options: Any) -> uff.MetaGraph:
    data = from_tensorflow(maker.graph, list(outputs), quiet=True, **options)
    return uff.read_bytes(data)


def nodes_of(meta: uff.MetaGraph) -> dict[str, uff.Node]:
    return {node.id: node for node in meta.nodes}


def only(maker: GraphMaker, output: str, **options: Any) -> uff.Node:
    """The converted node called `output`."""
    return nodes_of(convert(maker, output, **options))[output]


def const_of(meta: uff.MetaGraph, name: str) -> np.ndarray:
    node = nodes_of(meta)[name]
    dtype = {0x10020: np.int32, 0x10040: np.int64, 0x20010: np.float16, 0x20020: np.float32}
    blob = meta.referenced_data[node.fields["values"].key]
    values = np.frombuffer(blob, dtype[node.fields["dtype"].value])
    return values.reshape(node.fields["shape"])
