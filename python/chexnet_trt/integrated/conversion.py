"""The whole way: graph -> segments -> engines -> graph with engine nodes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from chexnet_trt._core import InputError
from chexnet_trt.export.inference_graph import choose_outputs, sub_graph
from chexnet_trt.int8 import Int8
from chexnet_trt.integrated.constant_folding import fold_constants
from chexnet_trt.integrated.dataflow import analyse
from chexnet_trt.integrated.engines import (
    PRECISIONS,
    EngineError,
    SegmentEngine,
    build_engine,
    import_segment,
)
from chexnet_trt.integrated.native_function import native_function
from chexnet_trt.integrated.passed_on import without_identity_n
from chexnet_trt.integrated.report import Report, make_report
from chexnet_trt.integrated.rewriting import with_engines
from chexnet_trt.integrated.segments import Segmentation, segment
from chexnet_trt.integrated.tensor_types import infer_types
from chexnet_trt.network import Network
from chexnet_trt.uff.context import strip
from chexnet_trt.uff.graph_def import GraphDef

v1 = tf.compat.v1
logger = logging.getLogger("chexnet_trt")


@dataclass(frozen=True)
class Settings:
    """precision: FP32, FP16 or INT8, which is permitted; the fastest is taken. fallback: TensorFlow
    computes a segment whose engine cannot be built or fails, with a message; without it that is an
    error.
    """

    max_batch: int = 1
    precision: str = "FP32"
    minimum_segment_size: int = 3
    fallback: bool = False

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise InputError(f"precision mode '{self.precision}': expected {', '.join(PRECISIONS)}")
        for name in ("max_batch", "minimum_segment_size"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} {getattr(self, name)}: give 1 or more")


@dataclass(frozen=True)
class Partition:
    """A graph and what of it becomes engines. problem: why nothing does; empty otherwise."""

    segmentation: Segmentation
    networks: Mapping[str, Network]
    problem: str

    @property
    def fixed_batch(self) -> int | None:
        """Where the graph is written for one batch size alone."""
        return self.segmentation.fixed_batch

    def without(self, failed: EngineError) -> Partition:
        rest = self.segmentation.without(failed.segment, failed.reason)
        return Partition(rest, _networks(rest), self.problem)


@dataclass(frozen=True)
class Converted:
    graph: GraphDef
    report: Report


def divide(graph: GraphDef, outputs: Sequence[str], minimum_segment_size: int) -> Partition:
    """outputs: nodes or tensors. Raises InputError for names that the graph lacks and for a graph
    that TensorFlow does not import.
    """
    if not isinstance(graph, v1.GraphDef):  # The class that tensorboard has of it.
        graph = v1.GraphDef.FromString(graph.SerializeToString())
    tensors = [name.removesuffix(":0") for name in outputs]
    choose_outputs({node.name for node in graph.node}, [strip(name) for name in tensors], {})
    graph = sub_graph(graph, tensors)
    for node in graph.node:
        node.attr.pop("_class", None)  # Whose device it was to share: a node that may be gone.
    graph = without_identity_n(graph, tensors)
    graph = fold_constants(graph, tensors)
    types = infer_types(graph)
    flow = analyse(graph, types.tensors, tensors)
    found = segment(flow, minimum_segment_size, types.fixed_batch)
    return Partition(found, _networks(found), types.problem)


def _networks(segmentation: Segmentation) -> dict[str, Network]:
    return {each.name: import_segment(each) for each in segmentation.segments}


def build(
    partition: Partition, settings: Settings, int8: Mapping[str, Int8] | None = None
) -> Converted:
    """int8: ranges by segment; a segment without any stays fp32. Says in the log what was done.

    Raises InputError for a batch below the graph's, EngineError when an engine cannot be built;
    with the fallback its nodes stay in TensorFlow, with a warning.
    """
    if settings.max_batch < (partition.fixed_batch or 1):
        raise InputError(
            f"the graph's batch is {partition.fixed_batch}, the engines' largest would be "
            f"{settings.max_batch}: give max_batch_size {partition.fixed_batch}"
        )
    found = partition.segmentation
    try:
        engines = [
            build_engine(
                each,
                partition.networks[each.name],
                precision=settings.precision,
                max_batch=settings.max_batch,
                int8=(int8 or {}).get(each.name),
            )
            for each in found.segments
        ]
    except EngineError as failed:
        if not settings.fallback:
            raise
        logger.warning("%s; TensorFlow computes them", failed)
        return build(partition.without(failed), settings, int8)
    graph = with_engines(found, engines, _fallbacks(found, engines, settings))
    report = make_report(found, engines, partition.problem)
    logger.log(logging.INFO if engines else logging.WARNING, "%s", report.to_text())
    return Converted(graph, report)


def _fallbacks(
    found: Segmentation, engines: Sequence[SegmentEngine], settings: Settings
) -> dict[str, GraphDef]:
    if not settings.fallback:
        return {}
    return {
        each.name: native_function(found, each, engine)
        for each, engine in zip(found.segments, engines, strict=True)
    }
