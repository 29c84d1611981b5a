"""The least time that a network can take on a device: the roofline of each of its layers.

Williams et al., Roofline: an insightful visual performance model (CACM 52, 2009).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chexnet_trt import _core

_WEIGHTED = frozenset({"conv2d", "matmul"})
_POOLING = frozenset({"average_pool", "max_pool", "reduce"})
# Bytes of a number; int8 engines keep less than all in 8 bits, so theirs is a floor all the more.
_WIDTHS = {"fp32": 4, "bf16": 2, "fp16": 2, "int8": 1}
_INPUT_WIDTHS = {"uint8": 1, "int8": 1, "float16": 2}


@dataclass(frozen=True)
class Layer:
    """A convolution, dense layer or pool with all that is elementwise behind it, which is free.

    `bytes`: of its input, its weights, its result and what is added to it, once each, for the whole
    batch. `operations`: two for each multiplication and addition.
    """

    name: str
    bytes: float
    operations: float


@dataclass(frozen=True)
class Ceilings:
    """What a device was measured to do, a second. `operations`: of matrix products, by precision.

    `bytes`: read and written by a copy in its memory; what stays in its caches can be faster.
    """

    bytes: float
    operations: Mapping[str, float]

    def floor_ms(self, layer: Layer, precision: str) -> float:
        """The later of moving the bytes and computing."""
        return 1e3 * max(layer.bytes / self.bytes, layer.operations / self.operations[precision])


def layers_of(
    graph: _core.Graph, batch: int, precision: str, steps: Sequence[Collection[str]] = ()
) -> list[Layer]:
    """The layers of an optimised network, in order, every number in the width of `precision`; the
    network's input has its own. `steps`: the nodes that an engine computes together: a sum belongs
    to the layer that it is computed with, and to the later of the two where that is not told.
    """
    width = _WIDTHS[precision]
    sums = _sums(graph, steps)
    return [
        Layer(
            node.name,
            _input_bytes(node.inputs[0], batch, width)
            + width * (_weights(node) + batch * _numbers(node) * (1 + sums.get(node.name, 0))),
            _operations(node, batch),
        )
        for node in _anchors(graph)
    ]


def _anchors(graph: _core.Graph) -> Iterator[_core.Node]:
    return (node for node in graph.nodes if node.op in _WEIGHTED | _POOLING)


def _sums(graph: _core.Graph, steps: Sequence[Collection[str]]) -> dict[str, int]:
    """How many additions of two values each layer ends in."""
    step_of = {node: index for index, step in enumerate(steps) for node in step}
    order = {node.name: index for index, node in enumerate(_anchors(graph))}
    names = list(order)
    latest: dict[str, int] = {}
    sums: dict[str, int] = {}
    for node in graph.nodes:
        sources = [latest[source.name] for source in node.inputs if source.name in latest]
        if node.name in order:
            latest[node.name] = order[node.name]
        elif sources:
            latest[node.name] = max(sources)
        if node.op == "binary" and len(sources) > 1:
            own = step_of.get(node.name)
            layer = names[max([at for at in sources if step_of.get(names[at]) == own] or sources)]
            sums[layer] = sums.get(layer, 0) + 1
    return sums


def _input_bytes(node: _core.Node, batch: int, width: int) -> int:
    source = node
    while source.op in ("cast", "identity", "reshape", "transpose"):
        source = source.inputs[0]
    if source.op == "input":
        return batch * _numbers(source) * _INPUT_WIDTHS.get(source.element_type, 4)
    return batch * _numbers(node) * width


def _operations(node: _core.Node, batch: int) -> float:
    if node.op not in _WEIGHTED:
        return 0.0
    outputs = node.inputs[1].shape[0 if node.attributes.get("transpose_b") else -1]
    return 2.0 * batch * _numbers(node) * (_weights(node) / int(outputs))


def _weights(node: _core.Node) -> int:
    return _numbers(node.inputs[1]) if node.op in _WEIGHTED else 0


def _numbers(node: _core.Node) -> int:
    """Of one image, or of a constant."""
    return math.prod(extent for extent in node.shape if extent is not None)
