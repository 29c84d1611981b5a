"""Element by element: operands lie in whatever order, as long as it is the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from chexnet_trt import _core
from chexnet_trt.tensorrt.context import Context
from chexnet_trt.tensorrt.value import Value, arranged, tensor_of, with_rank

# Klambauer et al., Self-Normalizing Neural Networks, 2017.
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def binary(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    rank = max(len(value.order) for value in inputs)
    a, b = (with_rank(context, value, rank) for value in inputs)
    order = a.order if _keeps_order(a, b) else b.order
    left, right = (tensor_of(context, arranged(context, value, order)) for value in (a, b))
    operation = _operations(context.trt)[node.attributes["kind"]]
    return Value(context.binary(left, right, operation), order, node.name)


def unary(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    x, kind, trt = tensor_of(context, inputs[0]), node.attributes["kind"], context.trt
    if kind == "square":
        result = context.binary(x, x, trt.ElementWiseOperation.PROD)
    elif kind == "rsqrt":
        root = context.unary(x, trt.UnaryOperation.SQRT, "/sqrt")
        result = context.unary(root, trt.UnaryOperation.RECIP)
    else:
        result = context.unary(x, _functions(trt)[kind])
    return Value(result, inputs[0].order, node.name)


def activation(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    kind, trt = node.attributes["kind"], context.trt
    functions = trt.ActivationType
    x = tensor_of(context, inputs[0])
    function, alpha, beta = {
        "relu": (functions.RELU, None, None),
        "relu6": (functions.CLIP, 0, 6),
        "sigmoid": (functions.SIGMOID, None, None),
        "tanh": (functions.TANH, None, None),
        "elu": (functions.ELU, 1, None),
        "selu": (functions.SELU, _SELU_ALPHA, _SELU_SCALE),
        "softsign": (functions.SOFTSIGN, None, None),
        "softplus": (functions.SOFTPLUS, 1, 1),
        "leaky_relu": (functions.LEAKY_RELU, node.attributes["alpha"], None),
    }[kind]
    layer = context.added(context.network.add_activation(x, function))
    if alpha is not None:
        layer.alpha = alpha
    if beta is not None:
        layer.beta = beta
    return Value(layer.get_output(0), inputs[0].order, node.name)


def cast(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    """TensorRT casts uint8 from and to floating point alone."""
    source, target = inputs[0], context.computed(node.attributes["to"])
    x = tensor_of(context, source)
    kinds = context.trt.DataType
    floating = (kinds.FLOAT, kinds.HALF, kinds.BF16)
    wanted = context.data_type(target)
    if kinds.UINT8 in (x.dtype, wanted) and not {x.dtype, wanted} & set(floating):
        x = context.cast(x, "float32", "/to_float32")
    return Value(context.cast(x, target), source.order, node.name)


def identity(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    return inputs[0]


def _keeps_order(a: Value, b: Value) -> bool:
    """Whether the operands should lie as `a` does: the other one is cheaper to move."""
    if a.is_constant != b.is_constant:
        return b.is_constant
    return abs(math.prod(a.shape)) >= abs(math.prod(b.shape))


def _operations(trt: Any) -> dict[str, Any]:  # noqa: ANN401
    kinds = trt.ElementWiseOperation
    return {
        "add": kinds.SUM,
        "sub": kinds.SUB,
        "mul": kinds.PROD,
        "div": kinds.DIV,
        "min": kinds.MIN,
        "max": kinds.MAX,
        "pow": kinds.POW,
    }


def _functions(trt: Any) -> dict[str, Any]:  # noqa: ANN401
    kinds = trt.UnaryOperation
    return {
        "neg": kinds.NEG,
        "exp": kinds.EXP,
        "log": kinds.LOG,
        "abs": kinds.ABS,
        "sqrt": kinds.SQRT,
        "sin": kinds.SIN,
        "cos": kinds.COS,
        "tan": kinds.TAN,
        "sinh": kinds.SINH,
        "cosh": kinds.COSH,
        "asin": kinds.ASIN,
        "acos": kinds.ACOS,
        "atan": kinds.ATAN,
        "asinh": kinds.ASINH,
        "acosh": kinds.ACOSH,
        "atanh": kinds.ATANH,
        "ceil": kinds.CEIL,
        "floor": kinds.FLOOR,
    }
