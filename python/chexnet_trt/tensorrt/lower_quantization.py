"""Explicit quantise and dequantise layers with the graph's own scales."""

from __future__ import annotations

from collections.abc import Sequence

from chexnet_trt import _core
from chexnet_trt.tensorrt.context import Constant, Context
from chexnet_trt.tensorrt.value import Int8Weights, Value, tensor_of


def quantize(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    if node.attributes["element"] != "int8":
        raise _core.InputError("TensorRT quantises to int8 alone: ask for signed quantisation")
    scale = context.scale(_scales(inputs[1]))
    result = context.quantize(tensor_of(context, inputs[0]), scale)
    return Value(result, inputs[0].order, node.name)


def dequantize(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    values, scales, axis = inputs[0], _scales(inputs[1]), node.attributes["axis"]
    if isinstance(values.source, Constant):
        weights = Int8Weights(node.name, values.source, scales, values.position(axis))
        return Value(weights, values.order, node.name)
    if scales.array.ndim == 1:
        raise _core.InputError("TensorRT dequantises with a scale a channel constants alone")
    result = context.dequantize(tensor_of(context, values), context.scale(scales), 0)
    return Value(result, values.order, node.name)


def _scales(value: Value) -> Constant:
    if not isinstance(value.source, Constant):
        raise _core.InputError("TensorRT needs constant scales")
    return value.source
