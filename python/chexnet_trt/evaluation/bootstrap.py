"""The patient-cluster bootstrap: how far a metric varies from one set of patients to another.

Images of one patient resemble each other, so patients are drawn, with replacement, and bring all of
their images (Field and Welsh, Bootstrapping clustered data, 2007).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chexnet_trt.evaluation.auroc import macro
from chexnet_trt.evaluation.ranking import Ranking

Array = NDArray[Any]

RESAMPLES = 1000
_CHUNK = 16  # resamples at a time: their cumulative weights stay in the cache


@dataclass(frozen=True)
class Distribution:
    """AUROC and AUPRC [resamples, classes]; NaN where a resample has no positive or negative."""

    auroc: Array
    auprc: Array


class PatientBootstrap:
    """Resamples of the patients, the same ones for every set of scores that is given.

    `patients`: whose each image is.
    """

    def __init__(
        self, patients: Sequence[str], *, resamples: int = RESAMPLES, seed: int = 0
    ) -> None:
        names, positions = np.unique(np.asarray(patients), return_inverse=True)
        self.patients = len(names)
        self.resamples = resamples
        self.seed = seed
        self._positions = positions

    def distribution(self, labels: ArrayLike, scores: ArrayLike) -> Distribution:
        """Of labels (0 or 1) and scores, both [images, classes]."""
        truth, values = np.asarray(labels), np.asarray(scores)
        auroc = np.full((self.resamples, truth.shape[1]), np.nan)
        auprc = auroc.copy()
        rankings = {
            index: Ranking.of(truth[:, index], values[:, index], self._positions)
            for index in range(truth.shape[1])
            if not np.isnan(values[:, index]).any()
        }
        for rows, weights in self._chunks():
            for index, ranking in rankings.items():
                auroc[rows, index] = ranking.auroc(weights)
                auprc[rows, index] = ranking.auprc(weights)
        return Distribution(auroc, auprc)

    def _chunks(self) -> Iterator[tuple[slice, Array]]:
        """How often each patient was drawn: int32 [at most _CHUNK, patients]."""
        random = np.random.default_rng(self.seed)
        for begin in range(0, self.resamples, _CHUNK):
            rows = slice(begin, min(begin + _CHUNK, self.resamples))
            count = rows.stop - begin
            drawn = random.integers(0, self.patients, (count, self.patients))
            drawn += self.patients * np.arange(count)[:, None]
            weights = np.bincount(drawn.ravel(), minlength=count * self.patients)
            yield rows, weights.astype(np.int32).reshape(count, self.patients)


def macro_distribution(values: Array) -> Array:
    """[resamples, classes] -> their means over the classes with a value, [resamples]."""
    return np.array([macro(row) for row in values])


def interval(values: Array, confidence: float = 0.95) -> tuple[float, float]:
    """The two-sided percentile interval of a distribution [resamples]; NaN without any value."""
    tail = (1 - confidence) / 2
    return quantile(values, tail), quantile(values, 1 - tail)


def quantile(values: Array, share: float) -> float:
    """Of the resamples that have a value."""
    defined = values[~np.isnan(values)]
    return float(np.quantile(defined, share)) if len(defined) else float("nan")
