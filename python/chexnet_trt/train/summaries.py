"""TensorBoard's scalars and images, written by the chief alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

_IMAGES = 6


class Summaries:
    """Of training in the model folder, of evaluations in its eval/, as Estimators wrote them."""

    def __init__(self, folder: Path, *, is_chief: bool) -> None:
        self._training = self._evaluation = tf.summary.create_noop_writer()
        if is_chief:
            self._training = tf.summary.create_file_writer(str(folder))
            self._evaluation = tf.summary.create_file_writer(str(folder / "eval"))

    def training(self, step: int, scalars: Mapping[str, float]) -> None:
        _write(self._training, step, scalars)

    def evaluation(self, step: int, scalars: Mapping[str, float]) -> None:
        _write(self._evaluation, step, scalars)
        self._evaluation.flush()

    def images(self, step: int, pixels: Any) -> None:  # noqa: ANN401 - a tensor
        """Pixels, float32 [N, S, S, 1] 0..255."""
        with self._training.as_default():
            tf.summary.image("images", pixels / 255, step, max_outputs=_IMAGES)
        self._training.flush()


def _write(writer: tf.summary.SummaryWriter, step: int, scalars: Mapping[str, float]) -> None:
    with writer.as_default():
        for name, value in scalars.items():
            tf.summary.scalar(name, value, step)
