"""Explicit quantise and dequantise layers with the graph's own scales."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chexnet_trt import _core
from chexnet_trt.tensorrt.context import Constant, Context
from chexnet_trt.tensorrt.value import Int8Weights, Value, tensor_of

# Where most images have their channels. All scales of activations are equal: every axis would do.
_AXIS = 1


def quantize(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    if node.attributes["element"] != "int8":
        raise _core.InputError("TensorRT quantises to int8 alone: ask for signed quantisation")
    x = tensor_of(context, inputs[0])
    scale = _shared_scale(context, _scales(inputs[1]), x)
    result = context.quantize(x, context.scale(scale), _AXIS)
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


def _shared_scale(context: Context, scale: Constant, x: Any) -> Constant:  # noqa: ANN401
    """The scale of `x`, repeated along an axis where that lets equal kernels share their text. The
    scale that dequantises stays single: with others TensorRT computes no layer in int8.
    """
    if not context.api.repeats_kernels or len(x.shape) != 4 or x.shape[_AXIS] <= 1:
        return scale
    extent = x.shape[_AXIS]
    return Constant(f"{scale.name}/{extent}", np.full(extent, scale.array), scale.element)
