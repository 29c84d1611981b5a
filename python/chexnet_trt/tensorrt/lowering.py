"""Graph -> INetworkDefinition, strongly typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray

from chexnet_trt import _core
from chexnet_trt.tensorrt import (
    lower_elementwise,
    lower_image_ops,
    lower_leaf_ops,
    lower_quantization,
    lower_reductions,
    lower_shape_ops,
)
from chexnet_trt.tensorrt.adapter import Api
from chexnet_trt.tensorrt.context import Context
from chexnet_trt.tensorrt.value import Value, logical_tensor

Lower = Callable[[Context, _core.Node, Sequence[Value]], Value]

# Every op of the op table. Ops that cannot be lowered are not in it but in UNSUPPORTED.
TABLE: Mapping[str, Lower] = MappingProxyType(
    {
        "input": lower_leaf_ops.input_,
        "constant": lower_leaf_ops.constant,
        "identity": lower_elementwise.identity,
        "conv2d": lower_image_ops.conv2d,
        "conv_transpose2d": lower_image_ops.conv_transpose2d,
        "max_pool": lower_image_ops.max_pool,
        "average_pool": lower_image_ops.average_pool,
        "matmul": lower_reductions.matmul,
        "binary": lower_elementwise.binary,
        "unary": lower_elementwise.unary,
        "activation": lower_elementwise.activation,
        "batch_norm": lower_image_ops.batch_norm,
        "lrn": lower_image_ops.lrn,
        "softmax": lower_reductions.softmax,
        "reduce": lower_reductions.reduce,
        "arg_max": lower_reductions.arg_max,
        "arg_min": lower_reductions.arg_min,
        "reshape": lower_shape_ops.reshape,
        "transpose": lower_shape_ops.transpose,
        "concat": lower_shape_ops.concat,
        "pad": lower_shape_ops.pad,
        "slice": lower_shape_ops.slice_,
        "gather": lower_shape_ops.gather,
        "cast": lower_elementwise.cast,
        "quantize": lower_quantization.quantize,
        "dequantize": lower_quantization.dequantize,
    }
)


@dataclass(frozen=True)
class Lowered:
    """`layers`: name of a layer of TensorRT -> name of the node that it comes from. `weights`: what
    TensorRT reads until the engine is built; keep it.
    """

    layers: Mapping[str, str]
    weights: Sequence[NDArray[Any]]


def lower(
    api: Api,
    graph: _core.Graph,
    network: Any,  # noqa: ANN401 - an INetworkDefinition of api.create_network
    *,
    precision: str,
    batch: int | None = None,
) -> Lowered:
    """Adds `graph` to `network`. `precision`: fp32, fp16, bf16, int8 or mixed, of which the last
    two want a quantised graph and compute the rest of it in float32 and bfloat16. `batch`: static;
    None leaves it to an optimisation profile.

    Inputs and outputs keep the graph's names, shapes and types. Raises InputError naming the node
    that TensorRT cannot express, BackendError with TensorRT's words on one that it refuses.
    """
    context = Context(api, network, precision, batch)
    values: dict[str, Value] = {}
    bound = {node.name for node in graph.inputs} | {name for name, _ in graph.outputs}
    for node in graph.nodes:
        context.node = node.name
        inputs = [values[source.name] for source in node.inputs]
        value = values[node.name] = _lower_node(context, node, inputs)
        is_new = all(value.source is not source.source for source in inputs)
        if is_new and not value.is_constant and node.name not in bound:
            value.source.name = node.name
    for name, node in graph.outputs:
        context.node = node.name
        _mark_output(context, name, node, values[node.name])
    return Lowered(context.layers, context.weights)


def _lower_node(context: Context, node: _core.Node, inputs: Sequence[Value]) -> Value:
    where = f"node '{node.name}' ({node.op}): "
    context.api.log.clear()
    try:
        return TABLE[node.op](context, node, inputs)
    except _core.InputError as error:
        raise _core.InputError(where + str(error)) from None
    except _core.BackendError as error:
        raise _core.BackendError(where + str(error)) from None


def _mark_output(context: Context, name: str, node: _core.Node, value: Value) -> None:
    """Publishes the value in the graph's type and order, or a copy where it is published already or
    is an input.
    """
    tensor = context.cast(logical_tensor(context, value), node.element_type, "/to_output")
    if tensor.is_network_input or tensor.is_network_output:
        tensor = context.added(context.network.add_identity(tensor), "/copy").get_output(0)
    tensor.name = name
    context.network.mark_output(tensor)
