"""What became of every node of a graph."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from chexnet_trt.integrated.engines import SegmentEngine
from chexnet_trt.integrated.segments import Segment, Segmentation


@dataclass(frozen=True)
class SegmentRow:
    """inputs, outputs: tensor -> type in words. precision: what was the fastest of fp32 and what
    the mode `asked` permits; both are empty before an engine is built.
    """

    name: str
    nodes: int
    first: str
    last: str
    ops: Mapping[str, int]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    precision: str
    asked: str
    max_batch: int
    megabytes: float


@dataclass(frozen=True)
class LeftOut:
    node: str
    op: str
    reason: str


@dataclass(frozen=True)
class Report:
    """problem: why there can be no engine at all; empty otherwise."""

    segments: tuple[SegmentRow, ...]
    left_out: tuple[LeftOut, ...]
    problem: str

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    def to_text(self) -> str:
        return "\n".join(self.lines())

    def lines(self, *, detailed: bool = True) -> list[str]:
        """detailed: with a line for each node that is left out."""
        inside, outside = sum(row.nodes for row in self.segments), len(self.left_out)
        engines = "1 engine" if len(self.segments) == 1 else f"{len(self.segments)} engines"
        nodes = f"{inside} of {inside + outside} nodes"
        lines = [f"{nodes} in {engines}; {outside} stay in TensorFlow"]
        if self.problem:
            lines.append(self.problem)
        for row in self.segments:
            lines += _segment_lines(row)
        if self.left_out and detailed:
            lines.append("left out:")
            lines += [f"  '{row.node}' ({row.op}): {row.reason}" for row in self.left_out]
        return lines


def make_report(
    segmentation: Segmentation, engines: Sequence[SegmentEngine], problem: str
) -> Report:
    """engines: one a segment, or none where none is built yet."""
    flow = segmentation.flow
    built: Sequence[SegmentEngine | None] = engines or [None] * len(segmentation.segments)
    return Report(
        tuple(
            _row(segmentation, segment, engine)
            for segment, engine in zip(segmentation.segments, built, strict=True)
        ),
        tuple(
            LeftOut(name, flow.nodes[name].op, reason)
            for name, reason in segmentation.left_out.items()
        ),
        problem,
    )


def _row(segmentation: Segmentation, segment: Segment, engine: SegmentEngine | None) -> SegmentRow:
    types = segmentation.flow.types
    return SegmentRow(
        name=segment.name,
        nodes=len(segment.members),
        first=segment.members[0],
        last=segment.members[-1],
        ops=dict(Counter(segment.ops).most_common()),
        inputs={tensor: str(types[tensor]) for tensor in segment.subgraph.inputs.values()},
        outputs={f"{name}:0": str(types[f"{name}:0"]) for name in segment.subgraph.outputs},
        precision=engine.precision if engine else "",
        asked=engine.asked if engine else "",
        max_batch=engine.max_batch if engine else 0,
        megabytes=round(len(engine.content) / 1e6, 1) if engine else 0.0,
    )


def _segment_lines(row: SegmentRow) -> list[str]:
    ops = ", ".join(f"{count} {op}" for op, count in row.ops.items())
    slower = "" if row.precision == row.asked.lower() else f" ({row.asked} was permitted)"
    built = f", {row.precision}{slower}, batches 1 to {row.max_batch}, {row.megabytes} MB"
    return [
        f"{row.name}: {row.nodes} nodes from '{row.first}' to '{row.last}'"
        + (built if row.precision else ""),
        f"  {ops}",
        *(f"  in  '{tensor}' {kind}" for tensor, kind in row.inputs.items()),
        *(f"  out '{tensor}' {kind}" for tensor, kind in row.outputs.items()),
    ]
