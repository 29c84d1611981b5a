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
        self._scales_loss = settings.dtype == "mixed_float16"
        self.checkpointed = (
            tf.keras.optimizers.LossScaleOptimizer(self._inner)
            if self._scales_loss
            else self._inner
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
        if self._scales_loss:
            gradients = _overflowing_together(gradients)
        self.checkpointed.apply_gradients(zip(gradients, self._variables, strict=True))
        return loss


def _overflowing_together(gradients: list[Tensor]) -> list[Tensor]:
    """The gradients, infinite on every replica if they overflow on one.

    Keras' loss scale looks at one replica's gradients before their sum over all.
    """
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in gradients])
    overflows = tf.distribute.get_replica_context().all_reduce(
        tf.distribute.ReduceOp.SUM, tf.where(finite, 0.0, 1.0)
    )
    first, *others = gradients
    return [tf.where(overflows > 0, float("inf"), first), *others]
