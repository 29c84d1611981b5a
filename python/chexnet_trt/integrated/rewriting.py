"""The graph with a node of the engine op in the place of every segment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chexnet_trt.integrated.dataflow import (
    BATCH,
    Dataflow,
    TensorType,
    control_inputs,
    tensor_name,
)
from chexnet_trt.integrated.engines import SegmentEngine
from chexnet_trt.integrated.segments import ENGINE_OP, Segment, Segmentation
from chexnet_trt.uff import graph_def as tf
from chexnet_trt.uff.context import is_control, strip


def with_engines(
    segmentation: Segmentation,
    engines: Sequence[SegmentEngine],
    fallbacks: Mapping[str, tf.GraphDef],
) -> tf.GraphDef:
    """engines: one a segment. fallbacks: segment -> its function as TensorFlow computes it; where
    there is none, an engine that fails is an error.

    Outputs keep their names. The native nodes' tensors do, too; those inside engines are gone.
    """
    flow = segmentation.flow
    links = _Links(segmentation, engines)
    graph = type(flow.graph)()
    graph.versions.CopyFrom(flow.graph.versions)
    graph.library.CopyFrom(flow.graph.library)
    graph.library.function.extend(fallbacks.values())
    last = {each.members[-1]: index for index, each in enumerate(segmentation.segments)}
    fetched = {strip(tensor) for tensor in flow.outputs}
    for name in flow.order:
        if name in segmentation.native:
            _add_native(graph, flow.nodes[name], links)
        elif name in fetched:
            _add_output(graph, name, links.tensor(f"{name}:0"), flow)
        if name in last:
            one, engine = segmentation.segments[last[name]], engines[last[name]]
            fallback = fallbacks[one.name].signature.name if one.name in fallbacks else ""
            _add_engine(graph, one, engine, flow.types, links, fallback)
    return graph


class _Links:
    """Where what a node reads is to be found now."""

    def __init__(self, segmentation: Segmentation, engines: Sequence[SegmentEngine]) -> None:
        self._engine_of = {
            name: segment.name for segment in segmentation.segments for name in segment.members
        }
        self._tensors = {
            f"{output}:0": f"{segment.name}:{index}" if index else segment.name
            for segment, engine in zip(segmentation.segments, engines, strict=True)
            for index, output in enumerate(engine.outputs)
        }
        self._flow = segmentation.flow

    def tensor(self, text: str) -> str:
        return self._tensors.get(tensor_name(text), text)

    def controls(self, names: Iterable[str]) -> list[str]:
        found = (self._engine_of.get(name, name) for name in self._flow.waits_for(names))
        return [f"^{name}" for name in dict.fromkeys(found)]


def _add_native(graph: tf.GraphDef, node: tf.NodeDef, links: _Links) -> None:
    copy = graph.node.add()
    copy.CopyFrom(node)
    del copy.input[:]
    copy.input.extend(links.tensor(item) for item in node.input if not is_control(item))
    copy.input.extend(links.controls(control_inputs(node)))


def _add_output(graph: tf.GraphDef, name: str, source: str, flow: Dataflow) -> None:
    """Whoever fetches a node of an engine finds it by its name."""
    node = graph.node.add(name=name, op="Identity", input=[source])
    node.attr["T"].type = flow.types[f"{name}:0"].dtype


def _add_engine(
    graph: tf.GraphDef,
    segment: Segment,
    engine: SegmentEngine,
    types: Mapping[str, TensorType],
    links: _Links,
    fallback: str,
) -> None:
    node = graph.node.add(name=segment.name, op=ENGINE_OP)
    sources = [segment.subgraph.inputs[name] for name in engine.inputs]
    results = [types[f"{name}:0"] for name in engine.outputs]
    node.input.extend(links.tensor(source.removesuffix(":0")) for source in sources)
    node.input.extend(links.controls(segment.controls))
    node.attr["InT"].list.type.extend(types[source].dtype for source in sources)
    node.attr["OutT"].list.type.extend(result.dtype for result in results)
    node.attr["input_names"].list.s.extend(name.encode() for name in engine.inputs)
    node.attr["output_names"].list.s.extend(name.encode() for name in engine.outputs)
    for result in results:
        shape = node.attr["output_shapes"].list.shape.add()
        for extent in result.shape or ():
            shape.dim.add(size=-1 if extent in (BATCH, None) else extent)
    node.attr["engine"].s = engine.content
    node.attr["max_batch_size"].i = engine.max_batch
    if fallback:
        node.attr["fallback"].list.func.add(name=fallback)
