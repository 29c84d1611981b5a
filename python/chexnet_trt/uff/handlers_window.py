"""Handlers of convolutions and pools."""

from __future__ import annotations

from collections.abc import Callable

from chexnet_trt._core import InputError
from chexnet_trt.uff import graph_def as tf
from chexnet_trt.uff.attributes import attribute, need_inputs
from chexnet_trt.uff.context import Context
from chexnet_trt.uff.windows import data_layout, dilations, pool_window, strides, window_padding


def to_conv(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    need_inputs(node, inputs, 2)
    window = window_padding(node, inputs[0], context)
    groups = None
    if node.op == "DepthwiseConv2dNative":
        weights = context.parameter(node, inputs, 1, "weights")
        groups = int(weights.shape[2]) if weights.ndim == 4 else None
    inputs = [window.input, inputs[1]]
    context.emit(
        node.name, "Conv", inputs,
        padding=window.padding, strides=strides(node), dilation=dilations(node),
        number_groups=groups, inputs_orders=context.orders(data_layout(node), "+CK"),
        implicit_padding=window.implicit,
    )  # fmt: skip
    return [window.source, inputs[1]]


def to_conv_transpose(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    need_inputs(node, inputs, 3)
    padding = attribute(node, "padding", "s", b"")
    if padding == b"EXPLICIT" or any(step != 1 for step in dilations(node) or []):
        raise InputError(
            f"Conv2DBackpropInput node '{node.name}' has explicit padding or dilations, which UFF "
            "cannot express: use padding VALID or SAME"
        )
    inputs = [inputs[2], inputs[1], inputs[0]]
    context.emit(
        node.name, "ConvTranspose", inputs,
        strides=strides(node), inputs_orders=context.orders(data_layout(node), "+KC"),
        implicit_padding="same" if padding == b"SAME" else None,
    )  # fmt: skip
    return inputs


def pool(func: str) -> Callable[[tf.NodeDef, list[str], Context], list[str]]:
    def handler(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
        need_inputs(node, inputs, 1)
        window = window_padding(node, inputs[0], context)
        context.emit(
            node.name, "Pool", [window.input],
            func=func, kernel=pool_window(node), padding=window.padding, strides=strides(node),
            inputs_orders=context.orders(data_layout(node)), implicit_padding=window.implicit,
        )  # fmt: skip
        return [window.source]

    return handler
