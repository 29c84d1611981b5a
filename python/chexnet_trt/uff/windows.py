"""Strides, dilation and padding of convolutions and pools."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chexnet_trt._core import InputError
from chexnet_trt.uff import graph_def as tf
from chexnet_trt.uff.constants import Array
from chexnet_trt.uff.context import Context

# Ops whose result is never negative: a max pool may then pad with zeros in place of nothing.
_NOT_NEGATIVE = frozenset({"Relu", "Relu6", "Sigmoid", "Softplus", "Softmax"})


@dataclass
class WindowPadding:
    """`input` is what the UFF node reads, `source` what to convert next (they differ behind an
    added Pad node); `padding` is [H, W] on both sides; `implicit` is "same" or None."""

    input: str
    source: str
    padding: list[int] | None = None
    implicit: str | None = None


def data_layout(node: tf.NodeDef) -> str:
    text = (
        node.attr["data_format"].s.decode("utf-8", "replace")
        if "data_format" in node.attr
        else "NHWC"
    )
    layouts = {"NHWC": "N+C", "NCHW": "NC+"}
    if text not in layouts:
        raise InputError(
            f"{node.op} node '{node.name}' has the data format {text}: only NHWC and NCHW convert"
        )
    return layouts[text]


def spatial_axes(node: tf.NodeDef) -> tuple[int, int]:
    return (1, 2) if data_layout(node) == "N+C" else (2, 3)


def strides(node: tf.NodeDef) -> list[int]:
    return _spatial(node, "strides") or [1, 1]


def dilations(node: tf.NodeDef) -> list[int] | None:
    return _spatial(node, "dilations")


def pool_window(node: tf.NodeDef) -> list[int]:
    window = _spatial(node, "ksize")
    if window is None:
        raise InputError(f"{node.op} node '{node.name}' has no ksize: the graph is damaged")
    return window


def _spatial(node: tf.NodeDef, name: str) -> list[int] | None:
    """H and W of a list of four whose other two are 1; None when there is no such attribute."""
    values = list(node.attr[name].list.i) if name in node.attr else []
    if not values:
        return None
    axes = spatial_axes(node)
    if len(values) != 4 or any(values[i] != 1 for i in range(4) if i not in axes):
        raise InputError(
            f"{node.op} node '{node.name}' has {name} {values}: only height and width convert"
        )
    return [values[axis] for axis in axes]


def window_padding(node: tf.NodeDef, source: str, context: Context) -> WindowPadding:
    kind = node.attr["padding"].s if "padding" in node.attr else b""
    if kind == b"SAME":
        return WindowPadding(source, source, implicit="same")
    if kind == b"VALID":
        return _fused_pad(node, source, context) or WindowPadding(source, source)
    if kind == b"EXPLICIT":
        return _explicit(node, source, context)
    raise InputError(
        f"{node.op} node '{node.name}' has the padding {kind.decode('utf-8', 'replace')!r}"
    )


def _fused_pad(node: tf.NodeDef, source: str, context: Context) -> WindowPadding | None:
    """A Pad in front disappears where `padding`, zeros that take part, says exactly the same:
    symmetric, height and width only."""
    pad = context.source(source)
    if pad.op != "Pad":
        return None
    inputs = context.inputs(pad)
    amounts = context.constant(inputs[1]) if len(inputs) == 2 else None
    if amounts is None or amounts.shape != (4, 2) or (amounts[:, 0] != amounts[:, 1]).any():
        return None
    axes = spatial_axes(node)
    if any(amounts[axis, 0] for axis in range(4) if axis not in axes):
        return None
    return WindowPadding(inputs[0], inputs[0], [int(amounts[axis, 0]) for axis in axes])


def _explicit(node: tf.NodeDef, source: str, context: Context) -> WindowPadding:
    amounts = np.asarray(node.attr["explicit_paddings"].list.i, np.int32)
    axes = spatial_axes(node)
    sound = amounts.size == 8 and (amounts >= 0).all()
    amounts = amounts.reshape(4, 2) if sound else amounts
    if not sound or amounts[[axis for axis in range(4) if axis not in axes]].any():
        raise InputError(
            f"{node.op} node '{node.name}' has the explicit paddings {amounts.ravel().tolist()}: "
            "eight numbers, zero for batch and channels, are needed"
        )
    if not amounts.any():
        return WindowPadding(source, source)
    if node.op == "MaxPool" and context.source(source).op not in _NOT_NEGATIVE:
        raise InputError(
            f"MaxPool node '{node.name}' has explicit padding, and UFF pads with zeros, which "
            f"differs below zero: pad in front of it, or pool after {sorted(_NOT_NEGATIVE)}"
        )
    if (amounts[:, 0] == amounts[:, 1]).all():
        return WindowPadding(source, source, [int(amounts[axis, 0]) for axis in axes])
    return WindowPadding(_add_pad(node, source, amounts, context), source)


def _add_pad(node: tf.NodeDef, source: str, amounts: Array, context: Context) -> str:
    name = context.unique(node.name + "/explicit_pad")
    paddings = context.unique(name + "/paddings")
    context.emit_const(paddings, amounts)
    context.emit(name, "Pad", [source, paddings])
    return name
