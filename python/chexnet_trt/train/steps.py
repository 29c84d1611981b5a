"""One step of training and of validation, over all replicas."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from chexnet_trt.models.tensorflow_network import TensorFlowNetwork
from chexnet_trt.preprocess import preset
from chexnet_trt.train.augmentation import Augmentation
from chexnet_trt.train.losses import SigmoidCrossEntropy
from chexnet_trt.train.optimizers import Optimizer
from chexnet_trt.train.settings import Settings

Tensor: TypeAlias = Any


class Steps:
    """`preprocessing`: a preset's name."""

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        network: TensorFlowNetwork,
        preprocessing: str,
        loss: SigmoidCrossEntropy,
        optimizer: Optimizer,
        settings: Settings,
    ) -> None:
        self._strategy = strategy
        self._network = network
        expected = preset(preprocessing, network.image_size, network.image_size, 3)
        self._mean = np.asarray(expected.mean, np.float32)
        self._std = np.asarray(expected.std, np.float32)
        self._loss = loss
        self._optimizer = optimizer
        self._augmentation = Augmentation(settings.flip) if settings.augment else None
        self._step_size = settings.batch_size
        self._seed = settings.seed
        self._train = tf.function(self._train_everywhere)
        self._score = tf.function(self._score_everywhere)

    def train(self, batch: Tensor, step: int, learning_rate: float) -> Tensor:
        """Moves the weights by one batch of the training dataset. Returns its mean loss."""
        images, labels = batch
        self._optimizer.set_learning_rate(learning_rate)
        return self._train(images, labels, tf.constant(step, tf.int32))

    def score(self, batch: Tensor) -> tuple[NDArray[Any], NDArray[Any]]:
        """(labels, logits), float32 [images, classes], of a validation batch's valid images."""
        rows = self._strategy.gather(self._score(*batch), axis=0).numpy()
        rows = rows[rows[:, -1] == 1]
        classes = self._network.num_classes
        return rows[:, :classes], rows[:, classes:-1]

    def augmented(self, images: Tensor, step: int) -> Tensor:
        """The pixels that the first replica trains on, float32 [N, S, S, 1] 0..255."""
        first = self._strategy.experimental_local_results(images)[0]
        return self._augment(first, tf.constant(step, tf.int32), 0)

    def _train_everywhere(self, images: Tensor, labels: Tensor, step: Tensor) -> Tensor:
        losses = self._strategy.run(self._train_replica, args=(images, labels, step))
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    def _train_replica(self, images: Tensor, labels: Tensor, step: Tensor) -> Tensor:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        pixels = self._augment(images, step, replica)
        truth = tf.cast(labels, tf.float32)

        def share_of_loss() -> Tensor:
            logits = self._network(self._values(pixels), training=True)
            return tf.reduce_sum(self._loss(truth, logits)) / self._step_size

        return self._optimizer.minimise(share_of_loss)

    def _score_everywhere(self, images: Tensor, labels: Tensor, valid: Tensor) -> Tensor:
        return self._strategy.run(self._score_replica, args=(images, labels, valid))

    def _score_replica(self, images: Tensor, labels: Tensor, valid: Tensor) -> Tensor:
        """Rows of labels, logits and validity, so that they are gathered at once."""
        logits = self._network(self._values(tf.cast(images, tf.float32)), training=False)
        return tf.concat(
            [tf.cast(labels, tf.float32), logits, tf.cast(valid, tf.float32)[:, None]], axis=1
        )

    def _augment(self, images: Tensor, step: Tensor, replica: Tensor) -> Tensor:
        pixels = tf.cast(images, tf.float32)
        if self._augmentation is None:
            return pixels
        return self._augmentation(pixels, tf.stack([self._seed + replica, step]))

    def _values(self, pixels: Tensor) -> Tensor:
        """Gray to the network's RGB values."""
        return (pixels - self._mean) / self._std
