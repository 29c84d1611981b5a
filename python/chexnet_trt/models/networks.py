"""The networks by name, and their graphs from images to scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from chexnet_trt._core import InputError
from chexnet_trt.models import densenet121, resnet50_v2
from chexnet_trt.models.graph_builder import GraphBuilder
from chexnet_trt.models.random_weights import random_weights
from chexnet_trt.preprocess import preset

if TYPE_CHECKING:
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    from chexnet_trt.models.layers import DataFormat, WeightSource

Initializer = Literal["variance_scaling", "glorot_uniform"]

INPUT, SCORES, CATEGORIES = "input_tensor", "chexnet_sigmoid_tensor", "categories"
MIN_IMAGE_SIZE = 32


@dataclass(frozen=True)
class Network:
    """A network definition, and how its authors feed and train it.

    preprocessing: the preset that its published weights expect. momentum: of the batch norms'
    moving statistics. initializer: of the convolutions; the dense layer's is glorot_uniform.
    """

    name: str
    logits: Callable[[Any, Any, int], Any]
    preprocessing: str
    momentum: float
    initializer: Initializer


NETWORKS = {
    module.NAME: Network(
        module.NAME, module.logits, module.PREPROCESSING, module.MOMENTUM, module.INITIALIZER
    )
    for module in (resnet50_v2, densenet121)
}


def build_graph(
    network: str,
    weights: WeightSource,
    *,
    image_size: int = 256,
    num_classes: int = 14,
    data_format: DataFormat = "channels_last",
) -> GraphDef:
    """A frozen graph: input_tensor [?, size, size, 3] RGB to chexnet_sigmoid_tensor, categories.

    channels_first transposes first and runs on NCHW; the input stays NHWC.
    Raises InputError for an unknown network, a useless size, or weights that do not fit.
    """
    definition = checked_network(network, image_size, num_classes)
    builder = GraphBuilder(weights, data_format)
    images = builder.placeholder(INPUT, image_size, 3)
    logits = definition.logits(builder, images, num_classes)
    builder.argmax(CATEGORIES, logits)
    builder.sigmoid(SCORES, logits)
    return builder.graph


def build_random_graph(
    network: str,
    *,
    image_size: int = 256,
    num_classes: int = 14,
    data_format: DataFormat = "channels_last",
    seed: int = 0,
) -> GraphDef:
    """`build_graph` with random weights that keep the activations in a trained network's range."""
    definition = checked_network(network, image_size, num_classes)
    expected = preset(definition.preprocessing, image_size, image_size, 3)
    weights = random_weights(
        definition.logits,
        np.asarray(expected.mean, np.float32),
        np.asarray(expected.std, np.float32),
        num_classes=num_classes,
        image_size=image_size,
        seed=seed,
    )
    return build_graph(
        network,
        weights,
        image_size=image_size,
        num_classes=num_classes,
        data_format=data_format,
    )


def checked_network(name: str, image_size: int = MIN_IMAGE_SIZE, num_classes: int = 1) -> Network:
    """The network's definition. Raises InputError for an unknown one and for useless sizes."""
    if name not in NETWORKS:
        raise InputError(f"unknown network '{name}'; there are {', '.join(NETWORKS)}")
    if image_size < MIN_IMAGE_SIZE:
        raise InputError(
            f"image size {image_size} is too small: the networks halve it five times, "
            f"so give {MIN_IMAGE_SIZE} or more"
        )
    if num_classes < 1:
        raise InputError(f"{num_classes} classes: a network needs at least one")
    return NETWORKS[name]
