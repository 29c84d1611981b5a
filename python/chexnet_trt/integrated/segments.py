"""Which parts of a graph become engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from chexnet_trt.export.inference_graph import PLACEHOLDERS
from chexnet_trt.integrated.clusters import grow_clusters
from chexnet_trt.integrated.dataflow import Dataflow, control_inputs
from chexnet_trt.integrated.subgraph import Subgraph, cut_out
from chexnet_trt.integrated.support import reason_against
from chexnet_trt.uff.context import PASS_THROUGH, strip

ENGINE_OP = "ChexnetTrtEngine"


@dataclass(frozen=True)
class Segment:
    """members: the nodes that its engine computes, producers first; parameters are not among them.
    controls: the nodes outside that must have run before. ops: how many members of each.
    """

    name: str
    members: tuple[str, ...]
    subgraph: Subgraph
    controls: tuple[str, ...]
    ops: Mapping[str, int]


@dataclass(frozen=True)
class Segmentation:
    """native: the nodes that stay in TensorFlow. left_out: those of them that compute something,
    and why they do.
    """

    flow: Dataflow
    fixed_batch: int | None
    segments: tuple[Segment, ...]
    native: frozenset[str]
    left_out: Mapping[str, str]

    def without(self, name: str, reason: str) -> Segmentation:
        """The same with the nodes of the segment `name` in TensorFlow."""
        clusters = {each.name: each.members for each in self.segments}
        reasons = dict(self.left_out) | dict.fromkeys(clusters.pop(name), reason)
        return _assembled(self.flow, clusters, reasons, self.fixed_batch)


def segment(flow: Dataflow, minimum_size: int, fixed_batch: int | None) -> Segmentation:
    """minimum_size: of an engine, in nodes; those that only hand on their input do not count."""
    order = [name for name in flow.order if name not in flow.parameters]
    reasons = {name: reason_against(flow, name, fixed_batch) for name in order}
    candidates = {name for name, reason in reasons.items() if not reason}
    clusters: dict[str, Sequence[str]] = {}
    for members in grow_clusters(order, flow.dependencies, candidates):
        size = sum(_computes(flow, name) for name in members)
        if size >= max(minimum_size, 1):
            clusters[_unique(flow, f"{ENGINE_OP}_{len(clusters)}")] = members
        else:
            reasons.update(dict.fromkeys(members, _too_small(size, minimum_size)))
    return _assembled(flow, clusters, reasons, fixed_batch)


def _assembled(
    flow: Dataflow,
    clusters: Mapping[str, Sequence[str]],
    reasons: Mapping[str, str],
    fixed_batch: int | None,
) -> Segmentation:
    """reasons: of the nodes that are in no cluster, others do not matter; without parameters."""
    inside = {name for members in clusters.values() for name in members}
    native = _native(flow, set(flow.order) - inside - flow.parameters)
    return Segmentation(
        flow,
        fixed_batch,
        tuple(_segments(flow, clusters, native, fixed_batch)),
        native,
        _left_out(flow, native, reasons),
    )


def _computes(flow: Dataflow, name: str) -> bool:
    op = flow.nodes[name].op
    return op != "Identity" and op not in PASS_THROUGH


def _too_small(size: int, minimum: int) -> str:
    nodes = "1 node" if size == 1 else f"{size} nodes"
    return f"{nodes} here could be an engine, below the minimum_segment_size {minimum}"


def _native(flow: Dataflow, names: set[str]) -> frozenset[str]:
    """`names` and the parameters that they, or whoever fetches outputs, need."""
    fetched = {strip(tensor) for tensor in flow.outputs} & flow.parameters
    roots = names | fetched
    return frozenset(roots | flow.parameters_of(roots))


def _segments(
    flow: Dataflow,
    clusters: Mapping[str, Sequence[str]],
    native: frozenset[str],
    fixed_batch: int | None,
) -> list[Segment]:
    subgraphs = {name: cut_out(flow, clusters[name], fixed_batch) for name in clusters}
    read = {tensor for subgraph in subgraphs.values() for tensor in subgraph.inputs.values()}
    read.update(flow.outputs)
    read.update(t for t, readers in flow.readers.items() if not native.isdisjoint(readers))
    segments: list[Segment] = []
    for name, members in clusters.items():
        # Nodes that only wait for a member read nothing of it: the engine still needs a result.
        outputs = [member for member in members if f"{member}:0" in read] or members[-1:]
        segments.append(
            Segment(
                name,
                tuple(members),
                replace(subgraphs[name], outputs=tuple(outputs)),
                tuple(_controls(flow, members)),
                Counter(flow.nodes[name].op for name in members),
            )
        )
    return segments


def _unique(flow: Dataflow, name: str) -> str:
    while name in flow.nodes:
        name += "_"
    return name


def _controls(flow: Dataflow, members: Sequence[str]) -> list[str]:
    readers = (*members, *sorted(flow.parameters_of(members)))
    controls = flow.waits_for(c for name in readers for c in control_inputs(flow.nodes[name]))
    return [name for name in controls if name not in set(members)]


def _left_out(flow: Dataflow, native: frozenset[str], reasons: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name in flow.order:
        op = flow.nodes[name].op
        if name not in native or op in (*PLACEHOLDERS, "Const", "NoOp"):
            continue
        # Parameters, which nodes in TensorFlow read, were not asked.
        found[name] = reasons.get(name) or (
            f"its result, {flow.types[f'{name}:0']}, has no batch in front"
        )
    return found
