"""What an evaluation on the validation split finds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt.evaluation.auroc import auroc, macro

Array = NDArray[np.float64]

_BINS = 200
_SMALLEST = 1e-7


@dataclass(frozen=True)
class Metrics:
    """`loss`: the unweighted sigmoid cross-entropy. `auroc`: exact, NaN for a class without a
    positive or without a negative; `auroc_200_bins`: as tf.metrics.auc approximates it.
    """

    loss: float
    auroc: Array
    auroc_200_bins: Array

    @classmethod
    def of(cls, labels: NDArray[Any], logits: NDArray[Any]) -> Metrics:
        """labels 0 or 1, logits: [images, classes]."""
        z, truth = logits.astype(np.float64), labels.astype(np.float64)
        with np.errstate(invalid="ignore"):  # NaN of a network that diverged stays NaN.
            loss = np.logaddexp(0, np.where(truth == 1, -z, z))
            scores = np.exp(-np.logaddexp(0, -z))
        return cls(float(loss.mean()), auroc(labels, z), auroc_in_bins(truth, scores))

    @property
    def macro(self) -> float:
        """The mean of the exact AUROCs that are defined."""
        return macro(self.auroc)

    def to_json(self, labels: Sequence[str]) -> dict[str, Any]:
        """JSON has no NaN: None stands for it."""
        return {
            "loss": self.loss,
            "macro_auroc": _or_none(self.macro),
            "auroc": {
                name: _or_none(value) for name, value in zip(labels, self.auroc, strict=True)
            },
        }


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def auroc_in_bins(labels: Array, scores: Array) -> Array:
    """[classes], as tf.metrics.auc: 200 thresholds evenly over 0..1, joined by trapezoids. Coarse
    where scores crowd, as those of rare findings do.
    """
    thresholds = np.linspace(0, 1, _BINS)
    thresholds[0], thresholds[-1] = -_SMALLEST, 1 + _SMALLEST
    result = np.full(labels.shape[1], np.nan)
    for index, (truth, values) in enumerate(zip(labels.T, scores.T, strict=True)):
        positive, negative = np.sort(values[truth == 1]), np.sort(values[truth == 0])
        if len(positive) and len(negative):
            false, true = (
                1 - np.searchsorted(part, thresholds, side="right") / len(part)
                for part in (negative, positive)
            )
            result[index] = np.sum((false[:-1] - false[1:]) * (true[:-1] + true[1:]) / 2)
    return result


def table(fields: Mapping[str, Any]) -> list[str]:
    """`Metrics.to_json` as lines: a class each, then the mean."""
    rows = [*fields["auroc"].items(), ("macro", fields["macro_auroc"])]
    return [
        f"  {name:<20} {'undefined' if value is None else f'{value:.4f}'}" for name, value in rows
    ]
