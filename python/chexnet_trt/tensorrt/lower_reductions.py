"""Products, sums and extremes along axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chexnet_trt import _core
from chexnet_trt.tensorrt.context import Context
from chexnet_trt.tensorrt.value import Order, Value, plain, reshaped, tensor_of


def matmul(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    flags = (node.attributes["transpose_a"], node.attributes["transpose_b"])
    kinds = context.trt.MatrixOperation
    operands = []
    for value, transposed in zip(inputs, flags, strict=True):
        swapped = transposed != (value.order == (1, 0))
        kind = kinds.TRANSPOSE if swapped else kinds.NONE
        operands += [tensor_of(context, value), kind]
    layer = context.added(context.network.add_matrix_multiply(*operands))
    return Value(layer.get_output(0), plain(2), node.name)


def softmax(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    x = inputs[0]
    layer = context.added(context.network.add_softmax(tensor_of(context, x)))
    layer.axes = _mask(x, [node.attributes["axis"]])
    return Value(layer.get_output(0), x.order, node.name)


def reduce(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    x, axes, keep = inputs[0], node.attributes["axes"], node.attributes["keep_dims"]
    if not axes:
        return x
    kinds = context.trt.ReduceOperation
    kind = {
        "sum": kinds.SUM,
        "prod": kinds.PROD,
        "max": kinds.MAX,
        "min": kinds.MIN,
        "mean": kinds.AVG,
    }[node.attributes["kind"]]
    layer = context.network.add_reduce(tensor_of(context, x), kind, _mask(x, axes), keep)
    order = x.order if keep else _without(x.order, axes)
    return Value(context.added(layer).get_output(0), order, node.name)


def arg_max(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    return _arg_extreme(context, node, inputs[0], context.trt.TopKOperation.MAX)


def arg_min(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    return _arg_extreme(context, node, inputs[0], context.trt.TopKOperation.MIN)


def _arg_extreme(context: Context, node: _core.Node, x: Value, kind: Any) -> Value:  # noqa: ANN401
    """The best one of TopK. Its indices are int32, the graph's int64."""
    axis = node.attributes["axis"]
    layer = context.network.add_topk(tensor_of(context, x), kind, 1, _mask(x, [axis]))
    indices = context.added(layer, "/top").get_output(1)
    wide = context.cast(indices, node.element_type, "/indices")
    position = x.position(axis)
    shape = x.shape[:position] + x.shape[position + 1 :]
    return reshaped(context, Value(wide, x.order, node.name), shape, _without(x.order, [axis]))


def _mask(value: Value, axes: Iterable[int]) -> int:
    """TensorRT's bit mask of the places where the axes lie."""
    return sum(1 << value.position(axis) for axis in axes)


def _without(order: Order, axes: Sequence[int]) -> Order:
    """The order of what remains when the axes of the graph's value are gone."""
    return tuple(axis - sum(gone < axis for gone in axes) for axis in order if axis not in axes)
