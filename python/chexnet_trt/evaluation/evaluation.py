"""How well one engine's scores tell the findings: the figures of every class, with intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt.evaluation.approximate import approximate_auroc
from chexnet_trt.evaluation.auprc import auprc
from chexnet_trt.evaluation.auroc import auroc, macro
from chexnet_trt.evaluation.bootstrap import (
    Distribution,
    PatientBootstrap,
    interval,
    macro_distribution,
)
from chexnet_trt.evaluation.thresholds import Thresholds, sensitivity_specificity
from chexnet_trt.evaluation.truth import MIN_POSITIVES, Truth


@dataclass(frozen=True)
class Estimate:
    """`lo` and `hi`: the 95 % interval. All NaN where it is undefined."""

    value: float
    lo: float
    hi: float


@dataclass(frozen=True)
class ClassResult:
    """`flag`: why the figures of this class say little, "" when they do. `approximate`: the AUROC
    of tf.metrics.auc. What is undefined is NaN.
    """

    name: str
    positives: int
    negatives: int
    auroc: Estimate
    auprc: Estimate
    approximate: float
    threshold: float
    sensitivity: float
    specificity: float
    flag: str


@dataclass(frozen=True)
class Evaluation:
    """`macro`: the mean AUROC of the `macro_classes` classes that have one, and so `macro_auprc`;
    `approximate`: of tf.metrics.auc. `nan_scores`: how many scores are no number.
    """

    origin: dict[str, Any]
    classes: tuple[ClassResult, ...]
    macro: Estimate
    macro_auprc: Estimate
    macro_classes: int
    approximate: float
    nan_scores: int
    resamples: int
    seed: int


def evaluate(
    truth: Truth,
    scores: NDArray[np.float32],
    bootstrap: PatientBootstrap,
    spread: Distribution,
    thresholds: Thresholds | None,
) -> Evaluation:
    """`scores` [images, classes]; `bootstrap` of the same images' patients, and what it gives for
    these scores.
    """
    exact, precision = auroc(truth.labels, scores), auprc(truth.labels, scores)
    approximate = approximate_auroc(truth.labels, scores)
    cuts = np.full(len(truth.classes), np.nan)
    if thresholds is not None:
        cuts = thresholds.values(truth.classes)
    sensitivity, specificity = sensitivity_specificity(truth.labels, scores, cuts)
    positives = truth.labels.sum(0, np.int64)
    classes = tuple(
        ClassResult(
            name=name,
            positives=int(positives[k]),
            negatives=len(truth) - int(positives[k]),
            auroc=_estimate(exact[k], spread.auroc[:, k]),
            auprc=_estimate(precision[k], spread.auprc[:, k]),
            approximate=float(approximate[k]),
            threshold=float(cuts[k]),
            sensitivity=float(sensitivity[k]),
            specificity=float(specificity[k]),
            flag=_flag(int(positives[k]), len(truth), bool(np.isnan(scores[:, k]).any())),
        )
        for k, name in enumerate(truth.classes)
    )
    return Evaluation(
        origin=truth.origin(),
        classes=classes,
        macro=_estimate(macro(exact), macro_distribution(spread.auroc)),
        macro_auprc=_estimate(macro(precision), macro_distribution(spread.auprc)),
        macro_classes=int(np.isfinite(exact).sum()),
        approximate=macro(approximate),
        nan_scores=int(np.isnan(scores).sum()),
        resamples=bootstrap.resamples,
        seed=bootstrap.seed,
    )


def _estimate(value: float, distribution: NDArray[Any]) -> Estimate:
    if math.isnan(value):
        return Estimate(math.nan, math.nan, math.nan)
    return Estimate(float(value), *interval(distribution))


def _flag(positives: int, images: int, has_nan: bool) -> str:
    if has_nan:
        return "has scores that are no number"
    for kind, count in (("positive", positives), ("negative", images - positives)):
        if count == 0:
            return f"no {kind} image"
        if count < MIN_POSITIVES:
            return f"only {count} {kind}, fewer than {MIN_POSITIVES}"
    return ""
