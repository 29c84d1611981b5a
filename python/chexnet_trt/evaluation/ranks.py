"""Rank correlation (Spearman)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def spearman(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Of scores [images, n] and [images, m]: [n, m], every column with every other.

    Ties have their mean rank. NaN for a column of equal scores, whose order says nothing, and for
    one with a NaN.
    """
    one, other = _standardised(np.asarray(first)), _standardised(np.asarray(second))
    return np.asarray(np.clip(one.T @ other, -1, 1))


def _standardised(scores: NDArray[Any]) -> NDArray[np.float64]:
    """Ranks with mean 0 and length 1 a column."""
    columns = [_ranks(column) for column in scores.T]
    ranks = np.stack(columns, axis=1) - (len(scores) - 1) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(ranks / np.sqrt((ranks**2).sum(0)))


def _ranks(scores: NDArray[Any]) -> NDArray[np.float64]:
    if np.isnan(scores).any():
        return np.full(len(scores), np.nan)
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[inverse]
