"""TensorFlow graphs around the op ChexnetTrtEngine, for the network of networks.py.

Channels first, as its engine takes them; imported by tests that have TensorFlow.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context

import networks
from networks import CHANNELS, CLASSES, INPUT, MAX_BATCH, SCORES, SIZE

NODE = "trt_engine"
NATIVE = "native_segment"


def engine_graph(*, native: bool = False, **attributes: Any) -> tf.compat.v1.GraphDef:
    """images [?, 3, 8, 8] -> engine node -> identity SCORES. `native`: the fallback is on.
    `attributes`: of the node, in place of those that fit."""
    graph_def = tf.compat.v1.GraphDef()
    graph_def.versions.producer = tf.version.GRAPH_DEF_VERSION
    images = graph_def.node.add(op="Placeholder", name="images")
    images.attr["dtype"].type = tf.float32.as_datatype_enum
    images.attr["shape"].shape.CopyFrom(tf.TensorShape([None] * 4).as_proto())
    node = graph_def.node.add(op="ChexnetTrtEngine", name=NODE, input=["images"])
    fitting = {"input_names": [INPUT], "output_names": [SCORES], "max_batch_size": MAX_BATCH}
    for name, value in (fitting | attributes).items():
        if isinstance(value, list):
            node.attr[name].list.s.extend(text.encode() for text in value)
        elif isinstance(value, int):
            node.attr[name].i = value
        else:
            node.attr[name].s = value
    node.attr["InT"].list.type.append(tf.float32.as_datatype_enum)
    node.attr["OutT"].list.type.append(tf.float32.as_datatype_enum)
    node.attr["output_shapes"].list.shape.append(tf.TensorShape([None, CLASSES]).as_proto())
    result = graph_def.node.add(op="Identity", name=SCORES, input=[NODE])
    result.attr["T"].type = tf.float32.as_datatype_enum
    if native:
        node.attr["fallback"].list.func.add(name=NATIVE)
        graph_def.library.function.append(native_segment())
    return graph_def


def native_segment() -> Any:
    """The network as a function of channels-first images."""

    def segment(images):
        return tf.import_graph_def(
            tf.compat.v1.GraphDef.FromString(networks.small_graph().SerializeToString()),
            input_map={INPUT: tf.transpose(images, [0, 2, 3, 1])},
            return_elements=[f"{SCORES}:0"],
            name="",
        )[0]

    spec = tf.TensorSpec([None, CHANNELS, SIZE, SIZE], tf.float32)
    definition = tf.function(segment).get_concrete_function(spec).function_def
    definition.signature.name = NATIVE
    return definition


def as_function(graph_def: tf.compat.v1.GraphDef) -> Any:
    for definition in graph_def.library.function:  # import_graph_def leaves them to the caller
        context.context().add_function_def(definition)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, None], tf.float32)])
    def scores(images):
        return tf.import_graph_def(
            graph_def, input_map={"images": images}, return_elements=[f"{SCORES}:0"], name=""
        )[0]

    return scores


def save_model(graph_def: tf.compat.v1.GraphDef, folder: Path) -> Path:
    module = tf.Module()
    module.scores = as_function(graph_def)
    tf.saved_model.save(module, str(folder), signatures=module.scores)
    return folder


def expected_scores(images: np.ndarray) -> np.ndarray:
    return networks.small_scores(images.transpose(0, 2, 3, 1))
