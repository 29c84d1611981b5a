"""The area under the ROC curve, exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chexnet_trt._core import InputError
from chexnet_trt.evaluation.ranking import Ranking

Array = NDArray[Any]


def auroc(labels: ArrayLike, scores: ArrayLike) -> NDArray[np.float64]:
    """AUROC a class: labels (0 or 1) and scores [images, classes] -> [classes].

    The probability that a positive scores higher than a negative, ties counting half
    (Mann-Whitney). NaN for a class without a positive or without a negative, and for one with a
    NaN score. Raises InputError when the two shapes differ.
    """
    return by_class(labels, scores, lambda ranking, weights: ranking.auroc(weights))


def macro(values: ArrayLike) -> float:
    """The mean over the classes that have a value; NaN when none has."""
    defined = np.asarray(values, np.float64)
    defined = defined[np.isfinite(defined)]
    return float(defined.mean()) if len(defined) else float("nan")


def by_class(
    labels: ArrayLike, scores: ArrayLike, metric: Callable[[Ranking, Array], Array]
) -> NDArray[np.float64]:
    """`metric` of every class, all images weighing the same."""
    truth, values = np.asarray(labels), np.asarray(scores)
    if truth.shape != values.shape or truth.ndim != 2:
        raise InputError(
            f"labels {list(truth.shape)} and scores {list(values.shape)} are not both "
            "[images, classes]"
        )
    weights = np.ones(len(truth), np.int32)
    result = np.full(truth.shape[1], np.nan)
    for index in range(truth.shape[1]):
        if not np.isnan(values[:, index]).any():
            ranking = Ranking.of(truth[:, index], values[:, index])
            result[index] = metric(ranking, weights)
    return result
