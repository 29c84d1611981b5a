"""How the positives of a class rank among its negatives, which AUROC and AUPRC depend on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Ranking:
    """Of one class. `positives` and `negatives`: of the images by ascending score, where their
    weights stand. For every positive, in that order: `below` and `up_to` count the negatives of
    lower score, and of lower or equal; `first` is the first positive of the same score.

    The methods take int32 weights [..., positions] and return float64 [...]; an image of weight k
    counts like k images. Without a positive or a negative the result is NaN.
    """

    positives: Array
    negatives: Array
    below: Array
    up_to: Array
    first: Array

    @classmethod
    def of(
        cls, labels: ArrayLike, scores: ArrayLike, positions: ArrayLike | None = None
    ) -> Ranking:
        """`labels`: 0 or 1 [images]; `scores`: numbers [images], none of them NaN. `positions`:
        where the weight of each image stands, None: in the images' order.
        """
        values = np.asarray(scores)
        order = np.argsort(values, kind="stable")
        is_positive = np.asarray(labels, bool)[order]
        positives, negatives = order[is_positive], order[~is_positive]
        high, low = values[positives], values[negatives]
        place = np.arange(len(values)) if positions is None else np.asarray(positions)
        return cls(
            positives=place[positives],
            negatives=place[negatives],
            below=np.searchsorted(low, high, "left"),
            up_to=np.searchsorted(low, high, "right"),
            first=np.searchsorted(high, high, "left"),
        )

    def auroc(self, weights: Array) -> Array:
        """The share of (positive, negative) pairs in the right order, ties counting half."""
        positive, negative = self._weights(weights)
        right = (negative[..., self.below] + negative[..., self.up_to]) / 2
        pairs = positive.sum(-1).astype(np.float64) * negative[..., -1]
        with np.errstate(invalid="ignore", divide="ignore"):
            result: Array = (positive * right).sum(-1) / pairs
        return result

    def auprc(self, weights: Array) -> Array:
        """Average precision: over the positives, the precision at the threshold of each one's
        score. Without interpolation, as scikit-learn's average_precision_score.
        """
        positive, negative = self._weights(weights)
        sums = _cumulative(positive)
        total = sums[..., -1:]
        found = total - sums[..., self.first]
        false = negative[..., -1:] - negative[..., self.below]
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(positive > 0, found / (found + false), 0)
            result = (positive * precision).sum(-1) / total[..., 0]
        return np.where(negative[..., -1] > 0, result, np.nan)

    def _weights(self, weights: Array) -> tuple[Array, Array]:
        """Of the positives, and the sums over the negatives before each place."""
        negatives = np.take(weights, self.negatives, axis=-1)
        return np.take(weights, self.positives, axis=-1), _cumulative(negatives)


def _cumulative(weights: Array) -> Array:
    """[..., n] -> sums of the first 0 ... n, [..., n + 1]."""
    sums = np.zeros((*weights.shape[:-1], weights.shape[-1] + 1), np.int32)
    np.cumsum(weights, axis=-1, dtype=np.int32, out=sums[..., 1:])
    return sums
