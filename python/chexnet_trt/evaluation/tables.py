"""Evaluations, comparisons and verdicts as lines for a reader."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from chexnet_trt.evaluation.assessment import Assessment
from chexnet_trt.evaluation.comparison import Comparison
from chexnet_trt.evaluation.evaluation import Estimate, Evaluation
from chexnet_trt.evaluation.gate import (
    CLASS_LOSS,
    EXCLUDED,
    FAILED,
    PASSED,
    UNDECIDABLE,
    Check,
    Verdict,
)
from chexnet_trt.evaluation.record import SYNTHETIC
from chexnet_trt.evaluation.truth import MIN_POSITIVES

_NAME = 19
_WORST_FIRST = (FAILED, UNDECIDABLE, PASSED, EXCLUDED)


def evaluation_lines(evaluation: Evaluation, *, approximate: bool = False) -> list[str]:
    """`approximate`: with tf.metrics.auc's values beside the exact ones."""
    origin = evaluation.origin
    header = f"{'finding':<{_NAME}} {'positives':>9}  {'AUROC':>6}  {'95 % interval':<16}"
    header += "  approx" if approximate else ""
    header += f"  {'AUPRC':>6}  {'95 % interval':<16}  {'threshold':>9}  {'sens.':>6}  {'spec.':>6}"
    lines = [
        f"{origin['split']}: {origin['n']:,} images of {origin['patients']:,} patients",
        *([SYNTHETIC] if origin["synthetic"] else []),
        header,
    ]
    for row in evaluation.classes:
        line = f"{row.name + ('*' if row.flag else ''):<{_NAME}} {row.positives:>9}  "
        line += _estimate(row.auroc) + (f"  {_number(row.approximate)}" if approximate else "")
        line += f"  {_estimate(row.auprc)}  {_threshold(row.threshold)}"
        lines.append(f"{line}  {_number(row.sensitivity)}  {_number(row.specificity)}")
    line = f"{f'macro ({evaluation.macro_classes} classes)':<{_NAME}} {'':>9}  "
    line += _estimate(evaluation.macro)
    line += f"  {_number(evaluation.approximate)}" if approximate else ""
    lines.append(f"{line}  {_estimate(evaluation.macro_auprc)}")
    lines += [f"* {row.name}: {row.flag}" for row in evaluation.classes if row.flag]
    lines.append(
        f"intervals: bootstrap of patients, {evaluation.resamples:,} resamples, seed "
        f"{evaluation.seed}"
    )
    return [line.rstrip() for line in lines]


def assessment_lines(assessment: Assessment) -> list[str]:
    """All but the figures of the engine itself: the comparison, the verdict and the advice."""
    lines = []
    if assessment.comparison is not None:
        lines += comparison_lines(assessment.comparison)
    if assessment.verdict is not None:
        lines += ["", *verdict_lines(assessment.verdict)]
    return lines + ([assessment.advice] if assessment.advice else [])


def comparison_lines(comparison: Comparison) -> list[str]:
    header = f"{'finding':<{_NAME}} {'AUROC loss':>10}  {'95 % bound':>10}  {'flips':>7}  "
    lines = [f"{header}{'p99 |dp|':>8}  {'largest':>8}  {'Spearman':>8}"]
    for row in comparison.classes:
        flips = "-" if row.flips is None else f"{row.flip_rate:.2%}"
        lines.append(
            f"{row.name + ('' if row.counted else '*'):<{_NAME}} {_signed(row.loss.value)}  "
            f"{_signed(row.loss.upper)}  {flips:>7}  {row.p99:>8.2g}  {row.largest:>8.2g}  "
            f"{row.spearman:>8.5f}"
        )
    lines.append(
        f"{f'all ({comparison.macro_classes} classes)':<{_NAME}} {_signed(comparison.macro.value)}"
        f"  {_signed(comparison.macro.upper)}  {'':>7}  {comparison.p99:>8.2g}  "
        f"{comparison.largest:>8.2g}  {comparison.spearman:>8.5f}"
    )
    lines.append(f"argmax agrees on {comparison.argmax_agreement:.2%} of the images (no criterion)")
    return lines


def verdict_lines(verdict: Verdict) -> list[str]:
    """A line a criterion with its worst class, then a line for what did not pass of each."""
    lines = [f"gate: {'passed' if verdict.passed else 'FAILED'}"]
    lines.append(f"  {'criterion':<26} {'worst':>10}  {'limit':>7}")
    groups = list(_by_criterion(verdict.checks))
    for criterion, limit, checks in groups:
        worst = _worst(checks)
        of = f" (worst: {worst.subject})" if worst.subject else ""
        counts = _counts(checks)
        lines.append(f"  {criterion:<26} {_value(worst.value)}  {limit:>7g}  {counts}{of}")
    for status in (FAILED, UNDECIDABLE, EXCLUDED):
        for criterion, limit, checks in groups:
            rows = [_detail(check) for check in checks if check.status == status]
            if rows:
                lines.append(f"{status}: {criterion}, limit {limit:g}: {'; '.join(rows)}")
    if verdict.having(UNDECIDABLE):
        lines.append(
            "undecidable is what this sample is too small for: an engine that loses nothing could "
            "miss the limit by chance, so it says nothing of the engine"
        )
    if any(check.criterion == CLASS_LOSS for check in verdict.having(EXCLUDED)):
        lines.append(
            f"excluded, flips too, are classes with fewer than {MIN_POSITIVES} positives or "
            "negatives"
        )
    if any(check.criterion == CLASS_LOSS for check in verdict.checks):
        lines.append("positives, negatives and flips are images, not patients")
    return lines


def _by_criterion(checks: Sequence[Check]) -> Iterator[tuple[str, float, list[Check]]]:
    groups: dict[tuple[str, float], list[Check]] = {}
    for check in checks:
        groups.setdefault((check.criterion, check.limit), []).append(check)
    return ((criterion, limit, found) for (criterion, limit), found in groups.items())


def _worst(checks: Sequence[Check]) -> Check:
    ranked = sorted(checks, key=lambda check: _WORST_FIRST.index(check.status))
    alike = [check for check in ranked if check.status == ranked[0].status]
    return max(alike, key=lambda check: -math.inf if math.isnan(check.value) else check.value)


def _counts(checks: Sequence[Check]) -> str:
    if len(checks) == 1:
        return checks[0].status
    counts = {s: sum(check.status == s for check in checks) for s in _WORST_FIRST}
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count)


def _detail(check: Check) -> str:
    value = "" if math.isnan(check.value) else f"{check.value:.4g}"
    note = f"({check.note})" if check.note else ""
    return " ".join(filter(None, (check.subject, value, note)))


def _estimate(estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return f"{'-':>6}  {'':<16}"
    return f"{estimate.value:6.4f}  {estimate.lo:.4f} to {estimate.hi:.4f}"


def _number(value: float) -> str:
    return f"{'-' if math.isnan(value) else f'{value:.4f}':>6}"


def _threshold(value: float) -> str:
    return f"{'-' if math.isnan(value) else f'{value:.4g}':>9}"


def _signed(value: float) -> str:
    return f"{'-' if math.isnan(value) else f'{value:+.4f}':>10}"


def _value(value: float) -> str:
    return f"{'-' if math.isnan(value) else f'{value:.4g}':>10}"
