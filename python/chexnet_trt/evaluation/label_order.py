"""Scores under another class's name: the engine's labels are in the wrong order.

That is an error nowhere else, it only makes every AUROC look like chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chexnet_trt.evaluation.auroc import auroc
from chexnet_trt.evaluation.ranks import spearman
from chexnet_trt.evaluation.truth import Truth
from chexnet_trt.labels import LABELS

# Orders in use elsewhere, by who uses them.
KNOWN_ORDERS: Mapping[str, tuple[str, ...]] = {
    "CheXNet": (
        "Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia",
        "Pneumothorax", "Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening",
        "Hernia",
    ),
    "TorchXRayVision": (
        "Atelectasis", "Consolidation", "Infiltration", "Pneumothorax", "Edema", "Emphysema",
        "Fibrosis", "Effusion", "Pneumonia", "Pleural_Thickening", "Cardiomegaly", "Nodule", "Mass",
        "Hernia",
    ),
    "the whitepaper": LABELS,
}  # fmt: skip

# Another column's ranking, not merely a similar one: findings that occur together reach less.
_SAME_RANKING = 0.9
_ADVANTAGE = 0.1
_PLAUSIBLE_AUROC = 0.7  # chance does not reach it with 20 positives a class


def order_of_reference(scores: ArrayLike, reference: ArrayLike) -> list[int]:
    """For each column of `scores` the column of `reference` that it equals in ranks and values, if
    that is another one for some, and clearly so; else its own index. Both [images, classes].
    """
    one, other = np.nan_to_num(scores), np.nan_to_num(reference)
    likeness = np.nan_to_num(spearman(one, other)) - _mean_distances(one, other)
    order = _assignment(likeness)
    moved = order != np.arange(len(order))
    if not moved.any():
        return _list(order)
    matched = likeness[moved, order[moved]].mean()
    clear = matched >= max(_SAME_RANKING, np.diag(likeness)[moved].mean() + _ADVANTAGE)
    return _list(order) if clear else list(range(len(order)))


def order_of_labels(truth: Truth, scores: ArrayLike) -> list[int]:
    """For each column of `scores` the class that it predicts, if the scores predict the classes in
    another order much better than in their own; else its own index. Classes with few positives
    keep their place.
    """
    values = np.nan_to_num(scores)
    order = np.arange(len(truth.classes))
    counted = np.flatnonzero(truth.counted())
    if not len(counted):
        return _list(order)
    quality = np.stack([_auroc_of_column(truth.labels[:, counted], values[:, k]) for k in counted])
    found = _assignment(quality)
    best = quality[np.arange(len(found)), found].mean()
    if best >= max(_PLAUSIBLE_AUROC, np.diag(quality).mean() + _ADVANTAGE):
        order[counted] = counted[found]
    return _list(order)


def explain(order: Sequence[int], classes: Sequence[str]) -> str | None:
    """What to tell the user; None when every column is its own."""
    moved = [k for k, other in enumerate(order) if other != k]
    if not moved:
        return None
    actual = [classes[k] for k in order]
    pairs = ", ".join(f"{classes[k]} -> {actual[k]}" for k in moved)
    known = [name for name, names in KNOWN_ORDERS.items() if list(names) == actual]
    whose = f", as in {known[0]}" if known else ""
    return (
        f"the label order looks wrong: {len(moved)} scores behave like those of another finding "
        f"({pairs}). In the engine's order they seem to be{whose}: {', '.join(actual)}; check the "
        "--labels that it was built with"
    )


def _auroc_of_column(labels: NDArray[Any], column: NDArray[Any]) -> NDArray[np.float64]:
    """One column of scores against every class."""
    return auroc(labels, np.repeat(column[:, None], labels.shape[1], axis=1))


def _mean_distances(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """[n, m], every column from every other."""
    return np.stack([np.abs(other - column[:, None]).mean(0) for column in one.T])


def _assignment(values: NDArray[Any]) -> NDArray[np.intp]:
    """A column for each row, none twice: again and again the largest value that is left."""
    left = values.copy()
    result = np.zeros(len(values), np.intp)
    for _ in range(len(values)):
        row, column = np.unravel_index(np.argmax(left), left.shape)
        result[row] = column
        left[row, :] = left[:, column] = -np.inf
    return result


def _list(order: NDArray[Any]) -> list[int]:
    return [int(index) for index in order]
