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

# The original's names of the precision modes -> what is permitted besides fp32.
PRECISIONS: dict[str, tuple[str, ...]] = {"FP32": (), "FP16": ("fp16",), "INT8": ("int8",)}


@dataclass(frozen=True)
class SegmentEngine:
    """content: the engine file. inputs, outputs: its bindings in their order."""

    content: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    max_batch: int
    precision: str


def import_segment(segment: Segment) -> Network:
    graph = segment.subgraph.import_network()
    return Network(graph, {"kind": "tensorflow segment", "segment": segment.name}, None, None)


def build_engine(
    segment: Segment, network: Network, *, precision: str, max_batch: int, int8: Int8 | None = None
) -> SegmentEngine:
    """precision: a key of PRECISIONS; INT8 stays fp32 for a segment without `int8`.

    Raises InputError or BackendError naming the segment.
    """
    permitted = [p for p in PRECISIONS[precision] if int8 is not None or p not in QUANTIZED]
    try:
        engine = build_network(network, precisions=permitted, int8=int8, max_batch=max_batch)
    except (InputError, BackendError) as error:
        raise type(error)(
            f"no engine for the {len(segment.members)} nodes from '{segment.members[0]}' to "
            f"'{segment.members[-1]}': {error}"
        ) from error
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
    )
