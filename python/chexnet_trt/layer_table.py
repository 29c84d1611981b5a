"""What computes each convolution and matmul of an engine: precision, scales, kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chexnet_trt import _core
from chexnet_trt.engine import Engine

_WEIGHT_OPS = ("conv2d", "conv_transpose2d", "matmul")


@dataclass(frozen=True)
class LayerRow:
    """`input_scale`: x = input_scale * q, with q of type `input_element`; weights have a scale an
    output channel, from `least_weight_scale` to `largest_weight_scale`. None where the layer
    computes in floating point. `kernel`: the backend's name for it, "" where it does not tell.
    """

    layer: str
    op: str
    precision: str
    input_element: str | None
    input_scale: float | None
    least_weight_scale: float | None
    largest_weight_scale: float | None
    kernel: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def layer_rows(engine: Engine, layers: Sequence[Any]) -> list[LayerRow]:
    """The layers with weights, in the network's order; kernels from `layers` of `Engine.layers`."""
    kernels = {node: layer.kernel for layer in layers for node in layer.nodes}
    for node in engine.graph.nodes:  # OpenVINO names a matmul after the addition of its bias.
        if node.op == "binary" and node.name in kernels:
            kernels.setdefault(node.inputs[0].name, kernels[node.name])
    return weight_rows(engine.graph, engine.precision, kernels)


def weight_rows(graph: _core.Graph, precision: str, kernels: Mapping[str, str]) -> list[LayerRow]:
    """The layers with weights of a graph that is computed in `precision`; kernels by node."""
    floating = {"int8": "fp32", "mixed": "bf16"}.get(precision, precision)
    return [_row(node, floating, kernels) for node in graph.nodes if node.op in _WEIGHT_OPS]


def _row(node: _core.Node, floating: str, kernels: Mapping[str, str]) -> LayerRow:
    kernel = kernels.get(node.name, "")
    x, weights = node.inputs
    if weights.op != "dequantize":
        return LayerRow(node.name, node.op, floating, None, None, None, None, kernel)
    scales = weights.inputs[1].value
    source = _quantized(x)
    return LayerRow(
        node.name,
        node.op,
        "int8",
        source.inputs[0].element_type if source else None,
        float(source.inputs[1].value) if source else None,
        float(scales.min()),
        float(scales.max()),
        kernel,
    )


def _quantized(node: _core.Node) -> _core.Node | None:
    """The dequantize that `node` is, or that it moves the elements of."""
    moves = ("max_pool", "pad", "reshape", "slice", "transpose", "concat", "identity")
    while node.op in moves:
        node = node.inputs[0]
    return node if node.op == "dequantize" else None
