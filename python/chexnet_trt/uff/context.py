"""What the handlers share: the TensorFlow graph, and the UFF graph that grows from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chexnet_trt._core import InputError
from chexnet_trt._core.uff import DimensionOrders, MetaGraph, Reference
from chexnet_trt.uff import graph_def as tf
from chexnet_trt.uff.constants import UFF_TYPES, Array, strings_of, uff_value_of, value_of

_INCREMENT = 0x7FFFFFFF
_DATA_AXES = {"N": [0], "C": [1], "+": [2, _INCREMENT]}
_WEIGHT_AXES = {"K": [0], "C": [1], "+": [2, _INCREMENT]}

# Ops that hand their first input on unchanged during inference.
PASS_THROUGH = frozenset(
    {"StopGradient", "CheckNumerics", "CheckNumericsV2", "PreventGradient", "Snapshot"}
)


def strip(name: str) -> str:
    """The node's name without '^' and ':k'."""
    return name.removeprefix("^").partition(":")[0]


def is_control(name: str) -> bool:
    return name.startswith("^")


def encode_layout(layout: str) -> DimensionOrders:
    """A layout such as 'N+C' or '+CK' as a list of canonical axes under the key -1."""
    axes = _WEIGHT_AXES if "K" in layout else _DATA_AXES
    return DimensionOrders({-1: [axis for letter in layout for axis in axes[letter]]})


@dataclass
class UffNode:
    id: str
    operation: str
    inputs: list[str]
    fields: dict[str, Any]


@dataclass
class Context:
    """Insertion order of `nodes`, their fields and `data` is the order in the file."""

    graph: dict[str, tf.NodeDef]
    warn: Callable[[str], None]
    debug: Callable[[str], None]
    # Node -> the node that took its place (collapsed chains).
    aliases: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, UffNode] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    custom: list[tf.NodeDef] = field(default_factory=list)
    not_inference: list[tf.NodeDef] = field(default_factory=list)
    # (reader, output, producer) of every use of an output other than the first.
    later_outputs: list[tuple[str, str, tf.NodeDef]] = field(default_factory=list)
    _readers: dict[str, set[str]] | None = None

    def node(self, name: str, consumer: str = "") -> tf.NodeDef:
        if name not in self.graph:
            raise InputError(
                f"node '{consumer}' reads '{name}', which is not in the graph: the graph is damaged"
            )
        return self.graph[name]

    def inputs(self, node: tf.NodeDef) -> list[str]:
        """Names of the producers. One level of Identity is skipped, as the original did, and every
        node that only hands its input on. Control inputs mean nothing to inference."""
        names = []
        for name in node.input:
            if is_control(name):
                continue
            producer = self.node(strip(name), node.name)
            if producer.op == "Identity" and producer.input and not is_control(producer.input[0]):
                name = producer.input[0]
                producer = self.node(strip(name), node.name)
            while producer.op in PASS_THROUGH and producer.input:
                name = producer.input[0]
                producer = self.node(strip(name), producer.name)
            index = name.partition(":")[2]
            if index not in ("", "0"):
                self.later_outputs.append((node.name, index, producer))
            names.append(self.aliases.get(producer.name, producer.name))
        return names

    def readers(self, name: str) -> set[str]:
        """The nodes that read `name`, directly or through nodes that hand it on."""
        if self._readers is None:
            self._readers = {}
            for node in self.graph.values():
                if node.op == "Identity" or node.op in PASS_THROUGH:
                    continue
                for source in node.input:
                    if not is_control(source) and strip(source) in self.graph:
                        self._readers.setdefault(self.source(strip(source)).name, set()).add(
                            node.name
                        )
        return self._readers.get(name, set())

    def source(self, name: str) -> tf.NodeDef:
        """The node behind any chain of nodes that hand their input on."""
        node = self.node(name)
        seen = set()
        while (node.op == "Identity" or node.op in PASS_THROUGH) and node.name not in seen:
            seen.add(node.name)
            if not node.input or is_control(node.input[0]):
                break
            node = self.node(strip(node.input[0]), node.name)
        return node

    def constant(self, name: str) -> Array | None:
        """The value of a Const, or None when the node is something else."""
        node = self.source(name)
        return value_of(node) if node.op == "Const" else None

    def parameter(self, node: tf.NodeDef, inputs: list[str], index: int, what: str) -> Array:
        """An input that becomes a field. Raises InputError when it is not a constant."""
        if len(inputs) <= index:
            raise InputError(f"{node.op} node '{node.name}' has no {what}: the graph is damaged")
        value = self.constant(inputs[index])
        if value is None:
            raise InputError(
                f"the {what} of {node.op} node '{node.name}' is computed by '{inputs[index]}', and "
                "UFF needs a constant: fix it before freezing"
            )
        return value

    def emit(
        self,
        name: str,
        operation: str,
        inputs: Iterable[str] = (),
        /,
        **fields: Any,  # noqa: ANN401
    ) -> None:
        """Adds a node; fields without a value are left out."""
        kept = {key: value for key, value in fields.items() if value is not None}
        self.nodes[name] = UffNode(name, operation, list(inputs), kept)

    def emit_const(self, name: str, value: Array) -> None:
        reference = self._store("weights_" + name, np.ascontiguousarray(value))
        self.emit(name, "Const", shape=list(value.shape), dtype=UFF_TYPES[value.dtype],
                  values=reference)  # fmt: skip

    def emit_const_node(self, node: tf.NodeDef) -> None:
        tensor = node.attr["value"].tensor
        if tensor.dtype != tf.DT_STRING:
            self.emit_const(node.name, uff_value_of(node))
            return
        texts = strings_of(node)
        value = texts[0] if len(texts) == 1 else texts
        shape = [dim.size for dim in tensor.tensor_shape.dim]
        self.emit(node.name, "Const", shape=shape,
                  values=self._store("weights_" + node.name, value))  # fmt: skip

    def orders(self, *layouts: str) -> Reference:
        key = "orders_" + "_".join(layouts)
        self.data.setdefault(key, [encode_layout(layout) for layout in layouts])
        return Reference(key)

    def unique(self, name: str) -> str:
        """`name`, or `name_0`, `name_1`, ...: the first that no node of either graph has."""
        candidate, index = name, 0
        while candidate in self.graph or candidate in self.nodes:
            candidate, index = f"{name}_{index}", index + 1
        return candidate

    def _store(self, key: str, value: Any) -> Reference:  # noqa: ANN401
        candidate, index = key, 0
        while candidate in self.data:
            candidate, index = f"{key}_{index}", index + 1
        self.data[candidate] = value
        return Reference(candidate)


def build_meta_graph(context: Context) -> MetaGraph:
    meta = MetaGraph()
    meta.add_descriptor("tensorflow_extension")
    if context.custom:
        meta.add_descriptor("custom")
    for node in context.nodes.values():
        meta.add_node(node.id, node.operation, node.inputs, node.fields)
    for key, value in context.data.items():
        meta.add_data(key, value)
    return meta
