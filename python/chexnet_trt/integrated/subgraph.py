"""Part of a graph as a network of its own: placeholders where values come in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from chexnet_trt import _core
from chexnet_trt.integrated.dataflow import BATCH, Dataflow, TensorType, data_inputs, tensor_name
from chexnet_trt.uff import graph_def as tf
from chexnet_trt.uff.context import is_control, strip
from chexnet_trt.uff.convert import convert_graph


@dataclass(frozen=True)
class Subgraph:
    """inputs: placeholder -> the tensor of the whole graph. outputs: nodes; their output 0 is
    meant. Without any, the nodes that nothing reads.
    """

    graph: tf.GraphDef
    inputs: Mapping[str, str]
    outputs: tuple[str, ...] = ()

    def import_network(self) -> _core.Graph:
        """By the converter and the importer. Raises InputError with what they do not take."""
        conversion = convert_graph(self.graph, self.outputs, (), _silent, _silent)
        return _core.uff.UffParser().parse_buffer(_core.uff.encode(conversion.meta))


def cut_out(
    flow: Dataflow,
    members: Collection[str],
    fixed_batch: int | None,
    outputs: Sequence[str] = (),
) -> Subgraph:
    """The members and copies of their parameters, without control edges.

    fixed_batch: the only batch size that the graph is written for; None for any.
    """
    included = set(members) | flow.parameters_of(members)
    graph = type(flow.graph)()
    graph.versions.CopyFrom(flow.graph.versions)
    placeholders: dict[str, str] = {}
    for name in flow.order:
        if name not in included:
            continue
        for tensor in data_inputs(flow.nodes[name]):
            if strip(tensor) not in included and tensor not in placeholders:
                placeholders[tensor] = _placeholder_name(flow, tensor)
                _add_placeholder(graph, placeholders[tensor], flow.types[tensor], fixed_batch)
    for name in flow.order:
        if name in included:
            node = graph.node.add()
            node.CopyFrom(flow.nodes[name])
            kept = [item for item in node.input if not is_control(item)]
            del node.input[:]
            node.input.extend(placeholders.get(tensor_name(item), item) for item in kept)
    inputs = {placeholder: tensor for tensor, placeholder in placeholders.items()}
    return Subgraph(graph, inputs, tuple(outputs))


def _placeholder_name(flow: Dataflow, tensor: str) -> str:
    """The producer's name; of a later output one that no node has."""
    producer, _, index = tensor.partition(":")
    name = producer if index == "0" else f"{producer}_{index}"
    while name != producer and name in flow.nodes:
        name += "_"
    return name


def _add_placeholder(
    graph: tf.GraphDef, name: str, found: TensorType, fixed_batch: int | None
) -> None:
    node = graph.node.add(name=name, op="Placeholder")
    node.attr["dtype"].type = found.dtype
    shape = node.attr["shape"].shape
    shape.SetInParent()
    for extent in found.shape or ():
        size = (fixed_batch or BATCH) if extent == BATCH else extent
        shape.dim.add(size=-1 if size is None else size)


def _silent(_line: str) -> None:
    pass
