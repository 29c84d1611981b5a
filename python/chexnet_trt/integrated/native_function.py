"""A segment as a TensorFlow function: what runs where its engine cannot."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from chexnet_trt.integrated.dataflow import BATCH, TensorType
from chexnet_trt.integrated.engines import SegmentEngine
from chexnet_trt.integrated.segments import Segment, Segmentation

FunctionDef = Any


def native_function(
    segmentation: Segmentation, segment: Segment, engine: SegmentEngine
) -> FunctionDef:
    """Takes and gives the tensors of the engine's bindings, in their order."""
    types = segmentation.flow.types
    specs = [_spec(types[segment.subgraph.inputs[name]]) for name in engine.inputs]

    def compute(*values: tf.Tensor) -> list[tf.Tensor]:
        results: list[tf.Tensor] = tf.graph_util.import_graph_def(
            segment.subgraph.graph,
            input_map=dict(zip(engine.inputs, values, strict=True)),
            return_elements=[f"{name}:0" for name in engine.outputs],
            name="segment",  # Its nodes may be called as the function's arguments are.
        )
        return results

    function = tf.function(compute).get_concrete_function(*specs).function_def
    function.signature.name = f"{segment.name}_native_segment"
    return function


def _spec(found: TensorType) -> tf.TensorSpec:
    shape = [None if extent == BATCH else extent for extent in found.shape or ()]
    return tf.TensorSpec(shape, found.dtype)
