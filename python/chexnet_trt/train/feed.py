"""Batches of both splits for every replica."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chexnet_trt._core import InputError
from chexnet_trt.train.distribution import Distribution
from chexnet_trt.train.input_pipeline import InputPipeline, Split


class Feed:
    """`step_size`: images of a training step over all replicas of all workers.

    Raises InputError when the images or the replicas do not divide into such steps.
    """

    def __init__(
        self,
        distribution: Distribution,
        training: Split,
        validation: Split,
        *,
        step_size: int,
        seed: int,
    ) -> None:
        replicas, workers = distribution.replicas, distribution.workers
        if step_size % replicas:
            raise InputError(f"--batch_size={step_size} is not a multiple of {replicas} replicas")
        self.step_size = step_size
        self.image_size = training.image_size
        self.steps_per_epoch = training.steps(step_size, workers)
        if not self.steps_per_epoch:
            raise InputError(
                f"there are {training.images} images to train on, too few for one step of "
                f"--batch_size={step_size}"
            )
        self._strategy = distribution.strategy
        self._seed = seed
        self._replica_batch = step_size // replicas
        self._local_replicas = replicas // workers
        self._training = InputPipeline(training, distribution.worker, workers)
        self._validation = InputPipeline(validation, distribution.worker, workers)
        self.cached = self._training.cached
        largest = max(validation.images_of(worker, workers) for worker in range(workers))
        local_batch = self._replica_batch * self._local_replicas
        self._validation_steps = -(-largest // local_batch)

    def epoch(self, epoch: int, done: int) -> Iterator[Any]:
        """Batches for `Steps.train`, without the first `done` steps of the epoch."""
        steps = self.steps_per_epoch - done
        return self._distributed(
            self._training.training(
                batch=self._replica_batch,
                batches=steps * self._local_replicas,
                seed=self._seed,
                epoch=epoch,
                skip=done * self._local_replicas * self._replica_batch,
            )
        )

    def validation(self) -> Iterator[Any]:
        """Batches for `Steps.score`: every image once."""
        return self._distributed(
            self._validation.validation(
                batch=self._replica_batch, batches=self._validation_steps * self._local_replicas
            )
        )

    def _distributed(self, dataset: Any) -> Iterator[Any]:  # noqa: ANN401 - tf.data.Dataset
        return iter(self._strategy.distribute_datasets_from_function(lambda context: dataset))
