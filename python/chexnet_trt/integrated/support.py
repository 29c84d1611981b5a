"""Which nodes an engine can compute, and why not the others.

The converter and the importer are asked themselves, a node at a time: with its parameters, and with
placeholders for the values that it reads.
"""

from __future__ import annotations

import re

from chexnet_trt._core import InputError
from chexnet_trt.export.inference_graph import PLACEHOLDERS
from chexnet_trt.integrated.dataflow import BATCH, Dataflow, TensorType, data_inputs
from chexnet_trt.integrated.subgraph import cut_out
from chexnet_trt.uff import graph_def as tf
from chexnet_trt.uff.context import strip

# Engines compute in float32. Integers they give exactly where these are positions.
_POSITIONS = ("ArgMax", "ArgMin")

# How the importer begins its report of a node.
_IMPORTER_PREFIX = re.compile(r"^1 node of the network cannot be imported: ")


def reason_against(flow: Dataflow, name: str, fixed_batch: int | None) -> str:
    """Why an engine cannot compute the node; empty when it can. Never asked of parameters."""
    node = flow.nodes[name]
    return (
        _by_position(flow, node)
        or _by_inputs(flow, node)
        or _by_outputs(flow, node)
        or _by_import(flow, node, fixed_batch)
        or _by_later_outputs(flow, node)
    )


def _by_position(flow: Dataflow, node: tf.NodeDef) -> str:
    if node.op in PLACEHOLDERS:
        return "an input of the graph"
    if node.name in flow.conditional:
        return "it is in a branch or loop of TensorFlow 1, and may not run, or many times"
    return ""


def _by_inputs(flow: Dataflow, node: tf.NodeDef) -> str:
    readers = (node.name, *sorted(flow.parameters_of([node.name])))
    for tensor in (item for reader in readers for item in data_inputs(flow.nodes[reader])):
        producer, found = strip(tensor), flow.types[tensor]
        if producer in flow.parameters:
            continue
        if not found.has_batch:
            op = flow.nodes[producer].op
            return f"it reads '{tensor}' of {op}, {found}: computed, and without the batch in front"
        if not found.is_known:
            return f"it reads '{tensor}', {found}, whose size is not known before it runs"
        if found.dtype != tf.DT_FLOAT:
            return f"it reads '{tensor}', {found}: engines compute with float32"
    return ""


def _by_outputs(flow: Dataflow, node: tf.NodeDef) -> str:
    results = flow.output_types(node.name)
    if not results:
        return "it has no output"
    found = results[0]
    if not found.has_batch:
        return f"its result, {found}, has no batch in front"
    if not found.is_known:
        return f"the size of its result, {found}, is not known before it runs"
    if found.dtype != tf.DT_FLOAT and node.op not in _POSITIONS:
        return f"its result is {found}: engines compute with float32"
    return ""


def _by_import(flow: Dataflow, node: tf.NodeDef, fixed_batch: int | None) -> str:
    try:
        network = cut_out(flow, [node.name], fixed_batch, [node.name]).import_network()
    except InputError as error:
        return _about(node.name, str(error))
    ((_, result),) = network.outputs
    wanted = flow.types[f"{node.name}:0"]
    if not _agrees(wanted, result.element_type, result.shape):
        shape = ", ".join("batch" if extent is None else str(extent) for extent in result.shape)
        return f"an engine would make {result.element_type} [{shape}] of it, TensorFlow {wanted}"
    return ""


def _about(name: str, message: str) -> str:
    """The converter's or importer's message without its advice to whoever wants one UFF file, and
    without the node's name where it is the one that was asked about."""
    problem = _IMPORTER_PREFIX.sub("", message).partition("; ")[0]
    return re.sub(rf"^node '{re.escape(name)}' \(\w+\): ", "", problem)


def _by_later_outputs(flow: Dataflow, node: tf.NodeDef) -> str:
    for index in range(1, len(flow.output_types(node.name))):
        tensor = f"{node.name}:{index}"
        if tensor in flow.readers or tensor in flow.outputs:
            return f"its output {index} is read, and an engine computes the first alone"
    return ""


def _agrees(wanted: TensorType, element: str, shape: tuple[int | None, ...]) -> bool:
    extents = tuple(BATCH if extent is None else extent for extent in shape)
    return extents == wanted.shape and element == tf.dtype_name(wanted.dtype)
