"""Learning rates: lower on a plateau of the validation loss, or along a cosine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

from chexnet_trt.train.settings import Settings


class LearningRate(Protocol):
    """What decides the rate of a step; `state` goes into checkpoints."""

    state: dict[str, Any]

    def at(self, step: int) -> float: ...

    def update_lr(self, eval_loss: float) -> None:
        """To be called with the loss of every evaluation."""


class Plateau:
    """A tenth of the rate after each evaluation whose loss is no new best, as CheXNet's paper.

    Losses that differ by less than a ten-thousandth of the best are the same.
    """

    FACTOR = 0.1
    TOLERANCE = 1e-4

    def __init__(self, base: float) -> None:
        self._base = base
        self.state: dict[str, Any] = {"reductions": 0, "best_loss": None}

    def at(self, step: int) -> float:
        return self._base * float(self.FACTOR ** self.state["reductions"])

    def update_lr(self, eval_loss: float) -> None:
        best = self.state["best_loss"]
        if best is None or eval_loss < best * (1 - self.TOLERANCE):
            self.state["best_loss"] = eval_loss
        else:
            self.state["reductions"] += 1


class Cosine:
    """From the full rate at the first step to nothing after the last."""

    def __init__(self, base: float, steps: int) -> None:
        self._base = base
        self._steps = steps
        self.state: dict[str, Any] = {}

    def at(self, step: int) -> float:
        return self._base * 0.5 * (1 + math.cos(math.pi * min(step / self._steps, 1)))

    def update_lr(self, eval_loss: float) -> None:
        pass


def learning_rate(settings: Settings, steps: int, state: Mapping[str, Any]) -> LearningRate:
    """Of a training of so many steps in all; `state`: what a checkpoint kept, else empty."""
    rate: LearningRate
    if settings.schedule == "cosine":
        rate = Cosine(settings.learning_rate, steps)
    else:
        rate = Plateau(settings.learning_rate)
    rate.state.update(state)
    return rate
