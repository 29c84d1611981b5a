"""Operating thresholds: a score of at least the threshold says that the finding is there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chexnet_trt._core import InputError
from chexnet_trt.evaluation.truth import Truth

YOUDEN = "youden"
_SHARES = ("sensitivity", "specificity")


@dataclass(frozen=True)
class Rule:
    """How a threshold is chosen: the largest Youden's J (sensitivity + specificity - 1), or the
    best of the other quantity among those with at least `share` of `kind`.
    """

    kind: str = YOUDEN
    share: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Rule:
        """youden, sensitivity=S or specificity=S with S between 0 and 1. Raises InputError."""
        if text == YOUDEN:
            return cls()
        kind, _, number = text.partition("=")
        try:
            share = float(number)
        except ValueError:
            share = math.nan
        if kind not in _SHARES or not 0 < share <= 1:
            raise InputError(
                f"thresholds '{text}': expected youden, sensitivity=0.9 or specificity=0.9, say"
            )
        return cls(kind, share)

    def __str__(self) -> str:
        return self.kind if self.kind == YOUDEN else f"{self.kind}={self.share:g}"


@dataclass(frozen=True)
class Thresholds:
    """`by_class`: only the classes that had positives and negatives to choose with. `origin`: the
    images that they were chosen on.
    """

    rule: str
    origin: Mapping[str, Any]
    by_class: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """What the engine manifest keeps under "thresholds"."""
        return {"rule": self.rule, **self.origin, "per_class": dict(self.by_class)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Thresholds:
        """The inverse. Raises InputError for what it would not have written."""
        try:
            origin = {k: v for k, v in fields.items() if k not in ("rule", "per_class")}
            by_class = {str(k): float(v) for k, v in fields["per_class"].items()}
            return cls(str(fields["rule"]), origin, by_class)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise InputError(
                "the thresholds in the engine's manifest are malformed; choose them again with "
                "--choose-thresholds"
            ) from None

    def provenance(self) -> str:
        """In words."""
        drawn = ", SYNTHETIC" if self.origin.get("synthetic") else ""
        return f"{self.rule} on {self.origin.get('split')}, {self.origin.get('n')} images{drawn}"

    def values(self, classes: Sequence[str]) -> NDArray[np.float64]:
        """[classes], NaN for one without a threshold."""
        return np.array([self.by_class.get(name, np.nan) for name in classes])


def choose(truth: Truth, scores: NDArray[np.float32], rule: Rule) -> Thresholds:
    """`scores` [images, classes]. Classes without positives or without negatives, or with a NaN
    score, get none.
    """
    found = {}
    for index, name in enumerate(truth.classes):
        column, labels = scores[:, index], truth.labels[:, index] > 0
        if labels.any() and not labels.all() and not np.isnan(column).any():
            found[name] = _choose(column[labels], column[~labels], rule)
    return Thresholds(str(rule), truth.origin(), found)


def sensitivity_specificity(
    labels: ArrayLike, scores: ArrayLike, thresholds: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each [classes]; NaN without a threshold, with a NaN score, and without positives or negatives
    respectively.
    """
    truth, values = np.asarray(labels, bool), np.asarray(scores, np.float64)
    found = values >= thresholds
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity = (found & truth).sum(0) / truth.sum(0)
        specificity = (~found & ~truth).sum(0) / (~truth).sum(0)
    undefined = np.isnan(thresholds) | np.isnan(values).any(0)
    return np.where(undefined, np.nan, sensitivity), np.where(undefined, np.nan, specificity)


def _choose(positives: NDArray[Any], negatives: NDArray[Any], rule: Rule) -> float:
    """Of equally good ones the highest, half way to the next lower score; it may lie above all."""
    scores = np.unique(np.concatenate([positives, negatives]))[::-1]
    above = np.nextafter(np.float32(scores[0]), np.float32(np.inf))
    cuts = np.array([above, *scores], np.float64)
    sensitivity = (len(positives) - _below(positives, cuts)) / len(positives)
    specificity = _below(negatives, cuts) / len(negatives)
    if rule.kind == "sensitivity":
        index = int(np.argmax(sensitivity >= rule.share))
    elif rule.kind == "specificity":
        index = int(np.argmax(np.where(specificity >= rule.share, sensitivity, -1)))
    else:
        index = int(np.argmax(sensitivity + specificity))
    below = cuts[index + 1] if index + 1 < len(cuts) else cuts[index]
    return float((cuts[index] + below) / 2)


def _below(values: NDArray[Any], cuts: NDArray[Any]) -> NDArray[Any]:
    """How many of `values` are lower than each cut."""
    return np.searchsorted(np.sort(values), cuts, "left")
