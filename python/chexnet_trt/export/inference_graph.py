"""Which part of a GraphDef computes the scores, and whether it is fit for inference."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from chexnet_trt import tensorflow_ops
from chexnet_trt._core import InputError
from chexnet_trt.models.networks import CATEGORIES, SCORES
from chexnet_trt.uff.graph_def import (
    DT_BFLOAT16,
    DT_BOOL,
    DT_DOUBLE,
    DT_FLOAT,
    DT_HALF,
    GraphDef,
    NodeDef,
)

DEFAULT_OUTPUTS = (SCORES, CATEGORIES)
_SHOWN = 3
PLACEHOLDERS = ("Placeholder", "PlaceholderV2", "PlaceholderWithDefault")
_FLOATING = (DT_FLOAT, DT_DOUBLE, DT_HALF, DT_BFLOAT16)


class NotForInferenceError(InputError):
    """The graph still reads its data, trains, or draws at random."""


def producer(tensor: str) -> str:
    """The node of `node`, `node:1` or `^node`."""
    return tensor.removeprefix("^").partition(":")[0]


def choose_outputs(
    nodes: Collection[str], asked: Sequence[str], signature: Mapping[str, str]
) -> list[str]:
    """The nodes to compute: those asked for by node or by the signature's name, else all of the
    signature's, else the whitepaper's two. Raises InputError that names the nearest.
    """
    if not asked and signature:
        return list(dict.fromkeys(signature.values()))
    if not asked and not set(DEFAULT_OUTPUTS) <= set(nodes):
        raise InputError(
            f"the graph has no signature and no nodes {' and '.join(DEFAULT_OUTPUTS)}: name its "
            "outputs with --output_node NAME,NAME"
        )
    found = []
    for name in asked or DEFAULT_OUTPUTS:
        node = name if producer(name) in nodes else signature.get(name, name)
        if producer(node) not in nodes:
            raise InputError(_unknown_output(name, [*nodes, *signature]))
        found.append(producer(node))
    return list(dict.fromkeys(found))


def _unknown_output(name: str, known: Iterable[str]) -> str:
    last = {candidate.rpartition("/")[2]: candidate for candidate in known}
    close = difflib.get_close_matches(name, [*known, *last], n=_SHOWN, cutoff=0.5)
    nearest = dict.fromkeys(last.get(match, match) for match in close)
    return f"the graph has no node '{name}' for --output_node" + (
        f"; the nearest: {', '.join(nearest)}" if nearest else ""
    )


def sub_graph(graph: GraphDef, outputs: Iterable[str]) -> GraphDef:
    """The nodes that the outputs need, in their order; what only trains, saves or logs is gone."""
    by_name = {node.name: node for node in graph.node}
    needed: set[str] = set()
    waiting = [producer(output) for output in outputs]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            if name not in by_name:
                raise InputError(f"the graph is damaged: a node reads '{name}', which it lacks")
            needed.add(name)
            waiting.extend(producer(tensor) for tensor in by_name[name].input)
    part = type(graph)()
    part.node.extend(node for node in graph.node if node.name in needed)
    part.versions.CopyFrom(graph.versions)
    part.library.CopyFrom(graph.library)
    return part


def check_inference(graph: GraphDef) -> None:
    """Raises NotForInferenceError. graph: what `sub_graph` leaves."""
    _refuse(
        [node for node in graph.node if node.op in tensorflow_ops.DATA_PIPELINES],
        "an input pipeline is left inside",
        "export with a placeholder for the images (a serving input receiver), not with the "
        "training's input function",
    )
    _refuse(
        [n for n in graph.node if n.op in tensorflow_ops.BATCH_NORMS and _is_training(n)],
        "this is a training graph: batch norms use their batch's statistics",
        "export with training=False (ModeKeys.PREDICT)",
    )
    _refuse(
        [n for n in graph.node if n.op in PLACEHOLDERS and n.attr["dtype"].type == DT_BOOL],
        "this graph switches between training and inference by a placeholder",
        "export with the constant is_training=False (learning phase 0)",
    )
    _refuse(
        [node for node in graph.node if node.op in tensorflow_ops.RANDOM],
        "this is a training graph: dropout or noise is active",
        "export with training=False (ModeKeys.PREDICT)",
    )


def _is_training(node: NodeDef) -> bool:
    # A node without the attribute has the op's default, which is true.
    return "is_training" not in node.attr or bool(node.attr["is_training"].b)


def _refuse(nodes: Sequence[NodeDef], problem: str, remedy: str) -> None:
    if nodes:
        shown = ", ".join(f"'{node.name}' ({node.op})" for node in nodes[:_SHOWN])
        more = f" and {len(nodes) - _SHOWN} more" if len(nodes) > _SHOWN else ""
        raise NotForInferenceError(f"{problem}: {shown}{more}: {remedy}")


def remove_training_nodes(graph: GraphDef, outputs: Sequence[str], *, keep_names: bool) -> GraphDef:
    """Reads past the Identity and CheckNumerics nodes that inference does not need.

    keep_names: of the Identities only those go that read a constant, which was a variable; for
    the others are how TensorFlow 1 gives a tensor a name. Outputs stay.
    """
    constants = {node.name for node in graph.node if node.op == "Const"}

    def passes_on(node: NodeDef) -> bool:
        if node.op != "Identity" or len(node.input) > 1:
            return bool(node.op == "CheckNumerics")
        return not keep_names or producer(node.input[0]) in constants

    passed = {
        node.name: node.input[0]
        for node in graph.node
        if node.name not in outputs and passes_on(node)
    }
    for node in graph.node:
        for index, tensor in enumerate(node.input):
            control = "^" if tensor.startswith("^") else ""
            while producer(tensor) in passed:
                source = passed[producer(tensor)]
                tensor = f"^{producer(source)}" if control else source
            node.input[index] = tensor
    return sub_graph(graph, outputs)


def rename(graph: GraphDef, names: Mapping[str, str]) -> None:
    """Gives nodes other names, wherever they are read."""
    for node in graph.node:
        node.name = names.get(node.name, node.name)
        for index, tensor in enumerate(node.input):
            name = producer(tensor)
            if name in names:
                node.input[index] = tensor.replace(name, names[name], 1)


def inputs_of(graph: GraphDef) -> dict[str, list[int]]:
    """Placeholder -> shape, -1 where it is free; empty when unknown."""
    return {
        node.name: [dim.size for dim in node.attr["shape"].shape.dim]
        for node in graph.node
        if node.op in PLACEHOLDERS
    }


def parameter_count(graph: GraphDef) -> int:
    """Elements of the constants of a floating type, single numbers left out."""
    shapes = [
        [dim.size for dim in node.attr["value"].tensor.tensor_shape.dim]
        for node in graph.node
        if node.op == "Const" and node.attr["dtype"].type in _FLOATING
    ]
    return sum(math.prod(shape) for shape in shapes if shape)
