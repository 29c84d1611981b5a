"""Inputs and constants."""

from __future__ import annotations

from collections.abc import Sequence

from chexnet_trt import _core
from chexnet_trt.tensorrt.context import Constant, Context
from chexnet_trt.tensorrt.value import Value, plain


def input_(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    """The caller's tensor, which keeps its type; what follows computes in that of the network."""
    kind = context.data_type(node.element_type)
    tensor = context.network.add_input(node.name, kind, context.shape(node.shape))
    if tensor is None:
        context.refused()
    tensor = context.cast(tensor, context.computed(node.element_type), "/from_input")
    return Value(tensor, plain(len(node.shape)), node.name)


def constant(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    """Added where it is used, in the order that is wanted there."""
    value = Constant(node.name, node.value, node.element_type)
    return Value(value, plain(len(node.shape)), node.name)
