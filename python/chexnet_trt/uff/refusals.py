"""Graphs that cannot become a UFF file: one error that lists every node at fault."""

from __future__ import annotations

from collections.abc import Iterable

from chexnet_trt import tensorflow_ops
from chexnet_trt._core import InputError
from chexnet_trt.uff import graph_def as tf
from chexnet_trt.uff.context import Context
from chexnet_trt.uff.handlers import HANDLERS

_SHOWN = 8

_INFERENCE = "export for inference (training=False, learning phase 0)"

# What is at fault -> its ops, what to do.
_GROUPS: dict[str, tuple[frozenset[str], str]] = {
    "variables": (
        tensorflow_ops.VARIABLES,
        "freeze the graph, which turns variables into constants",
    ),
    "control flow of training": (tensorflow_ops.CONTROL_FLOW, _INFERENCE),
    "batch normalisation in training mode": (tensorflow_ops.BATCH_NORMS, _INFERENCE),
    "function calls": (
        tensorflow_ops.FUNCTION_CALLS,
        "freeze with convert_variables_to_constants_v2, which writes functions out",
    ),
    "data pipelines": (
        tensorflow_ops.DATA_PIPELINES,
        "feed a placeholder in its place (-I NAME,,float32,DIM,...)",
    ),
}
_GROUP_OF = {op: group for group, (ops, _) in _GROUPS.items() for op in ops}
_FUNCTIONS = "function calls"


def is_refused(node: tf.NodeDef, functions: frozenset[str]) -> bool:
    """Whether the op belongs to training or to an unfrozen graph. `functions`: the library."""
    if node.op in functions:
        return True
    return node.op in _GROUP_OF and node.op not in HANDLERS


def check(context: Context, errors: list[InputError], names: list[str]) -> None:
    """Raises the error that explains most. `names`: the nodes that were reached."""
    if context.not_inference:
        raise InputError("the graph is not frozen for inference: " + _report(context.not_inference))
    if errors:
        more = f" (and {len(errors) - 1} more such errors)" if len(errors) > 1 else ""
        raise InputError(f"{errors[0]}{more}")
    lost = [item for item in context.later_outputs if item[0] in names]
    for reader, index, producer in lost:
        problem = f"node '{reader}' reads output {index} of '{producer.name}' ({producer.op})"
        if producer.op in HANDLERS:
            raise InputError(f"{problem}, and UFF has no output indices: remove that reader")
        context.warn(f"Warning: {problem}; UFF keeps no output index.")


def listing(nodes: Iterable[str]) -> str:
    texts = list(nodes)
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more


def _report(nodes: list[tf.NodeDef]) -> str:
    groups: dict[str, list[str]] = {}
    for node in nodes:
        groups.setdefault(_GROUP_OF.get(node.op, _FUNCTIONS), []).append(
            f"'{node.name}' ({node.op})"
        )
    return "; ".join(
        f"{group}: {listing(names)}: {_GROUPS[group][1]}" for group, names in groups.items()
    )
