"""What an engine's manifest keeps of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chexnet_trt.evaluation.assessment import Assessment
from chexnet_trt.evaluation.evaluation import Estimate
from chexnet_trt.evaluation.gate import EXCLUDED, FAILED, UNDECIDABLE
from chexnet_trt.evaluation.without_nan import without_nan

SYNTHETIC = "SYNTHETIC data: these figures say nothing of real films"


def accuracy_fields(assessment: Assessment) -> dict[str, Any]:
    """The manifest's "accuracy"; a reference that it was compared with is fp32."""
    evaluation, comparison = assessment.evaluation, assessment.comparison
    per_class = {
        row.name: {
            **_estimate(row.auroc),
            "auprc": row.auprc.value,
            "positives": row.positives,
            "delta_vs_fp32": None,
            "flip_rate": None,
        }
        for row in evaluation.classes
    }
    overall = {**_estimate(evaluation.macro), "classes": evaluation.macro_classes}
    overall |= {"delta_vs_fp32": None, "compared_classes": None}
    if comparison is not None:
        overall["delta_vs_fp32"] = -comparison.macro.value
        overall["compared_classes"] = comparison.macro_classes
        for row in comparison.classes:
            per_class[row.name] |= {"delta_vs_fp32": -row.loss.value, "flip_rate": row.flip_rate}
    fields: dict[str, Any] = without_nan(
        {
            **evaluation.origin,
            "resamples": evaluation.resamples,
            "seed": evaluation.seed,
            "macro": overall,
            "per_class": per_class,
            "gate": assessment.verdict and assessment.verdict.to_json(),
        }
    )
    return fields


def accuracy_summary(fields: Mapping[str, Any] | None) -> list[str]:
    """A manifest's "accuracy" in words, without the classes."""
    if not fields:
        return []
    overall = fields["macro"]
    images = f"{fields['n']:,} images of {fields['patients']:,} patients"
    macro = f"macro AUROC {_interval(overall)} over {overall['classes']} classes"
    lines = [f"{macro}, {fields['split']}: {images}"]
    if fields["synthetic"]:
        lines.append(SYNTHETIC)
    if fields["gate"]:
        lines.append(f"gate against fp32: {_gate(fields['gate'])}")
    return lines


def accuracy_lines(fields: Mapping[str, Any] | None) -> list[str]:
    """A manifest's "accuracy" in words."""
    lines = accuracy_summary(fields)
    for name, row in (fields or {"per_class": {}})["per_class"].items():
        change = row.get("delta_vs_fp32")
        beside = "" if change is None else f", {change:+.4f} against fp32"
        lines.append(f"{name:<18} {_interval(row)}, {row['positives']} positives{beside}")
    return lines


def threshold_lines(fields: Mapping[str, Any] | None) -> list[str]:
    """A manifest's "thresholds" in words."""
    if not fields:
        return []
    values = ", ".join(f"{name} {value:.4g}" for name, value in fields["per_class"].items())
    drawn = "; SYNTHETIC data" if fields.get("synthetic") else ""
    return [f"{fields['rule']} on {fields.get('split')}{drawn}: {values}"]


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {"auroc": estimate.value, "ci_lo": estimate.lo, "ci_hi": estimate.hi}


def _interval(row: Mapping[str, Any]) -> str:
    if row["auroc"] is None:
        return "undefined"
    if row["ci_lo"] is None:
        return f"{row['auroc']:.4f}"
    return f"{row['auroc']:.4f} ({row['ci_lo']:.4f} to {row['ci_hi']:.4f})"


def _gate(gate: Mapping[str, Any]) -> str:
    counts = {
        status: sum(check["status"] == status for check in gate["checks"])
        for status in (FAILED, UNDECIDABLE, EXCLUDED)
    }
    words = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    result = "passed" if gate["passed"] else "failed"
    return f"{result}, of {len(gate['checks'])} criteria {words}" if words else result
