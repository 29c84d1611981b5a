"""Freezing of a TensorFlow 2 function, under names that its author would know."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class FrozenFunction:
    """A signature whose variables are constants. inputs, outputs: its keys -> tensors."""

    graph: GraphDef
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


def load_function(folder: Path, name: str, tags: Sequence[str] | None = None) -> FrozenFunction:
    """The signature `name` of a SavedModel. Raises InputError when TensorFlow cannot load it."""
    try:
        loaded = tf.saved_model.load(str(folder), tags)  # Owns the variables.
        function = loaded.signatures[name]
        frozen = convert_variables_to_constants_v2(function)
    except (OSError, ValueError, tf.errors.OpError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"TensorFlow cannot load the SavedModel '{folder}': {reason}") from None
    graph = frozen.graph.as_graph_def()
    names = _readable_names(graph, _variable_names(function))
    rename(graph, names)

    def renamed(tensor: str) -> str:
        node, _, index = tensor.partition(":")
        return f"{names.get(node, node)}:{index or 0}"

    return FrozenFunction(
        graph,
        {key: renamed(spec.name) for key, spec in function.structured_input_signature[1].items()},
        {
            key: renamed(tensor.name)
            for key, tensor in zip(sorted(function.structured_outputs), frozen.outputs, strict=True)
        },
    )


def freeze_function(
    folder: Path, name: str, output_nodes: Sequence[str]
) -> tuple[GraphDef, list[str]]:
    """The frozen graph of the signature `name` of a SavedModel, and the outputs' names."""
    function = load_function(folder, name)
    nodes = {node.name: node for node in function.graph.node}
    signature = {key: _origin(nodes, producer(each)) for key, each in function.outputs.items()}
    outputs = choose_outputs(nodes, output_nodes, signature)
    graph = sub_graph(function.graph, outputs)
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
