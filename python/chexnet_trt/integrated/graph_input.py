"""The image input of a TensorFlow graph, and batches for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt import feeding
from chexnet_trt._core import InputError
from chexnet_trt.export.inference_graph import inputs_of, producer
from chexnet_trt.image_feed import ImageFeed, image_size
from chexnet_trt.preprocess import preset
from chexnet_trt.uff.graph_def import DT_FLOAT, GraphDef, dtype_name

_SEED = 1
_CHANNELS = (1, 3)


@dataclass(frozen=True)
class GraphInput:
    """A placeholder for images, channels last or first. batch: where it takes one size alone."""

    name: str
    shape: tuple[int, ...]
    layout: str
    batch: int | None = None
    element: str = "float32"

    def feed(self, preprocessing: str) -> ImageFeed:
        """For the preset of that name. Images become the size that the graph takes."""
        return ImageFeed(self, preset(preprocessing, *image_size(self)))


def graph_input(graph: GraphDef, name: str, batch_size: int) -> GraphInput:
    """Raises InputError for a node that is no placeholder of float images of one known size, or
    that takes another batch.
    """
    name = producer(name)
    shapes = inputs_of(graph)
    if name not in shapes:
        known = ", ".join(shapes) or "none"
        raise InputError(f"the graph has no input '{name}' (--input_node); its inputs: {known}")
    (node,) = (node for node in graph.node if node.name == name)
    if node.attr["dtype"].type != DT_FLOAT:
        kind = dtype_name(node.attr["dtype"].type)
        raise InputError(f"the input '{name}' takes {kind}; images are float32")
    shape = tuple(shapes[name])
    if len(shape) != 4 or min(shape[1:]) < 1:
        text = ", ".join("?" if extent < 0 else str(extent) for extent in shape)
        raise InputError(
            f"the input '{name}' of shape [{text}] does not say which size of images it takes; "
            "export the model with a fixed height and width"
        )
    if shape[0] not in (-1, batch_size):
        raise InputError(
            f"the input '{name}' takes batches of {shape[0]}: give --batch_size={shape[0]}"
        )
    fixed = None if shape[0] < 0 else shape[0]
    return GraphInput(name, (-1, *shape[1:]), _layout(name, shape), fixed)


def image_batch(feed: ImageFeed, path: str, batch_size: int) -> NDArray[np.float32]:
    """The images of a file, folder or list, over and over until the batch is full."""
    source = feeding.open_source(path, limit=batch_size)
    (rows,) = feeding.batches(source, feed, batch_size)
    return np.ascontiguousarray(rows[np.arange(batch_size) % len(rows)])


def random_batch(spec: GraphInput, batch_size: int) -> NDArray[Any]:
    """Of 0 ... 1; the same every time."""
    shape = (batch_size, *spec.shape[1:])
    return np.random.default_rng(_SEED).random(shape, np.float32)


def _layout(name: str, shape: tuple[int, ...]) -> str:
    if shape[3] in _CHANNELS:
        return "nhwc"
    if shape[1] in _CHANNELS:
        return "nchw"
    raise InputError(f"the input '{name}' has {shape[3]} channels; images have 1 or 3")
