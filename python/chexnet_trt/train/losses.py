"""Sigmoid cross-entropy over 14 independent findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Tensor: TypeAlias = Any
Array: TypeAlias = NDArray[np.float64]


def class_weights(positives: Sequence[int], images: int) -> tuple[Array, Array]:
    """Weights of the positive and of the negative term of every class.

    CheXNet's, arXiv:1711.05225 section 2.1: a class's positives weigh its share of negatives and
    the other way round, so that both terms count alike in sum.
    """
    share = np.asarray(positives, np.float64) / images
    return 1 - share, share


class SigmoidCrossEntropy:
    """`weights`: None, or those of `class_weights`."""

    def __init__(self, weights: tuple[Array, Array] | None = None) -> None:
        self._weights = weights

    def __call__(self, labels: Tensor, logits: Tensor) -> Tensor:
        """float32 [images]: the mean over the classes. labels, logits: float32 [images, classes]"""
        loss = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)
        if self._weights:
            positive, negative = (tf.constant(part, tf.float32) for part in self._weights)
            loss *= labels * positive + (1 - labels) * negative
        return tf.reduce_mean(loss, axis=1)
