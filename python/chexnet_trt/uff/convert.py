"""Frozen TensorFlow graph -> UFF."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chexnet_trt._core import InputError
from chexnet_trt._core.uff import MetaGraph
from chexnet_trt.marks import mark_uff, marks_of_graph_def
from chexnet_trt.uff import graph_def as tf
from chexnet_trt.uff.context import Context, build_meta_graph, is_control, strip
from chexnet_trt.uff.custom import convert_custom
from chexnet_trt.uff.dilated import collapse_dilated
from chexnet_trt.uff.handlers import HANDLERS
from chexnet_trt.uff.inputs import InputReplacement, parse_replacements
from chexnet_trt.uff.refusals import check, is_refused, listing

_INPUT_OPS = frozenset({"Placeholder", "PlaceholderV2", "FIFOQueue", "FIFOQueueV2"})
# Nodes that end a graph without being a result.
_NO_RESULT = frozenset({"Assert", "NoOp", "Const", "PrintV2"})


@dataclass
class Conversion:
    meta: MetaGraph
    node_count: int
    outputs: list[str]


def convert_graph(
    graph_def: tf.GraphDef,
    output_nodes: Sequence[str | int],
    input_nodes: Sequence[str],
    warn: Callable[[str], None],
    debug: Callable[[str], None],
) -> Conversion:
    """Converts what the outputs need. Raises InputError naming the nodes that stand in the way;
    an op without a UFF op only warns and becomes a custom op."""
    graph = index_nodes(graph_def)
    outputs = resolve_outputs(graph_def, output_nodes)
    replacements = parse_replacements(input_nodes, graph)
    for item in replacements.values():
        graph[item.name] = item.placeholder(graph[item.name])
    context = Context(graph, warn, debug)
    collapse_dilated(context)
    functions = frozenset(item.signature.name for item in graph_def.library.function)
    outputs = [context.aliases.get(name, name) for name in outputs]
    _traverse(context, outputs, functions)
    _rename(context, replacements)
    for index, name in enumerate(outputs):
        renamed = replacements[name].new_name if name in replacements else name
        context.emit(f"MarkOutput_{index}", "MarkOutput", [renamed])
    if context.custom:
        nodes = listing(f"'{node.name}' (_{node.op})" for node in context.custom)
        warn(
            f"Warning: {len(context.custom)} nodes have no UFF op and stay custom; an engine can "
            f"only be built where its builder knows them: {nodes}"
        )
    meta = build_meta_graph(context)
    mark_uff(meta, marks_of_graph_def(graph_def))
    return Conversion(meta, len(context.nodes), outputs)


def index_nodes(graph_def: tf.GraphDef) -> dict[str, tf.NodeDef]:
    graph: dict[str, tf.NodeDef] = {}
    for node in graph_def.node:
        if node.name in graph:
            raise InputError(f"two nodes are called '{node.name}': the graph is damaged")
        graph[node.name] = node
    return graph


def deduced_inputs(graph_def: tf.GraphDef) -> list[tf.NodeDef]:
    return [node for node in graph_def.node if node.op in _INPUT_OPS]


def resolve_outputs(graph_def: tf.GraphDef, wanted: Sequence[str | int]) -> list[str]:
    """Names of the outputs. An entry is a name, or a 1-based index, counted from the end when
    negative; none at all means the nodes that nothing reads."""
    names = [node.name for node in graph_def.node]
    known = set(names)
    if wanted:
        outputs = [_output(names, known, item) for item in wanted]
    else:
        outputs = _deduced_outputs(graph_def)
    if len(set(outputs)) != len(outputs):
        raise InputError(f"an output is named twice: {listing(outputs)}")
    return outputs


def _output(names: list[str], known: set[str], item: str | int) -> str:
    text = str(item)
    name = text.removesuffix(":0")
    if name in known:
        return name
    try:
        index = int(text)
    except ValueError:
        near = difflib.get_close_matches(name, names, 1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise InputError(
            f"the output '{text}' is not in the graph: list the nodes with -l{hint}"
        ) from None
    if index == 0 or abs(index) > len(names):
        raise InputError(
            f"the output index {index} is not between 1 and {len(names)}, or -1 and -{len(names)}: "
            "list the nodes with -l"
        )
    return names[index - 1 if index > 0 else index]


def _deduced_outputs(graph_def: tf.GraphDef) -> list[str]:
    read = {strip(name) for node in graph_def.node if node.op not in _NO_RESULT
            for name in node.input if not is_control(name)}  # fmt: skip
    outputs = [
        node.name
        for node in graph_def.node
        if node.name not in read
        and node.op not in _NO_RESULT
        and any(not is_control(name) for name in node.input)
    ]
    if not outputs:
        raise InputError("no output can be deduced: name one with -O")
    return outputs


def _traverse(
    context: Context,
    outputs: list[str],
    functions: frozenset[str],
) -> None:
    """Depth first, last input first: this order is the order of the nodes in the file."""
    stack = list(outputs)
    reached: set[str] = set()
    errors: list[InputError] = []
    while stack:
        name = stack.pop()
        if name in reached or name in context.nodes:
            continue
        reached.add(name)
        try:
            stack.extend(_step(context, context.node(name), functions))
        except InputError as error:
            errors.append(error)
            stack.extend(_known_inputs(context, name))
    check(context, errors, sorted(reached))


def _step(context: Context, node: tf.NodeDef, functions: frozenset[str]) -> list[str]:
    inputs = [] if node.op == "PlaceholderWithDefault" else context.inputs(node)
    if is_refused(node, functions):
        context.not_inference.append(node)
        return inputs
    return HANDLERS.get(node.op, convert_custom)(node, inputs, context)


def _known_inputs(context: Context, name: str) -> list[str]:
    """After an error the search goes on, so that one report names everything."""
    node = context.graph.get(name)
    names = [strip(item) for item in node.input if not is_control(item)] if node else []
    return [item for item in names if item in context.graph]


def _rename(context: Context, replacements: dict[str, InputReplacement]) -> None:
    new_names = {item.name: item.new_name for item in replacements.values()}
    for name, new_name in new_names.items():
        if name not in context.nodes:
            context.warn(f"Warning: the network does not read '{name}', which -I replaces.")
        elif new_name != name:
            context.nodes[name].id = new_name
    for node in context.nodes.values():
        node.inputs = [new_names.get(item, item) for item in node.inputs]
