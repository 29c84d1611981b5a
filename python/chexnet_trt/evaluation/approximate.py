"""tf.metrics.auc's approximation of the AUROC, to compare with figures that were made by it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

THRESHOLDS = 200
_EPSILON = 1e-6  # TensorFlow's, against a division by zero
_MARGIN = 1e-7


def approximate_auroc(labels: ArrayLike, scores: ArrayLike) -> NDArray[np.float64]:
    """The area under the trapezoids between 200 equally spaced thresholds, [classes].

    Labels (0 or 1) and scores in 0 ... 1, both [images, classes]
    (tensorflow/python/ops/metrics_impl.py, auc with its defaults). Scores that lie close together
    share a threshold's bin, and their order is lost. NaN as for `auroc`.
    """
    truth, values = np.asarray(labels, bool), np.asarray(scores, np.float32)
    inner = np.arange(1, THRESHOLDS - 1) / (THRESHOLDS - 1)
    thresholds = np.array([-_MARGIN, *inner, 1 + _MARGIN], np.float32)
    areas = [
        _area(values[truth[:, k], k], values[~truth[:, k], k], thresholds)
        for k in range(truth.shape[1])
    ]
    return np.array(areas)


def _area(positives: NDArray[Any], negatives: NDArray[Any], thresholds: NDArray[Any]) -> float:
    if not len(positives) or not len(negatives) or np.isnan([*positives, *negatives]).any():
        return float("nan")
    found, false = (_above(group, thresholds) for group in (positives, negatives))
    recall = (found + _EPSILON) / (len(positives) + _EPSILON)
    fallout = false / (len(negatives) + _EPSILON)
    heights = (recall[:-1] + recall[1:]) / 2
    return float(np.sum((fallout[:-1] - fallout[1:]) * heights))


def _above(values: NDArray[Any], thresholds: NDArray[Any]) -> NDArray[Any]:
    return len(values) - np.searchsorted(np.sort(values), thresholds, "right")
