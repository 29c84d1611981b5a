"""Records to batches by tf.data: the same order for the same seed, from any image on.

What leaves the pipeline is uint8 pixels; the device turns them into the network's values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from chexnet_trt import machine

Tensor: TypeAlias = Any
TfDataset: TypeAlias = Any

_CACHED_SHARE = 0.25  # Of the machine's memory, for a split's decoded images.
_SHUFFLED_RECORDS = 8192  # Where images are not cached: about 0.3 GB of PNGs.
_FILES_AT_ONCE = 16


@dataclass(frozen=True)
class Split:
    """The records of one split. `counts`: of the shards; `record_size`: pixels of their images;
    `image_size`: pixels of what the network takes.
    """

    shards: Sequence[Path]
    counts: Sequence[int]
    record_size: int
    image_size: int
    classes: int

    @property
    def images(self) -> int:
        return sum(self.counts)

    def images_of(self, worker: int, workers: int) -> int:
        """A worker reads whole shards where they divide evenly, else every n-th record."""
        if self.divides(workers):
            return sum(self.counts[worker::workers])
        return len(range(worker, self.images, workers))

    def divides(self, workers: int) -> bool:
        return len(self.shards) % workers == 0

    def steps(self, step_size: int, workers: int) -> int:
        """Whole steps of `step_size` images over all workers, for which each has its part."""
        fewest = min(self.images_of(worker, workers) for worker in range(workers))
        return fewest // (step_size // workers)


class InputPipeline:
    """One worker's part of a split, as datasets of batches.

    Decoded images stay in memory after the first time if they fit, else PNGs are read again in
    each epoch.
    """

    def __init__(self, split: Split, worker: int = 0, workers: int = 1) -> None:
        self._split = split
        self._worker = worker
        self._workers = workers
        self._images = split.images_of(worker, workers)
        self._shards = split.shards[worker::workers] if split.divides(workers) else split.shards
        self.cached = self._images * split.image_size**2 <= _CACHED_SHARE * machine.memory_bytes()
        self._examples = self._decoded(self._records(self._shards)).cache() if self.cached else None

    def training(self, *, batch: int, batches: int, seed: int, epoch: int, skip: int) -> TfDataset:
        """(images uint8 [batch, S, S, 1], labels uint8 [batch, classes]), `batches` of them from
        the image `skip` of an epoch's order on.
        """
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(len(self._shards))
        shuffle_seed = int(rng.integers(2**62))
        if self._examples is not None:
            # Of one more than there are: only what was read to its end is cached.
            examples = self._examples.shuffle(self._images + 1, seed=shuffle_seed).skip(skip)
        else:
            records = self._records([self._shards[index] for index in order])
            size = min(self._images, _SHUFFLED_RECORDS)
            examples = self._decoded(records.shuffle(size, seed=shuffle_seed).skip(skip))
        return _batched(examples.take(batch * batches), batch)

    def validation(self, *, batch: int, batches: int) -> TfDataset:
        """(images, labels, valid uint8 [batch]): every image once in `batches` batches, the rest
        filled up with images that are not valid.
        """
        size, classes = self._split.image_size, self._split.classes
        examples = self._examples
        if examples is None:
            examples = self._decoded(self._records(self._shards))
        one = tf.constant(1, tf.uint8)
        examples = examples.map(lambda image, labels: (image, labels, one))
        nothing = (
            tf.zeros([size, size, 1], tf.uint8), tf.zeros([classes], tf.uint8), 0 * one,
        )  # fmt: skip
        padding = tf.data.Dataset.from_tensors(nothing).repeat(batch * batches - self._images)
        return _batched(examples.concatenate(padding), batch)

    def _records(self, shards: Sequence[Path]) -> TfDataset:
        """Serialised examples of this worker in the order of `shards`, read side by side."""
        records = tf.data.Dataset.from_tensor_slices([str(shard) for shard in shards]).interleave(
            tf.data.TFRecordDataset,
            cycle_length=min(len(shards), _FILES_AT_ONCE),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        if self._split.divides(self._workers):
            return records
        return records.shard(self._workers, self._worker)

    def _decoded(self, records: TfDataset) -> TfDataset:
        return records.map(self._decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)

    def _decode(self, record: Tensor) -> tuple[Tensor, Tensor]:
        features = tf.io.parse_single_example(
            record,
            {
                "image/encoded": tf.io.FixedLenFeature([], tf.string),
                "image/class/label": tf.io.FixedLenFeature([self._split.classes], tf.int64),
            },
        )
        image = tf.io.decode_png(features["image/encoded"], channels=1)
        image = tf.ensure_shape(image, [self._split.record_size, self._split.record_size, 1])
        size = self._split.image_size
        if size != self._split.record_size:
            image = tf.image.resize(image, [size, size], antialias=True)
            image = tf.cast(tf.round(image), tf.uint8)
        return image, tf.cast(features["image/class/label"], tf.uint8)


def _batched(examples: TfDataset, batch: int) -> TfDataset:
    return examples.batch(batch, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
