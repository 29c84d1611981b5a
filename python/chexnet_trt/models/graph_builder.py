"""Writes a frozen TensorFlow GraphDef without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from chexnet_trt._core import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tensorboard.compat.proto.attr_value_pb2 import AttrValue
    from tensorboard.compat.proto.graph_pb2 import GraphDef
    from tensorboard.compat.proto.node_def_pb2 import NodeDef

    from chexnet_trt.models.layers import DataFormat, WeightSource

PRODUCER = 27  # The graph version that TensorFlow 1.13 wrote.
FLOAT, INT32, INT64 = 1, 3, 9  # tensorflow.DataType
E = TypeVar("E")
Attribute = bool | int | float | bytes | list[int]
_DTYPES = {np.dtype(np.float32): FLOAT, np.dtype(np.int32): INT32}


@dataclass(frozen=True)
class Node:
    """A node with one output, and the size of its channel axis."""

    name: str
    channels: int


class GraphBuilder:
    """Layers over nodes of a GraphDef: fp32, variables frozen to Const + Identity "/read".

    With channels_first every layer after `to_data_format` works on NCHW.
    Raises InputError when the GraphDef protos are not installed.
    """

    def __init__(self, weights: WeightSource, data_format: DataFormat = "channels_last") -> None:
        self.graph = _new_graph()
        self._weights = weights
        self._channels_first = data_format == "channels_first"
        self._format = b"NCHW" if self._channels_first else b"NHWC"

    def placeholder(self, name: str, size: int, channels: int) -> Node:
        """NHWC images of a free batch: [?, size, size, channels]."""
        node = self._node(name, "Placeholder", [], dtype=FLOAT)
        for extent in (-1, size, size, channels):
            node.attr["shape"].shape.dim.add().size = extent
        return Node(name, channels)

    def to_data_format(self, name: str, x: Node) -> Node:
        if not self._channels_first:
            return x
        permutation = self._const(f"{name}/perm", [0, 3, 1, 2])
        self._node(name, "Transpose", [x.name, permutation], T=FLOAT, Tperm=INT32)
        return Node(name, x.channels)

    def pad(self, name: str, x: Node, before: int, after: int) -> Node:
        paddings = self._const(
            f"{name}/paddings", self._order([0, 0], [before, after], [before, after], [0, 0])
        )
        self._node(name, "Pad", [x.name, paddings], T=FLOAT, Tpaddings=INT32)
        return Node(name, x.channels)

    def conv2d(
        self, name: str, x: Node, filters: int, kernel: int, strides: int, padding: str
    ) -> Node:
        weights = self._variable(f"{name}/kernel", (kernel, kernel, x.channels, filters))
        return self._spatial(
            f"{name}/Conv2D",
            "Conv2D",
            [x.name, weights],
            filters,
            strides=self._order(1, strides, strides, 1),
            padding=padding.encode(),
            dilations=[1, 1, 1, 1],
            use_cudnn_on_gpu=True,
        )

    def batch_norm(self, name: str, x: Node, epsilon: float) -> Node:
        parts = ("gamma", "beta", "moving_mean", "moving_variance")
        variables = [self._variable(f"{name}/{part}", (x.channels,)) for part in parts]
        return self._spatial(
            f"{name}/FusedBatchNorm",
            "FusedBatchNorm",
            [x.name, *variables],
            x.channels,
            epsilon=epsilon,
            is_training=False,
        )

    def relu(self, name: str, x: Node) -> Node:
        self._node(name, "Relu", [x.name], T=FLOAT)
        return Node(name, x.channels)

    def max_pool(self, name: str, x: Node, size: int, strides: int, padding: str) -> Node:
        return self._pool(name, "MaxPool", x, size, strides, padding)

    def avg_pool(self, name: str, x: Node, size: int, strides: int) -> Node:
        return self._pool(name, "AvgPool", x, size, strides, "VALID")

    def add(self, name: str, a: Node, b: Node) -> Node:
        self._node(name, "Add", [a.name, b.name], T=FLOAT)
        return Node(name, a.channels)

    def concat(self, name: str, tensors: Sequence[Node]) -> Node:
        axis = self._const(f"{name}/axis", 1 if self._channels_first else 3)
        inputs = [*(tensor.name for tensor in tensors), axis]
        self._node(name, "ConcatV2", inputs, T=FLOAT, Tidx=INT32, N=len(tensors))
        return Node(name, sum(tensor.channels for tensor in tensors))

    def identity(self, name: str, x: Node) -> Node:
        self._node(name, "Identity", [x.name], T=FLOAT)
        return Node(name, x.channels)

    def spatial_mean(self, name: str, x: Node, keep_dims: bool) -> Node:
        axes = self._const(f"{name}/reduction_indices", self._spatial_axes())
        self._node(name, "Mean", [x.name, axes], T=FLOAT, Tidx=INT32, keep_dims=keep_dims)
        return Node(name, x.channels)

    def squeeze(self, name: str, x: Node) -> Node:
        self._node(name, "Squeeze", [x.name], T=FLOAT, squeeze_dims=self._spatial_axes())
        return Node(name, x.channels)

    def dense(self, name: str, x: Node, units: int) -> Node:
        kernel = self._variable(f"{name}/kernel", (x.channels, units))
        bias = self._variable(f"{name}/bias", (units,))
        product, total = f"{name}/MatMul", f"{name}/BiasAdd"
        inputs = [x.name, kernel]
        self._node(product, "MatMul", inputs, T=FLOAT, transpose_a=False, transpose_b=False)
        self._node(total, "BiasAdd", [product, bias], T=FLOAT, data_format=b"NHWC")
        return Node(total, units)

    def sigmoid(self, name: str, x: Node) -> None:
        self._node(name, "Sigmoid", [x.name], T=FLOAT)

    def argmax(self, name: str, x: Node) -> None:
        axis = self._const(f"{name}/dimension", 1)
        self._node(name, "ArgMax", [x.name, axis], T=FLOAT, Tidx=INT32, output_type=INT64)

    def _pool(self, name: str, op: str, x: Node, size: int, strides: int, padding: str) -> Node:
        return self._spatial(
            name,
            op,
            [x.name],
            x.channels,
            ksize=self._order(1, size, size, 1),
            strides=self._order(1, strides, strides, 1),
            padding=padding.encode(),
        )

    def _spatial(
        self, name: str, op: str, inputs: list[str], channels: int, **attributes: Attribute
    ) -> Node:
        self._node(name, op, inputs, T=FLOAT, data_format=self._format, **attributes)
        return Node(name, channels)

    def _order(self, batch: E, height: E, width: E, channels: E) -> list[E]:
        if self._channels_first:
            return [batch, channels, height, width]
        return [batch, height, width, channels]

    def _spatial_axes(self) -> list[int]:
        return [2, 3] if self._channels_first else [1, 2]

    def _variable(self, name: str, shape: tuple[int, ...]) -> str:
        value = self._weights(name, shape)
        if value.shape != shape:
            raise InputError(f"the weights of '{name}' have shape {value.shape}, not {shape}")
        self._const(name, np.ascontiguousarray(value, np.float32))
        self._node(f"{name}/read", "Identity", [name], T=FLOAT)
        return f"{name}/read"

    def _const(self, name: str, value: int | list[Any] | NDArray[Any]) -> str:
        array = value if isinstance(value, np.ndarray) else np.asarray(value, np.int32)
        node = self._node(name, "Const", [], dtype=_DTYPES[array.dtype])
        tensor = node.attr["value"].tensor
        tensor.dtype = _DTYPES[array.dtype]
        for extent in array.shape:
            tensor.tensor_shape.dim.add().size = extent
        if array.size == 1:
            # As TensorFlow writes it; some readers take a scalar's tensor_content for zero.
            values = tensor.int_val if array.dtype == np.int32 else tensor.float_val
            values.extend(array.ravel().tolist())
        else:
            tensor.tensor_content = array.tobytes()
        return name

    def _node(self, name: str, op: str, inputs: Iterable[str], **attributes: Attribute) -> NodeDef:
        node = self.graph.node.add(name=name, op=op, input=inputs)
        for key, value in attributes.items():
            _set_attribute(node.attr[key], key, value)
        return node


def _set_attribute(attribute: AttrValue, key: str, value: Attribute) -> None:
    if key in {"T", "dtype", "Tidx", "Tperm", "Tpaddings", "output_type"}:
        attribute.type = value
    elif isinstance(value, bool):
        attribute.b = value
    elif isinstance(value, int):
        attribute.i = value
    elif isinstance(value, float):
        attribute.f = value
    elif isinstance(value, bytes):
        attribute.s = value
    else:
        attribute.list.i.extend(value)


def _new_graph() -> GraphDef:
    try:
        from tensorboard.compat.proto.graph_pb2 import GraphDef
    except ImportError:
        raise InputError(
            "writing TensorFlow graphs needs an extra: pip install 'chexnet_trt[convert]'"
        ) from None
    graph = GraphDef()
    graph.versions.producer = PRODUCER
    return graph
