"""Freezing of a TensorFlow 2 function, under names that its author would know."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from chexnet_trt._core import InputError
from chexnet_trt.export.inference_graph import (
    check_inference,
    choose_outputs,
    producer,
    remove_training_nodes,
    rename,
    sub_graph,
)
from chexnet_trt.uff.graph_def import GraphDef, NodeDef

ConcreteFunction: TypeAlias = Any

_INLINED = re.compile(r"^((Stateful|Stateless)?PartitionedCall(_\d+)?/)+")


def freeze_function(
    folder: Path, name: str, output_nodes: Sequence[str]
) -> tuple[GraphDef, list[str]]:
    """The frozen graph of the signature `name` of a SavedModel, and the outputs' names."""
    try:
        loaded = tf.saved_model.load(str(folder))  # Owns the variables.
        function = loaded.signatures[name]
        frozen = convert_variables_to_constants_v2(function)
    except (OSError, ValueError, tf.errors.OpError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"TensorFlow cannot load the SavedModel '{folder}': {reason}") from None
    graph = frozen.graph.as_graph_def()
    nodes = {node.name: node for node in graph.node}
    signature = {
        key: _origin(nodes, tensor.op.name)
        for key, tensor in zip(sorted(function.structured_outputs), frozen.outputs, strict=True)
    }
    names = _readable_names(graph, _variable_names(function))
    rename(graph, names)
    signature = {key: names.get(node, node) for key, node in signature.items()}
    outputs = choose_outputs({node.name for node in graph.node}, output_nodes, signature)
    graph = sub_graph(graph, outputs)
    check_inference(graph)
    return remove_training_nodes(graph, outputs, keep_names=False), outputs


def _origin(nodes: Mapping[str, NodeDef], name: str) -> str:
    """The node behind the Identities that a function's end adds."""
    while nodes[name].op == "Identity":
        name = producer(nodes[name].input[0])
    return name


def _variable_names(function: ConcreteFunction) -> dict[str, str]:
    """The constants of a frozen function -> its variables' names."""
    variables = {id(variable.handle): variable.name for variable in function.graph.variables}
    return {
        inside.op.name: producer(variables[id(outside)])
        for outside, inside in function.graph.captures
        if id(outside) in variables
    }


def _readable_names(graph: GraphDef, variables: Mapping[str, str]) -> dict[str, str]:
    """Without the calls that were written out, where that leaves every name unique."""
    wanted = {
        node.name: variables.get(node.name, _INLINED.sub("", node.name)) for node in graph.node
    }
    taken = Counter(wanted.values())
    return {name: new for name, new in wanted.items() if new and taken[new] == 1 and new != name}
