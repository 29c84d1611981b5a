"""Keras' optimizers over plain variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import tensorflow as tf

from chexnet_trt.train.settings import Settings

Tensor: TypeAlias = Any

MOMENTUM = 0.9


class Optimizer:
    """Adam or momentum; under mixed_float16 with a loss scale that follows the overflows.

    `checkpointed`: what a checkpoint keeps of it.
    """

    def __init__(self, settings: Settings, variables: Sequence[tf.Variable]) -> None:
        if settings.optimizer == "adam":
            self._inner = tf.keras.optimizers.Adam(settings.learning_rate)
        else:
            self._inner = tf.keras.optimizers.SGD(settings.learning_rate, momentum=MOMENTUM)
        scaled = settings.dtype == "mixed_float16"
        self.checkpointed = (
            tf.keras.optimizers.LossScaleOptimizer(self._inner) if scaled else self._inner
        )
        self._variables = list(variables)
        self.checkpointed.build(self._variables)

    def set_learning_rate(self, rate: float) -> None:
        self._inner.learning_rate.assign(rate)

    def minimise(self, loss_of: Callable[[], Tensor]) -> Tensor:
        """One step against the sum of all replicas' gradients; in a replica's context.

        Returns this replica's loss.
        """
        with tf.GradientTape() as tape:
            loss = loss_of()
            scaled = self.checkpointed.scale_loss(loss)
        gradients = tape.gradient(scaled, self._variables)
        self.checkpointed.apply_gradients(zip(gradients, self._variables, strict=True))
        return loss
