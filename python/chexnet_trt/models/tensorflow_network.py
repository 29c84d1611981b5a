"""A network as a tf.Module, to be trained or scored."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import tensorflow as tf

from chexnet_trt.models.layers import Array, DataFormat
from chexnet_trt.models.networks import checked_network
from chexnet_trt.models.tensorflow_layers import TensorFlowLayers
from chexnet_trt.models.variables import Shape, variable_shapes

Tensor: TypeAlias = Any

MOVING_PARTS = ("moving_mean", "moving_variance")
_ONES = ("gamma", "moving_variance")
# Of a normal distribution cut at two deviations.
_TRUNCATED_DEVIATION = 0.87962566103423978


class TensorFlowNetwork(tf.Module):  # type: ignore[misc]
    """Variables under their exact names, and the network over them.

    Made under a tf.distribute strategy's scope its variables are the strategy's: weights mirrored,
    moving statistics kept by each replica and averaged when they are read or saved.
    momentum: of the moving statistics; by default the network's own.
    Raises InputError for an unknown network or a useless size.
    """

    def __init__(
        self,
        network: str,
        *,
        image_size: int = 256,
        num_classes: int = 14,
        data_format: DataFormat = "channels_last",
        compute_dtype: str = "float32",
        momentum: float | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(name=network)
        self._definition = checked_network(network, image_size, num_classes)
        self.image_size = image_size
        self.num_classes = num_classes
        self.data_format = data_format
        self.compute_dtype = tf.as_dtype(compute_dtype)
        self._momentum = self._definition.momentum if momentum is None else momentum
        self.weights_by_name: dict[str, tf.Variable] = {
            name: new_variable(name, shape, self._definition.initializer, [seed, index])
            for index, (name, shape) in enumerate(variable_shapes(network, num_classes).items())
        }

    def __call__(self, images: Tensor, training: bool = False) -> Tensor:
        """Logits, float32 [N, num_classes], of preprocessed images, float32 [N, S, S, 3]."""
        layers = TensorFlowLayers(
            self.weights_by_name,
            training=training,
            data_format=self.data_format,
            momentum=self._momentum,
            compute_dtype=self.compute_dtype,
        )
        return self._definition.logits(layers, images, self.num_classes)

    def assign(self, values: dict[str, Array]) -> None:
        """Sets variables by name; those that are not named keep their values."""
        for name, value in values.items():
            self.weights_by_name[name].assign(value)


def new_variable(name: str, shape: Shape, initializer: str, seed: list[int]) -> tf.Variable:
    """A weight or a moving statistic, of the strategy in scope; its initial value by its name."""
    moving = name.endswith(MOVING_PARTS)
    return tf.Variable(
        lambda: _initial_value(name, shape, initializer, seed),
        trainable=not moving,
        name=name,
        dtype=tf.float32,
        shape=shape,
        synchronization=(
            tf.VariableSynchronization.ON_READ if moving else tf.VariableSynchronization.AUTO
        ),
        aggregation=tf.VariableAggregation.MEAN,
    )


def _initial_value(name: str, shape: Shape, initializer: str, seed: list[int]) -> Tensor:
    if len(shape) == 1:
        return tf.ones(shape) if name.endswith(_ONES) else tf.zeros(shape)
    area = math.prod(shape[:-2])
    fan_in, fan_out = area * shape[-2], area * shape[-1]
    if initializer == "variance_scaling" and len(shape) == 4:
        drawn = tf.random.stateless_truncated_normal(shape, seed)
        return drawn * (math.sqrt(1 / fan_in) / _TRUNCATED_DEVIATION)
    limit = math.sqrt(6 / (fan_in + fan_out))
    return tf.random.stateless_uniform(shape, seed, -limit, limit)
