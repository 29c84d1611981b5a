"""Freezing of a TensorFlow 1 graph, whose variables come from a checkpoint by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from chexnet_trt._core import InputError
from chexnet_trt.export.checkpoints import Checkpoint, read_weights
from chexnet_trt.export.inference_graph import (
    check_inference,
    choose_outputs,
    producer,
    remove_training_nodes,
    sub_graph,
)
from chexnet_trt.export.matching import match
from chexnet_trt.models.variables import Shape
from chexnet_trt.uff.graph_def import AttrValue, GraphDef, NodeDef

v1 = tf.compat.v1

_VARIABLES = ("VarHandleOp", "VariableV2", "Variable")


def freeze_session_graph(
    whole: GraphDef,
    signature: Mapping[str, str],
    output_nodes: Sequence[str],
    checkpoint: Path,
    scope: str | None = None,
) -> tuple[GraphDef, list[str]]:
    """The frozen graph of the outputs (see `choose_outputs`), and the outputs' names.

    Raises InputError for a graph that trains and for variables that the checkpoint lacks.
    """
    names = {node.name for node in whole.node}
    outputs = choose_outputs(names, output_nodes, signature)
    graph = sub_graph(whole, outputs)
    check_inference(graph)
    for node in graph.node:
        node.device = ""
        node.attr.pop("_class", None)  # Which variable's device it was to share.
    if any(node.op in _VARIABLES for node in graph.node):
        _fill_in(graph, read_weights(checkpoint), scope)
    return remove_training_nodes(graph, outputs, keep_names=True), outputs


def _fill_in(graph: GraphDef, checkpoint: Checkpoint, scope: str | None) -> None:
    """Replaces the variables by constants: the checkpoint's values of the same names."""
    nodes = {_key(node): node for node in graph.node if node.op in _VARIABLES}
    expected = {key: _shape(node) for key, node in nodes.items()}
    source = f"the checkpoint '{checkpoint.prefix}'"
    found = match(checkpoint.shapes, expected, source=source, scope=scope).names
    handles = {node.name for node in nodes.values() if node.op == "VarHandleOp"}
    for node in graph.node:
        if handles.isdisjoint(producer(tensor) for tensor in node.input):
            continue
        if node.op != "ReadVariableOp":
            raise InputError(
                f"node '{node.name}' ({node.op}) uses a variable in a way that cannot be frozen"
            )
        _become(node, "Identity", T=node.attr["dtype"])
    for key, node in nodes.items():
        dtype = node.attr["dtype"]
        value = tf.make_tensor_proto(checkpoint.read(found[key]), dtype.type)
        _become(node, "Const", dtype=dtype, value=v1.AttrValue(tensor=value))


def _become(node: NodeDef, op: str, **attributes: AttrValue) -> None:
    kept = type(node)(name=node.name, op=op, input=node.input)
    for name, value in attributes.items():
        kept.attr[name].CopyFrom(value)
    node.CopyFrom(kept)


def _key(node: NodeDef) -> str:
    """The name under which TensorFlow 1's Saver stores the variable."""
    name: str = node.attr["shared_name"].s.decode() or node.name
    return name


def _shape(node: NodeDef) -> Shape:
    return tuple(dim.size for dim in node.attr["shape"].shape.dim)
