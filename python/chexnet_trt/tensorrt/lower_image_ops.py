"""Convolutions, pooling, normalisation: TensorRT wants N, C, H, W."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chexnet_trt import _core
from chexnet_trt.tensorrt.context import Constant, Context
from chexnet_trt.tensorrt.value import (
    Value,
    arranged,
    channels_first,
    plain,
    reshaped,
    tensor_of,
)

# What addLRN takes, by NVIDIA's page on the operator LRN (whose 1e5 for k is 1e-5, as in CUDNN).
_LARGEST_WINDOW, _LEAST_BETA, _LEAST_BIAS = 15, 0.01, 1e-5


def conv2d(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    conv = node.attributes
    weights = arranged(context, inputs[1], (3, 2, 0, 1))
    out, _, *kernel = weights.shape
    layer = _with_weights(
        context, context.network.add_convolution_nd, _image(context, inputs[0], conv), weights,
        out, tuple(kernel),
    )  # fmt: skip
    layer.stride_nd = tuple(conv["strides"])
    layer.dilation_nd = tuple(conv["dilations"])
    layer.pre_padding = tuple(conv["pads_begin"])
    layer.post_padding = tuple(conv["pads_end"])
    layer.num_groups = conv["groups"]
    return Value(layer.get_output(0), channels_first(conv["layout"]), node.name)


def conv_transpose2d(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    """TensorRT cuts `padding` off the full extent; where the forward convolution left pixels over
    at the end, which no window reached, there are zeros to add instead. tensorrt_rtx 1.7 has no
    kernels of it for bfloat16: that is computed in float32.
    """
    conv = node.attributes
    weights = arranged(context, inputs[1], (3, 2, 0, 1))  # in, out, H, W
    _, out, *kernel = weights.shape
    image = _image(context, inputs[0], conv)
    element = None
    if image.dtype == context.trt.DataType.BF16:
        element, image = "float32", context.cast(image, "float32", "/to_float32")
    ends = [
        (image.shape[2 + axis] - 1) * conv["strides"][axis]
        + kernel[axis]
        - conv["pads_begin"][axis]
        - conv["output_size"][axis]
        for axis in range(2)
    ]
    layer = _with_weights(
        context, context.network.add_deconvolution_nd, image, weights, out, tuple(kernel), element
    )
    layer.stride_nd = tuple(conv["strides"])
    layer.pre_padding = tuple(conv["pads_begin"])
    layer.post_padding = tuple(max(end, 0) for end in ends)
    result = layer.get_output(0)
    if min(ends) < 0:
        sizes = (*result.shape[:2], *conv["output_size"])
        result = context.window(result, (0, 0, 0, 0), sizes, (1, 1, 1, 1), "/pad")
    if element is not None:
        result = context.cast(result, context.computed("float32"), "/from_float32")
    return Value(result, channels_first(conv["layout"]), node.name)


def max_pool(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    return _pool(context, node, inputs[0], context.trt.PoolingType.MAX)


def average_pool(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    return _pool(context, node, inputs[0], context.trt.PoolingType.AVERAGE)


def batch_norm(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    """Of parameters that are computed: the passes turn constant ones into a scale and a shift."""
    operation = context.trt.ElementWiseOperation
    x = _image(context, inputs[0], node.attributes)
    gamma, beta, mean, variance = (
        tensor_of(context, reshaped(context, value, (1, value.shape[0], 1, 1), plain(4)))
        for value in inputs[1:]
    )
    epsilon = context.number(node.attributes["epsilon"], gamma, "/epsilon")
    deviation = context.binary(variance, epsilon, operation.SUM, "/variance")
    deviation = context.unary(deviation, context.trt.UnaryOperation.SQRT, "/deviation")
    scale = context.binary(gamma, deviation, operation.DIV, "/scale")
    centred = context.binary(x, mean, operation.SUB, "/centred")
    scaled = context.binary(centred, scale, operation.PROD, "/scaled")
    result = context.binary(scaled, beta, operation.SUM)
    return Value(result, channels_first(node.attributes["layout"]), node.name)


def lrn(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    """TensorRT divides alpha by the window, TensorFlow does not; and it computes float32 alone."""
    radius, bias, beta = (node.attributes[name] for name in ("radius", "bias", "beta"))
    window = 2 * radius + 1
    if window > _LARGEST_WINDOW or beta < _LEAST_BETA or bias < _LEAST_BIAS:
        raise _core.InputError(
            f"TensorRT's LRN takes windows up to {_LARGEST_WINDOW}, beta from {_LEAST_BETA} and "
            f"bias from {_LEAST_BIAS}; this one has {window}, {beta:g} and {bias:g}"
        )
    x = _image(context, inputs[0], node.attributes)
    alpha = node.attributes["alpha"] * window
    wide = context.cast(x, "float32", "/to_float32")
    layer = context.added(context.network.add_lrn(wide, window, alpha, beta, bias))
    result = context.cast_like(layer.get_output(0), x, "/from_float32")
    return Value(result, channels_first(node.attributes["layout"]), node.name)


def _image(context: Context, value: Value, attributes: dict[str, Any]) -> Any:  # noqa: ANN401
    return tensor_of(context, arranged(context, value, channels_first(attributes["layout"])))


def _with_weights(
    context: Context,
    add: Any,  # noqa: ANN401 - add_convolution_nd or add_deconvolution_nd
    image: Any,  # noqa: ANN401
    weights: Value,
    out: int,
    kernel: tuple[int, ...],
    element: str | None = None,
) -> Any:  # noqa: ANN401
    """The layer with its weights: constants, or a tensor if they are computed or int8. `element`:
    the type to compute in, where it is not that of the network.
    """
    if isinstance(weights.source, Constant):
        memory = context.memory(weights.source, element)
        return context.added(add(image, out, kernel, memory, context.trt.Weights()))
    layer = add(image, out, kernel, context.trt.Weights(), context.trt.Weights())
    layer = context.added(layer)
    tensor = tensor_of(context, weights)
    layer.set_input(1, context.cast_like(tensor, image, "/weights"))
    return layer


def _pool(context: Context, node: _core.Node, x: Value, kind: Any) -> Value:  # noqa: ANN401
    """Padding takes no part: -inf for a maximum, not counted in an average."""
    pool = node.attributes
    image = _image(context, x, pool)
    layer = context.added(context.network.add_pooling_nd(image, kind, tuple(pool["kernel"])))
    layer.stride_nd = tuple(pool["strides"])
    layer.pre_padding = tuple(pool["pads_begin"])
    layer.post_padding = tuple(pool["pads_end"])
    layer.average_count_excludes_padding = True
    return Value(layer.get_output(0), channels_first(pool["layout"]), node.name)
