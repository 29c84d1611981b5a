"""The network operations as TensorFlow ops, in a graph, inside a tf.function, or eagerly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import tensorflow as tf

from chexnet_trt.models.layers import DataFormat

Tensor: TypeAlias = Any
E = TypeVar("E")


class TensorFlowLayers:
    """Layers over tensors, with the nodes and names that GraphBuilder writes.

    variables: float32, by the names and shapes of `models.variables`.
    training: batch norms normalise by the batch and move their statistics by `momentum`.
    compute_dtype: of everything but batch-norm statistics and what follows the spatial mean.
    """

    def __init__(
        self,
        variables: Mapping[str, tf.Variable],
        *,
        training: bool,
        data_format: DataFormat = "channels_last",
        momentum: float = 0.99,
        compute_dtype: tf.DType = tf.float32,
    ) -> None:
        self._variables = variables
        self._training = training
        self._channels_first = data_format == "channels_first"
        self._format = "NCHW" if self._channels_first else "NHWC"
        self._momentum = momentum
        self._dtype = compute_dtype

    def to_data_format(self, name: str, x: Tensor) -> Tensor:
        x = tf.cast(x, self._dtype)
        return tf.transpose(x, [0, 3, 1, 2], name=name) if self._channels_first else x

    def pad(self, name: str, x: Tensor, before: int, after: int) -> Tensor:
        square = [before, after]
        return tf.pad(x, self._order([0, 0], square, square, [0, 0]), name=name)

    def conv2d(
        self, name: str, x: Tensor, filters: int, kernel: int, strides: int, padding: str
    ) -> Tensor:
        weights = self._variables[f"{name}/kernel"]
        if self._dtype != tf.float32:
            weights = tf.cast(weights, self._dtype)
        return tf.nn.conv2d(
            x,
            weights,
            self._order(1, strides, strides, 1),
            padding,
            data_format=self._format,
            name=f"{name}/Conv2D",
        )

    def batch_norm(self, name: str, x: Tensor, epsilon: float) -> Tensor:
        """In float32 whatever the compute type is: the fused op accumulates so."""
        mean = self._variables[f"{name}/moving_mean"]
        variance = self._variables[f"{name}/moving_variance"]
        normalised, moved_mean, moved_variance = tf.compat.v1.nn.fused_batch_norm(
            x,
            self._variables[f"{name}/gamma"],
            self._variables[f"{name}/beta"],
            mean,
            variance,
            epsilon,
            self._format,
            self._training,
            name=f"{name}/FusedBatchNorm",
            exponential_avg_factor=1 - self._momentum if self._training else 1.0,
        )
        if self._training:
            mean.assign(moved_mean)
            variance.assign(moved_variance)
        return normalised

    def relu(self, name: str, x: Tensor) -> Tensor:
        return tf.nn.relu(x, name=name)

    def max_pool(self, name: str, x: Tensor, size: int, strides: int, padding: str) -> Tensor:
        return tf.nn.max_pool2d(
            x, *self._window(size, strides), padding, data_format=self._format, name=name
        )

    def avg_pool(self, name: str, x: Tensor, size: int, strides: int) -> Tensor:
        return tf.nn.avg_pool2d(
            x, *self._window(size, strides), "VALID", data_format=self._format, name=name
        )

    def add(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        return tf.add(a, b, name=name)

    def concat(self, name: str, tensors: Sequence[Tensor]) -> Tensor:
        return tf.concat(tensors, 1 if self._channels_first else 3, name=name)

    def identity(self, name: str, x: Tensor) -> Tensor:
        return tf.identity(x, name=name)

    def spatial_mean(self, name: str, x: Tensor, keep_dims: bool) -> Tensor:
        x = tf.cast(x, tf.float32)
        return tf.reduce_mean(x, self._spatial_axes(), keepdims=keep_dims, name=name)

    def squeeze(self, name: str, x: Tensor) -> Tensor:
        return tf.squeeze(x, self._spatial_axes(), name=name)

    def dense(self, name: str, x: Tensor, units: int) -> Tensor:
        product = tf.matmul(x, self._variables[f"{name}/kernel"], name=f"{name}/MatMul")
        return tf.nn.bias_add(product, self._variables[f"{name}/bias"], name=f"{name}/BiasAdd")

    def _window(self, size: int, strides: int) -> tuple[list[int], list[int]]:
        return self._order(1, size, size, 1), self._order(1, strides, strides, 1)

    def _order(self, batch: E, height: E, width: E, channels: E) -> list[E]:
        if self._channels_first:
            return [batch, channels, height, width]
        return [batch, height, width, channels]

    def _spatial_axes(self) -> list[int]:
        return [2, 3] if self._channels_first else [1, 2]
