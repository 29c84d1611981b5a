"""Who reads what in a frozen graph, with parameters apart from what is computed image by image.

A tensor with the batch in front is a value. What has none and depends on constants and shapes alone
is a parameter: weights, axes, the target of a reshape. Parameters never cross the border of an
engine; each engine has its own copy of those that it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from chexnet_trt._core import InputError
from chexnet_trt.export.inference_graph import PLACEHOLDERS
from chexnet_trt.uff import graph_def as tf
from chexnet_trt.uff.context import is_control, strip
from chexnet_trt.uff.handlers import HANDLERS

Extent = int | None
BATCH = -1

# Ops that give a parameter whatever they read, and those that give one when they read nothing else.
# A NoOp gives nothing; who waits for it waits for what it waits for, as with parameters.
OF_VALUES = frozenset({"Const", "Shape", "NoOp"})
OF_PARAMETERS = frozenset(HANDLERS.keys() | {"Cast"}) - {*PLACEHOLDERS}


@dataclass(frozen=True)
class TensorType:
    """dtype: TensorFlow's number. shape: None when its rank is unknown; BATCH stands first where
    the batch goes, None for an extent that is unknown.
    """

    dtype: int
    shape: tuple[Extent, ...] | None

    @property
    def has_batch(self) -> bool:
        return bool(self.shape and self.shape[0] == BATCH)

    @property
    def is_known(self) -> bool:
        return self.shape is not None and None not in self.shape

    def __str__(self) -> str:
        names = {BATCH: "batch", None: "?"}
        extents = [names.get(e, str(e)) for e in self.shape] if self.shape is not None else ["..."]
        return f"{tf.dtype_name(self.dtype)} [{', '.join(extents)}]"


def tensor_name(text: str) -> str:
    """`node:0` of the input `node`."""
    return text if ":" in text else f"{text}:0"


def data_inputs(node: tf.NodeDef) -> list[str]:
    return [tensor_name(item) for item in node.input if not is_control(item)]


def control_inputs(node: tf.NodeDef) -> list[str]:
    return [strip(item) for item in node.input if is_control(item)]


@dataclass
class Dataflow:
    """order: the nodes, producers first. outputs: the tensors that somebody fetches.

    conditional: nodes in TensorFlow 1's control flow, which may not run at all, or many times.
    dependencies: node -> the nodes other than parameters that it waits for, by data, by control,
    or because a parameter of it does. readers: tensor -> nodes.
    """

    graph: tf.GraphDef
    nodes: Mapping[str, tf.NodeDef]
    types: Mapping[str, TensorType]
    outputs: tuple[str, ...]
    order: tuple[str, ...] = ()
    parameters: frozenset[str] = frozenset()
    conditional: frozenset[str] = frozenset()
    dependencies: Mapping[str, frozenset[str]] = field(default_factory=dict)
    readers: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def output_types(self, name: str) -> list[TensorType]:
        found: list[TensorType] = []
        while (tensor := f"{name}:{len(found)}") in self.types:
            found.append(self.types[tensor])
        return found

    def waits_for(self, controls: Iterable[str]) -> list[str]:
        """The nodes that control edges from `controls` wait for, none of them a parameter."""
        found: dict[str, None] = {}
        for name in controls:
            waits = self.dependencies[name] if name in self.parameters else {name}
            found.update(dict.fromkeys(sorted(waits)))
        return list(found)

    def parameters_of(self, names: Iterable[str]) -> set[str]:
        """The parameters that the nodes need, directly or through others."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            for tensor in data_inputs(self.nodes[waiting.pop()]):
                producer = strip(tensor)
                if producer in self.parameters and producer not in found:
                    found.add(producer)
                    waiting.append(producer)
        return found


def analyse(
    graph: tf.GraphDef, types: Mapping[str, TensorType], outputs: Iterable[str]
) -> Dataflow:
    """graph: what `sub_graph` leaves. Raises InputError for a graph that is damaged."""
    nodes = {node.name: node for node in graph.node}
    flow = Dataflow(graph, nodes, types, tuple(map(tensor_name, outputs)))
    flow.order = in_order(nodes)
    flow.parameters = frozenset(_parameters(flow))
    flow.conditional = frozenset(_conditional(flow))
    flow.dependencies = _dependencies(flow)
    flow.readers = _readers(flow)
    return flow


def in_order(nodes: Mapping[str, tf.NodeDef]) -> tuple[str, ...]:
    """Producers first. Raises InputError for a cycle that is no loop of TensorFlow 1."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for node in nodes.values():
        before = (strip(item) for item in node.input)
        sorter.add(node.name, *(name for name in before if not _closes_loop(nodes[name])))
    try:
        return tuple(sorter.static_order())
    except CycleError as error:
        raise InputError(
            f"the graph has a cycle through '{error.args[1][0]}': it is damaged"
        ) from None


def _closes_loop(node: tf.NodeDef) -> bool:
    return node.op in ("NextIteration", "RefNextIteration")


def _parameters(flow: Dataflow) -> Iterator[str]:
    """Of ops without side effects alone: those that the converter knows."""
    found: set[str] = set()
    for name in flow.order:
        node = flow.nodes[name]
        sources = {strip(tensor) for tensor in data_inputs(node)}
        if not (node.op in OF_VALUES or (node.op in OF_PARAMETERS and sources <= found)):
            continue
        if not any(result.has_batch for result in flow.output_types(name)):
            found.add(name)
            yield name


def _conditional(flow: Dataflow) -> Iterator[str]:
    """Inside a loop (Enter ... Exit) or a branch (Switch ... Merge). A loop's own Merge ends no
    branch; its Switch begins one that its Exit ends."""
    open_around: dict[str, tuple[int, int]] = {}
    for name in flow.order:
        node = flow.nodes[name]
        before = [flow.nodes[strip(item)] for item in node.input]
        inside = [open_around[each.name] for each in before if each.name in open_around]
        loops = max((loops for loops, _ in inside), default=0)
        branches = max((branches for _, branches in inside), default=0)
        op = node.op.removeprefix("Ref")
        loops += (op == "Enter") - (op == "Exit")
        branches += (op == "Switch") - (op == "Exit")
        branches -= op == "Merge" and not any(map(_closes_loop, before))
        open_around[name] = loops, branches
        if loops or branches:
            yield name


def _dependencies(flow: Dataflow) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for name in flow.order:
        waits: set[str] = set()
        for producer in map(strip, flow.nodes[name].input):
            waits |= found[producer] if producer in flow.parameters else {producer}
        found[name] = frozenset(waits)
    return found


def _readers(flow: Dataflow) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in flow.nodes.values():
        for tensor in data_inputs(node):
            found.setdefault(tensor, []).append(node.name)
    return found
