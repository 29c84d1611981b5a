"""Dilated convolutions of old TensorFlow: SpaceToBatchND -> convolution -> BatchToSpaceND."""

from __future__ import annotations

import numpy as np

from chexnet_trt.uff import graph_def as tf
from chexnet_trt.uff.constants import Array
from chexnet_trt.uff.context import Context, strip
from chexnet_trt.uff.windows import data_layout, dilations, strides


def collapse_dilated(context: Context) -> None:
    """Replaces each such chain by the convolution with `dilations`, padded by what the paddings
    leave after the crops. Chains of another form stay as they are."""
    for last in [node for node in context.graph.values() if node.op == "BatchToSpaceND"]:
        conv = _collapsed(last, context)
        if conv is not None:
            context.graph[conv.name] = conv
            context.aliases[last.name] = conv.name


def _collapsed(last: tf.NodeDef, context: Context) -> tf.NodeDef | None:
    conv = context.source(strip(last.input[0]))
    if conv.op not in ("Conv2D", "DepthwiseConv2dNative") or context.readers(conv.name) != {
        last.name
    }:
        return None
    first = context.source(strip(conv.input[0]))
    plain = conv.attr["padding"].s == b"VALID" and data_layout(conv) == "N+C"
    if first.op != "SpaceToBatchND" or not plain or _steps(conv) != [1, 1, 1, 1]:
        return None
    block, paddings = _parameters(first, context)
    last_block, crops = _parameters(last, context)
    if block is None or paddings is None or last_block is None or crops is None:
        return None
    if block.shape != (2,) or not np.array_equal(block, last_block):
        return None
    amounts = paddings - crops
    if amounts.shape != (2, 2) or (amounts < 0).any():
        return None
    return _dilated(conv, first.input[0], [int(step) for step in block], amounts)


def _steps(conv: tf.NodeDef) -> list[int]:
    return strides(conv) + (dilations(conv) or [1, 1])


def _parameters(node: tf.NodeDef, context: Context) -> tuple[Array | None, Array | None]:
    return context.constant(strip(node.input[1])), context.constant(strip(node.input[2]))


def _dilated(conv: tf.NodeDef, source: str, block: list[int], amounts: Array) -> tf.NodeDef:
    out = type(conv)()
    out.CopyFrom(conv)
    out.input[0] = source
    del out.attr["dilations"].list.i[:]
    out.attr["dilations"].list.i.extend([1, *block, 1])
    if amounts.any():
        out.attr["padding"].s = b"EXPLICIT"
        del out.attr["explicit_paddings"].list.i[:]
        out.attr["explicit_paddings"].list.i.extend(
            [0, 0, *(int(amount) for amount in amounts.ravel()), 0, 0]
        )
    return out
