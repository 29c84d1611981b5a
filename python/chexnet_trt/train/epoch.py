"""What the steps of an epoch cost and found."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np


class Epoch:
    """Goes through the batches of one epoch. `number` counts from 0."""

    def __init__(self, number: int, batches: Iterator[Any], step_size: int) -> None:
        self.number = number
        self._batches = batches
        self._step_size = step_size
        self._begin = time.perf_counter()
        self._waited = 0.0
        self._recent: list[Any] = []
        self._losses: list[float] = []

    def __iter__(self) -> Iterator[Any]:
        while True:
            begin = time.perf_counter()
            batch = next(self._batches, None)
            self._waited += time.perf_counter() - begin
            if batch is None:
                return
            yield batch

    def add(self, loss: Any) -> None:  # noqa: ANN401 - a tensor
        """A step was taken."""
        self._recent.append(loss)

    def recent_loss(self) -> float:
        """The mean since the last call; waits for the device."""
        values = [float(loss) for loss in self._recent]
        self._recent.clear()
        self._losses += values
        return float(np.mean(values))

    @property
    def loss(self) -> float:
        """The mean of all steps but those since `recent_loss`."""
        return float(np.mean(self._losses))

    @property
    def steps(self) -> int:
        return len(self._losses) + len(self._recent)

    @property
    def seconds_a_step(self) -> float:
        return (time.perf_counter() - self._begin) / self.steps

    @property
    def images_per_second(self) -> float:
        return self._step_size / self.seconds_a_step

    @property
    def share_waiting(self) -> float:
        """Of the time, for input."""
        return self._waited / (time.perf_counter() - self._begin)
