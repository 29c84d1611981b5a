"""From a segment to its engine."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from chexnet_trt._core import BackendError, InputError
from chexnet_trt.builder import build_network
from chexnet_trt.int8 import QUANTIZED, Int8
from chexnet_trt.integrated.segments import Segment
from chexnet_trt.network import Network


class EngineError(BackendError):
    """A segment has no engine. segment: its name."""

    def __init__(self, segment: Segment, reason: str) -> None:
        nodes = f"{len(segment.members)} nodes '{segment.members[0]}' ... '{segment.members[-1]}'"
        super().__init__(f"no engine for the {nodes}: {reason}")
        self.segment, self.reason = segment.name, reason


# The original's names of the precision modes -> what is permitted besides fp32.
PRECISIONS: dict[str, tuple[str, ...]] = {"FP32": (), "FP16": ("fp16",), "INT8": ("int8",)}


@dataclass(frozen=True)
class SegmentEngine:
    """content: the engine file. inputs, outputs: its bindings in their order. asked: the precision
    mode that allowed `precision`, which was the fastest.
    """

    content: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    max_batch: int
    precision: str
    asked: str


def import_segment(segment: Segment) -> Network:
    """Raises EngineError."""
    try:
        graph = segment.subgraph.import_network()
    except InputError as error:
        raise EngineError(segment, str(error)) from error
    return Network(graph, {"kind": "tensorflow segment", "segment": segment.name}, None, None)


def build_engine(
    segment: Segment, network: Network, *, precision: str, max_batch: int, int8: Int8 | None = None
) -> SegmentEngine:
    """precision: a key of PRECISIONS; INT8 stays fp32 for a segment without `int8`.

    Raises EngineError.
    """
    permitted = [p for p in PRECISIONS[precision] if int8 is not None or p not in QUANTIZED]
    try:
        # Without the compiled form: TensorFlow copies a graph many times before it first runs it,
        # which takes longer than compiling the engine again.
        engine = build_network(
            network, precisions=permitted, int8=int8, max_batch=max_batch, embed_blob=False
        )
    except (InputError, BackendError) as error:
        raise EngineError(segment, str(error)) from error
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{segment.name}.engine"
        engine.save(path)
        content = path.read_bytes()
    return SegmentEngine(
        content,
        tuple(info.name for info in engine.inputs),
        tuple(info.name for info in engine.outputs),
        engine.max_batch,
        engine.precision,
        precision,
    )
