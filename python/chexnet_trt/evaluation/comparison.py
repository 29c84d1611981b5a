"""An engine's scores beside a reference's on the same images: what is lost, what changes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt.evaluation.auroc import auroc, macro
from chexnet_trt.evaluation.bootstrap import Distribution, macro_distribution, quantile
from chexnet_trt.evaluation.ranks import spearman
from chexnet_trt.evaluation.thresholds import Thresholds
from chexnet_trt.evaluation.truth import Truth

Array = NDArray[Any]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Loss:
    """AUROC of the reference minus that of the engine, with its one-sided 95 % bounds from the
    paired bootstrap: the same resamples for both. NaN where one of the two has no AUROC.
    """

    value: float
    lower: float
    upper: float

    @property
    def margin(self) -> float:
        """What the sample adds to the loss: the bound of an engine that ranks as unlike the
        reference as this one, but loses nothing.
        """
        return self.upper - self.value


@dataclass(frozen=True)
class ClassComparison:
    """`flips`: how many images change sides of the threshold, None without a threshold. `p99` and
    `largest`: of the score's absolute change. `counted`: enough positives for the gate.
    """

    name: str
    positives: int
    counted: bool
    loss: Loss
    flips: int | None
    images: int
    p99: float
    largest: float
    spearman: float

    @property
    def flip_rate(self) -> float:
        return math.nan if self.flips is None else self.flips / self.images


@dataclass(frozen=True)
class Comparison:
    """`macro`: over the classes that are counted, or all when none is; `p99` and `largest`: over
    all scores, infinite when one is no number. `spearman`: mean of the classes. `nan_scores`: of
    the engine. `argmax_agreement`: the share of images with the same highest score.
    """

    images: int
    patients: int
    classes: tuple[ClassComparison, ...]
    macro: Loss
    macro_classes: int
    p99: float
    largest: float
    spearman: float
    nan_scores: int
    argmax_agreement: float


def compare(
    truth: Truth,
    scores: Array,
    reference: Array,
    distributions: tuple[Distribution, Distribution],
    thresholds: Thresholds | None,
) -> Comparison:
    """Both [images, classes], their `distributions` in the same order, of one PatientBootstrap."""
    drawn, drawn_reference = distributions
    lost = auroc(truth.labels, reference) - auroc(truth.labels, scores)
    spread = drawn_reference.auroc - drawn.auroc
    counted = truth.counted() & np.isfinite(lost)
    chosen = counted if counted.any() else np.isfinite(lost)
    change = _change(scores, reference)
    likeness = _likeness(scores, reference)
    flips = _flips(truth, scores, reference, thresholds)
    positives = truth.labels.sum(0, np.int64)
    classes = tuple(
        ClassComparison(
            name=name,
            positives=int(positives[k]),
            counted=bool(counted[k]),
            loss=_loss(lost[k], spread[:, k]),
            flips=flips[k],
            images=len(truth),
            p99=_p99(change[:, k]),
            largest=float(change[:, k].max()),
            spearman=float(likeness[k]),
        )
        for k, name in enumerate(truth.classes)
    )
    same = np.argmax(scores, axis=1) == np.argmax(reference, axis=1)
    return Comparison(
        images=len(truth),
        patients=len(set(truth.patients)),
        classes=classes,
        macro=_loss(macro(lost[chosen]), macro_distribution(spread[:, chosen])),
        macro_classes=int(chosen.sum()),
        p99=_p99(change),
        largest=float(change.max()),
        spearman=float(likeness.mean()),
        nan_scores=int(np.isnan(scores).sum()),
        argmax_agreement=float(same.mean()),
    )


def _loss(value: float, spread: Array) -> Loss:
    return Loss(float(value), quantile(spread, 1 - CONFIDENCE), quantile(spread, CONFIDENCE))


def _change(scores: Array, reference: Array) -> Array:
    with np.errstate(invalid="ignore"):
        change = np.abs(scores.astype(np.float64) - reference)
    return np.asarray(np.where(np.isnan(change), np.inf, change))


def _p99(change: Array) -> float:
    return float(np.quantile(change, 0.99, method="higher"))


def _likeness(scores: Array, reference: Array) -> Array:
    """Spearman [classes]: 1 for equal columns, even constant ones; 0 where it is undefined."""
    found = [
        1.0 if np.array_equal(one, other) else spearman(one[:, None], other[:, None])[0, 0]
        for one, other in zip(scores.T, reference.T, strict=True)
    ]
    return np.asarray(np.nan_to_num(found))


def _flips(
    truth: Truth, scores: Array, reference: Array, thresholds: Thresholds | None
) -> list[int | None]:
    if thresholds is None:
        return [None] * len(truth.classes)
    cuts = thresholds.values(truth.classes)
    changed = ((scores >= cuts) != (reference >= cuts)).sum(0)
    return [None if np.isnan(cut) else int(n) for cut, n in zip(cuts, changed, strict=True)]
