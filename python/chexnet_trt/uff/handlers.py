"""THE table from TensorFlow ops to UFF ops.

A handler emits the UFF node of one TensorFlow node and returns the names to convert next, in the
order of the inputs. Parameters that become fields are not among them. Field order is file order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chexnet_trt._core import InputError
from chexnet_trt._core.uff import DataType
from chexnet_trt.uff import graph_def as tf
from chexnet_trt.uff.attributes import attribute, need_inputs
from chexnet_trt.uff.constants import UFF_TYPES, uff_type, uff_value_of
from chexnet_trt.uff.context import PASS_THROUGH, Context
from chexnet_trt.uff.handlers_window import pool, to_conv, to_conv_transpose
from chexnet_trt.uff.windows import data_layout

Handler = Callable[[tf.NodeDef, list[str], Context], list[str]]


def to_input(node: tf.NodeDef, _inputs: list[str], context: Context) -> list[str]:
    tensorflow_type = attribute(node, "dtype", "type", tf.DT_FLOAT)
    dtype = uff_type(tensorflow_type)
    if dtype not in UFF_TYPES.values():
        raise InputError(
            f"input '{node.name}' is of type {tf.dtype_name(tensorflow_type)}, which UFF does not "
            f"have: replace it with -I '{node.name},,float32,DIM,...' if the network allows it"
        )
    shape = [dim.size for dim in node.attr["shape"].shape.dim] if "shape" in node.attr else []
    context.emit(node.name, "Input", shape=shape, dtype=dtype)
    return []


def to_const(node: tf.NodeDef, _inputs: list[str], context: Context) -> list[str]:
    context.emit_const_node(node)
    return []


def to_identity(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    need_inputs(node, inputs, 1)
    context.emit(node.name, "Identity", inputs)
    return inputs


def binary(func: str) -> Handler:
    def handler(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
        need_inputs(node, inputs, 2)
        context.emit(node.name, "Binary", inputs, func=func)
        return inputs

    return handler


def unary(operation: str) -> Handler:
    """Unary and Activation: the function is the TensorFlow op in lower case."""

    def handler(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
        need_inputs(node, inputs, 1)
        context.emit(node.name, operation, inputs, func=node.op.lower())
        return inputs

    return handler


def to_leaky_relu(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    need_inputs(node, inputs, 1)
    alpha = attribute(node, "alpha", "f", float(np.float32(0.2)))
    context.emit(node.name, "LeakyRelu", inputs, alpha=alpha)
    return inputs


def to_bias_add(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    need_inputs(node, inputs, 2)
    bias = context.source(inputs[1])
    if bias.op != "Const":
        raise InputError(
            f"the bias of BiasAdd node '{node.name}' is computed by '{inputs[1]}', and UFF needs a "
            "constant: fix it before freezing"
        )
    value, name = uff_value_of(bias), bias.name
    if data_layout(node) == "NC+":
        # The constant may have other readers, who want its own shape.
        value = value.reshape(-1, 1, 1)
        if any(reader != node.name for reader in context.readers(bias.name)):
            name = context.unique(f"{node.name}/bias_nchw")
    if name not in context.nodes:
        context.emit_const(name, value)
    context.emit(node.name, "Binary", [inputs[0], name], func="add")
    return inputs[:1]


def to_fully_connected(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    need_inputs(node, inputs, 2)
    left = "CN" if attribute(node, "transpose_a", "b", False) else "NC"
    right = "KC" if attribute(node, "transpose_b", "b", False) else "CK"
    context.emit(node.name, "FullyConnected", inputs, inputs_orders=context.orders(left, right))
    return inputs


def to_batch_norm(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    need_inputs(node, inputs, 5)
    if attribute(node, "is_training", "b", True):
        context.not_inference.append(node)
    epsilon = attribute(node, "epsilon", "f", float(np.float32(1e-4)))
    orders = context.orders(data_layout(node))
    context.emit(node.name, "BatchNorm", inputs, epsilon=epsilon, inputs_orders=orders)
    return inputs


def to_lrn(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    need_inputs(node, inputs, 1)
    context.emit(
        node.name, "LRN", inputs,
        window_size=attribute(node, "depth_radius", "i", 5),
        alpha=attribute(node, "alpha", "f", 1.0), beta=attribute(node, "beta", "f", 0.5),
        k=attribute(node, "bias", "f", 1.0), inputs_orders=context.orders("NC+"),
    )  # fmt: skip
    return inputs


def to_softmax(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    axis = 0
    if len(inputs) > 1:
        axis = _integers(context.parameter(node, inputs, 1, "axis"))[0]
    inputs = inputs[:1]
    context.emit(node.name, "Softmax", inputs, axis=axis, inputs_orders=context.orders("N+C"))
    return inputs


def to_reshape(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    need_inputs(node, inputs, 2)
    parts = node.name.split("/")
    shape = context.constant(inputs[1])
    is_matrix = shape is None or shape.size == 2
    if len(parts) > 1 and "flatten" in parts[-2].lower() and is_matrix:
        context.debug(f"DEBUG: convert reshape to flatten node '{node.name}'")
        inputs = inputs[:1]
        context.emit(node.name, "Flatten", inputs)
    else:
        context.emit(node.name, "Reshape", inputs)
    return inputs


def to_squeeze(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    need_inputs(node, inputs, 1)
    axes = list(node.attr["squeeze_dims"].list.i) if "squeeze_dims" in node.attr else []
    context.emit(node.name, "Squeeze", inputs, axes=axes)
    return inputs


def with_axis(operation: str) -> Handler:
    """Ops whose second input is one constant axis."""

    def handler(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
        axis = _integers(context.parameter(node, inputs, 1, "axis"))[0]
        inputs = inputs[:1]
        context.emit(node.name, operation, inputs, axis=axis)
        return inputs

    return handler


def to_transpose(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    permutation = _integers(context.parameter(node, inputs, 1, "permutation"))
    inputs = inputs[:1]
    context.emit(node.name, "Transpose", inputs, permutation=permutation)
    return inputs


def reduce(func: str) -> Handler:
    def handler(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
        axes = _integers(context.parameter(node, inputs, 1, "axes"))
        keepdims = attribute(node, "keep_dims", "b", False)
        inputs = inputs[:1]
        context.emit(node.name, "Reduce", inputs, func=func, axes=axes, keepdims=keepdims)
        return inputs

    return handler


def to_concat(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    if "axis" in node.attr:
        axis = node.attr["axis"].i
    else:
        index = 0 if node.op == "Concat" else len(inputs) - 1
        axis = _integers(context.parameter(node, inputs, index, "axis"))[0]
        inputs = inputs[:index] + inputs[index + 1 :]
    context.emit(node.name, "Concat", inputs, axis=axis)
    return inputs


def to_stack(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    context.emit(node.name, "Stack", inputs, axis=attribute(node, "axis", "i", 0))
    return inputs


def to_shape(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    need_inputs(node, inputs, 1)
    context.emit(node.name, "Shape", inputs)
    return inputs


def to_strided_slice(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    need_inputs(node, inputs, 4)
    masks = {
        name: attribute(node, name, "i", 0)
        for name in ("begin_mask", "end_mask", "shrink_axis_mask")
    }
    for name in ("ellipsis_mask", "new_axis_mask"):
        if attribute(node, name, "i", 0):
            raise InputError(
                f"StridedSlice node '{node.name}' uses {name}, which UFF cannot express: write the "
                "slice without '...' and newaxis"
            )
    context.emit(node.name, "StridedSlice", inputs, **masks)
    return inputs


def to_pad(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    need_inputs(node, inputs, 2)
    context.emit(node.name, "Pad", inputs)
    return inputs


def to_gather(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    need_inputs(node, inputs, 2)
    context.emit(
        node.name, "Gather", inputs,
        indices_dtype=_type(node, "Tindices"), params_dtype=_type(node, "Tparams"),
        validate_indices=attribute(node, "validate_indices", "b", True),
    )  # fmt: skip
    return inputs


def to_gather_v2(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    if attribute(node, "batch_dims", "i", 0):
        raise InputError(
            f"{node.op} node '{node.name}' uses batch_dims, which UFF cannot express: use 0"
        )
    axis = 0
    if len(inputs) > 2:
        axis = _integers(context.parameter(node, inputs, 2, "axis"))[0]
    inputs = inputs[:2]
    params = "dtype" if node.op == "ResourceGather" else "Tparams"
    context.emit(
        node.name, "GatherV2", inputs,
        axis=axis, indices_dtype=_type(node, "Tindices"), params_dtype=_type(node, params),
    )  # fmt: skip
    return inputs


def _type(node: tf.NodeDef, name: str) -> DataType:
    return uff_type(attribute(node, name, "type", 0))


def _integers(value: Any) -> list[int]:  # noqa: ANN401
    """A scalar becomes a list of one."""
    return [int(item) for item in np.asarray(value).reshape(-1)]


_UNARY = (
    "Neg Abs Exp Log Sqrt Rsqrt Square Sin Cos Tan Sinh Cosh Asin Acos Atan Asinh Acosh Atanh "
    "Ceil Floor"
)
_ACTIVATIONS = "Relu Relu6 Sigmoid Tanh Elu Selu Softsign Softplus"

HANDLERS: dict[str, Handler] = {
    "Placeholder": to_input,
    "PlaceholderV2": to_input,
    "PlaceholderWithDefault": to_input,
    "Const": to_const,
    "Identity": to_identity,
    **dict.fromkeys(PASS_THROUGH, to_identity),
    **dict.fromkeys(("Add", "AddV2"), binary("add")),
    "Sub": binary("sub"),
    "Mul": binary("mul"),
    **dict.fromkeys(("Div", "RealDiv"), binary("div")),
    "Minimum": binary("min"),
    "Maximum": binary("max"),
    "Pow": binary("pow"),
    "BiasAdd": to_bias_add,
    **dict.fromkeys(_UNARY.split(), unary("Unary")),
    **dict.fromkeys(_ACTIVATIONS.split(), unary("Activation")),
    "LeakyRelu": to_leaky_relu,
    "Conv2D": to_conv,
    "DepthwiseConv2dNative": to_conv,
    "Conv2DBackpropInput": to_conv_transpose,
    "MaxPool": pool("max"),
    "AvgPool": pool("avg"),
    "MatMul": to_fully_connected,
    **dict.fromkeys(("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), to_batch_norm),
    "LRN": to_lrn,
    "Softmax": to_softmax,
    "Reshape": to_reshape,
    "Squeeze": to_squeeze,
    "ExpandDims": with_axis("ExpandDims"),
    "ArgMax": with_axis("ArgMax"),
    "ArgMin": with_axis("ArgMin"),
    "Transpose": to_transpose,
    **dict.fromkeys(("Concat", "ConcatV2"), to_concat),
    "Pack": to_stack,
    "Shape": to_shape,
    "StridedSlice": to_strided_slice,
    "Pad": to_pad,
    **{op: reduce(op.lower()) for op in ("Sum", "Prod", "Min", "Max", "Mean")},
    "Gather": to_gather,
    **dict.fromkeys(("GatherV2", "ResourceGather"), to_gather_v2),
}
