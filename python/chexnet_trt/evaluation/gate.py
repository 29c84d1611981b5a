"""The gate: whether an engine may stand in for its reference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from chexnet_trt.evaluation.comparison import ClassComparison, Comparison, Loss
from chexnet_trt.evaluation.truth import MIN_POSITIVES
from chexnet_trt.evaluation.without_nan import without_nan

CLASS_LOSS = "class AUROC loss"
CLASS_BOUND = "bound of the class loss"
FLIP_RATE = "flip rate"
PASSED, FAILED, UNDECIDABLE, EXCLUDED = "passed", "failed", "undecidable", "excluded"

# 99th percentile of |difference of scores| that a precision may reach. bf16 has 8 significant bits
# beside the 11 of fp16.
P99 = {"fp32": 0.0001, "fp16": 0.005, "bf16": 0.01, "int8": 0.05, "mixed": 0.05}
_NORMAL_95 = 1.645  # one-sided
# With so many flips allowed, their number tells a rate at the limit from one above it.
_ENOUGH_FLIPS = 10


@dataclass(frozen=True)
class Limits:
    """Largest losses of AUROC (reference minus engine), `class_losses` for classes by name;
    `class_bound`: of the one-sided 95 % bound of a class's loss. `flip_rate`: share of images that
    change sides of the operating threshold, a class. `p99`: of the absolute change of a score.
    `spearman`: least mean rank correlation.
    """

    macro_loss: float = 0.002
    class_loss: float = 0.005
    class_losses: Mapping[str, float] = field(default_factory=lambda: {"Hernia": 0.01})
    class_bound: float = 0.01
    flip_rate: float = 0.01
    p99: float = P99["int8"]
    spearman: float = 0.995


@dataclass(frozen=True)
class Check:
    """One criterion of one class, or of all ("")."""

    criterion: str
    subject: str
    value: float
    limit: float
    status: str
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """`strict`: what cannot be decided counts as failed."""

    limits: Limits
    checks: tuple[Check, ...]
    strict: bool = False

    @property
    def passed(self) -> bool:
        return not self.having(FAILED) and not (self.strict and self.having(UNDECIDABLE))

    def having(self, status: str) -> list[Check]:
        return [check for check in self.checks if check.status == status]

    def to_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = without_nan(asdict(self) | {"passed": self.passed})
        return fields


def judge(comparison: Comparison, limits: Limits, *, strict: bool = False) -> Verdict:
    """Holds a comparison against the limits.

    A limit that the sample cannot resolve is undecidable when it is missed, neither passed nor
    failed, unless it is missed by more than chance explains. Classes with still fewer positives are
    excluded from every criterion of a class.
    """
    checks = [
        _at_most("scores that are no number", comparison.nan_scores, 0),
        _macro(comparison, limits),
    ]
    for row in comparison.classes:
        checks += _of_class(row, limits)
    checks.append(_at_most("p99 of the score change", comparison.p99, limits.p99))
    checks.append(_at_least("mean Spearman correlation", comparison.spearman, limits.spearman))
    return Verdict(limits, tuple(checks), strict)


def _macro(comparison: Comparison, limits: Limits) -> Check:
    if math.isnan(comparison.macro.value):
        note = "no class has an AUROC on these images"
        return Check("macro AUROC loss", "", math.nan, limits.macro_loss, UNDECIDABLE, note)
    sample = f"{comparison.images} images of {comparison.patients} patients"
    check = _loss("macro AUROC loss", "", comparison.macro, limits.macro_loss, sample)
    if check.status == PASSED and not any(row.counted for row in comparison.classes):
        note = f"no class has {MIN_POSITIVES} positives and negatives in {sample}"
        return replace(check, status=UNDECIDABLE, note=note)
    return check


def _of_class(row: ClassComparison, limits: Limits) -> list[Check]:
    limit = limits.class_losses.get(row.name, limits.class_loss)
    if row.counted:
        return [
            _loss(CLASS_LOSS, row.name, row.loss, limit, f"{row.positives} positives"),
            _bound(row, limits.class_bound),
            _flips(row, limits.flip_rate),
        ]
    note = f"{row.positives} positives of {row.images} images"
    return [
        Check(criterion, row.name, value, its_limit, EXCLUDED, note)
        for criterion, value, its_limit in (
            (CLASS_LOSS, row.loss.value, limit),
            (CLASS_BOUND, row.loss.upper, limits.class_bound),
            (FLIP_RATE, row.flip_rate, limits.flip_rate),
        )
    ]


def _loss(criterion: str, subject: str, loss: Loss, limit: float, sample: str) -> Check:
    """Undecidable where an engine that loses nothing could miss the limit by chance."""
    check = _at_most(criterion, loss.value, limit, subject)
    if check.status == PASSED or loss.margin <= limit or loss.lower > limit:
        return check
    note = f"{sample}, chance alone gives {loss.margin:.2g}"
    return replace(check, status=UNDECIDABLE, note=note)


def _bound(row: ClassComparison, limit: float) -> Check:
    """Undecidable where an engine that loses nothing would miss the limit."""
    check = _at_most(CLASS_BOUND, row.loss.upper, limit, row.name)
    if check.status == PASSED or row.loss.margin <= limit or row.loss.lower > limit:
        return check
    note = f"{row.positives} positives"
    if limit > 0:
        needed = math.ceil(row.positives * (row.loss.margin / limit) ** 2)
        note += f", about {needed} would decide"
    return replace(check, status=UNDECIDABLE, note=note)


def _flips(row: ClassComparison, limit: float) -> Check:
    """Undecidable where so few flips are allowed that one more or less is chance."""
    if row.flips is None:
        note = "no operating threshold"
        return Check(FLIP_RATE, row.name, math.nan, limit, EXCLUDED, note)
    check = _at_most(FLIP_RATE, row.flip_rate, limit, row.name)
    enough = row.images * limit >= _ENOUGH_FLIPS
    if check.status == PASSED or enough or _wilson_lower(row.flips, row.images) > limit:
        return check
    note = f"{row.flips} of {row.images} images"
    if limit > 0:
        note += f", about {math.ceil(_ENOUGH_FLIPS / limit)} would decide"
    return replace(check, status=UNDECIDABLE, note=note)


def _wilson_lower(count: int, total: int) -> float:
    """One-sided 95 % lower bound of a share (Wilson 1927)."""
    share, z2 = count / total, _NORMAL_95**2
    spread = _NORMAL_95 * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    return (share + z2 / (2 * total) - spread) / (1 + z2 / total)


def _at_most(criterion: str, value: float, limit: float, subject: str = "") -> Check:
    return _check(criterion, subject, value, limit, value - limit)


def _at_least(criterion: str, value: float, limit: float, subject: str = "") -> Check:
    return _check(criterion, subject, value, limit, limit - value)


def _check(criterion: str, subject: str, value: float, limit: float, excess: float) -> Check:
    if excess <= 0:
        return Check(criterion, subject, value, limit, PASSED)
    return Check(criterion, subject, value, limit, FAILED, f"by {excess:.2g}")
