"""Ops that move elements."""

from __future__ import annotations

import math
from collections.abc import Sequence

from chexnet_trt import _core
from chexnet_trt.tensorrt.context import Context
from chexnet_trt.tensorrt.value import (
    Order,
    Value,
    arranged,
    logical_tensor,
    plain,
    reshaped,
    same_memory,
    tensor_of,
)


def reshape(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    x, order = inputs[0], plain(len(inputs[0].order))
    if not same_memory(x, order):
        x = arranged(context, x, order)
    return reshaped(context, x, context.shape(node.shape), plain(len(node.shape)))


def transpose(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    permutation = node.attributes["permutation"]
    order = tuple(permutation.index(axis) for axis in inputs[0].order)
    return Value(inputs[0].source, order, inputs[0].name)


def concat(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    largest = max(inputs, key=lambda value: (not value.is_constant, abs(math.prod(value.shape))))
    parts = [tensor_of(context, arranged(context, value, largest.order)) for value in inputs]
    layer = context.added(context.network.add_concatenation(parts))
    layer.axis = largest.position(node.attributes["axis"])
    return Value(layer.get_output(0), largest.order, node.name)


def pad(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    """A window that begins before the value; there are zeros."""
    x = inputs[0]
    begin = tuple(-pad for pad in x.arrange(node.attributes["pads_begin"]))
    sizes = x.arrange(context.shape(node.shape))
    result = context.window(tensor_of(context, x), begin, sizes, (1,) * len(begin))
    return Value(result, x.order, node.name)


def slice_(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    x = inputs[0]
    begin, strides = (x.arrange(node.attributes[name]) for name in ("begin", "strides"))
    sizes = x.arrange(context.shape(node.shape))
    return Value(context.window(tensor_of(context, x), begin, sizes, strides), x.order, node.name)


def gather(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    x, axis = inputs[0], node.attributes["axis"]
    indices = logical_tensor(context, inputs[1])
    layer = context.network.add_gather(tensor_of(context, x), indices, x.position(axis))
    order = _gathered(x.order, axis, len(inputs[1].order))
    return Value(context.added(layer).get_output(0), order, node.name)


def _gathered(order: Order, axis: int, index_rank: int) -> Order:
    """Of gather's result: axis `axis` of the value gives way to the axes of the indices."""
    result: list[int] = []
    for logical in order:
        if logical == axis:
            result += range(axis, axis + index_rank)
        else:
            result.append(logical if logical < axis else logical + index_rank - 1)
    return tuple(result)
