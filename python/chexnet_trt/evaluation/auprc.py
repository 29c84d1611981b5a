"""The area under the precision-recall curve, as average precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chexnet_trt.evaluation.auroc import by_class


def auprc(labels: ArrayLike, scores: ArrayLike) -> NDArray[np.float64]:
    """Average precision a class, otherwise as `auroc`. Chance is the share of positives."""
    return by_class(labels, scores, lambda ranking, weights: ranking.auprc(weights))
