"""The gate's criteria, each of which can fail alone, and what it calls undecidable."""

from __future__ import annotations

import json
import math

import pytest

from chexnet_trt.evaluation.comparison import ClassComparison, Comparison, Loss
from chexnet_trt.evaluation.gate import (
    EXCLUDED,
    FAILED,
    P99,
    PASSED,
    UNDECIDABLE,
    Limits,
    Verdict,
    judge,
)
from chexnet_trt.evaluation.tables import verdict_lines

NO_LOSS = Loss(0.0, -0.001, 0.001)
CLASS = {
    "name": "Mass", "positives": 400, "counted": True, "loss": NO_LOSS, "flips": 5, "images": 2000,
    "p99": 0.01, "largest": 0.02, "spearman": 0.999,
}  # fmt: skip
ALL = {
    "images": 2000, "patients": 900, "macro": NO_LOSS, "macro_classes": 1, "p99": 0.01,
    "largest": 0.02, "spearman": 0.999, "nan_scores": 0, "argmax_agreement": 0.5,
}  # fmt: skip


def comparison(*classes: dict[str, object], **whole: object) -> Comparison:
    """Passes, of one class, but for these changes of classes and of the whole."""
    rows = tuple(ClassComparison(**(CLASS | changes)) for changes in classes or ({},))
    return Comparison(**(ALL | {"classes": rows} | whole))


def statuses(verdict: Verdict, status: str) -> list[str]:
    return [check.criterion for check in verdict.having(status)]


def test_all_is_well():
    verdict = judge(comparison(), Limits())
    assert verdict.passed
    assert statuses(verdict, PASSED) == [check.criterion for check in verdict.checks]
    assert len(verdict.checks) == 7


@pytest.mark.parametrize(
    ("row", "whole", "criterion"),
    [
        ({}, {"nan_scores": 1}, "scores that are no number"),
        ({}, {"macro": Loss(0.0021, 0.0015, 0.0027)}, "macro AUROC loss"),
        ({"loss": Loss(0.0051, 0.004, 0.0062)}, {}, "class AUROC loss"),
        ({"loss": Loss(0.0049, -0.001, 0.0101)}, {}, "bound of the class loss"),
        ({"flips": 21}, {}, "flip rate"),
        ({}, {"p99": 0.0501}, "p99 of the score change"),
        ({}, {"p99": math.inf}, "p99 of the score change"),
        ({}, {"spearman": 0.9949}, "mean Spearman correlation"),
    ],
)
def test_every_criterion_fails_alone(row, whole, criterion):
    verdict = judge(comparison(row, **whole), Limits())
    assert statuses(verdict, FAILED) == [criterion]
    assert not verdict.passed
    lines = verdict_lines(verdict)
    assert lines[0] == "gate: FAILED"
    assert sum(line.startswith(f"failed: {criterion}") for line in lines) == 1


@pytest.mark.parametrize(
    ("row", "whole", "limits"),
    [
        ({}, {"macro": Loss(0.02, 0.019, 0.021)}, {"macro_loss": 0.02}),
        ({"loss": Loss(0.02, 0.015, 0.025)}, {}, {"class_loss": 0.02, "class_bound": 0.025}),
        ({"flips": 2000}, {}, {"flip_rate": 1}),
        ({}, {"p99": 0.5}, {"p99": 0.5}),
        ({}, {"spearman": 0.5}, {"spearman": 0.5}),
        ({"name": "Hernia", "loss": Loss(0.009, 0.008, 0.0095)}, {}, {}),
    ],
)
def test_limits_are_inclusive_options(row, whole, limits):
    assert not judge(comparison(row, **whole), Limits(class_losses={})).passed
    assert judge(comparison(row, **whole), Limits(**limits)).passed


def test_a_bound_that_few_positives_cannot_meet_is_undecidable():
    few = comparison({"positives": 30, "loss": Loss(0.001, -0.02, 0.022)})
    verdict = judge(few, Limits())
    assert statuses(verdict, UNDECIDABLE) == ["bound of the class loss"]
    assert verdict.passed
    assert not judge(few, Limits(), strict=True).passed
    (check,) = verdict.having(UNDECIDABLE)
    assert check.note == f"30 positives, about {math.ceil(30 * 2.1**2)} would decide"
    assert "undecidable is what this sample is too small for" in "\n".join(verdict_lines(verdict))


def test_limits_of_zero_are_judged_too():
    row = {"loss": Loss(0.001, -0.02, 0.022), "flips": 1, "images": 50}
    verdict = judge(comparison(row), Limits(class_loss=0, class_bound=0, flip_rate=0))
    assert {check.criterion: check.status for check in verdict.checks if check.subject} == {
        "class AUROC loss": UNDECIDABLE, "bound of the class loss": UNDECIDABLE,
        "flip rate": FAILED,
    }  # fmt: skip


def test_a_loss_beyond_what_chance_explains_fails_for_all_its_few_positives():
    doubtful = judge(comparison({"positives": 30, "loss": Loss(0.015, -0.005, 0.035)}), Limits())
    assert statuses(doubtful, UNDECIDABLE) == ["class AUROC loss", "bound of the class loss"]
    certain = judge(comparison({"positives": 30, "loss": Loss(0.06, 0.02, 0.1)}), Limits())
    assert statuses(certain, FAILED) == ["class AUROC loss", "bound of the class loss"]
    macro = judge(comparison(macro=Loss(0.003, -0.001, 0.007)), Limits())
    assert statuses(macro, UNDECIDABLE) == ["macro AUROC loss"]


@pytest.mark.parametrize(
    ("flips", "images", "status"),
    [
        (0, 50, PASSED), (1, 50, UNDECIDABLE), (10, 50, FAILED), (3, 300, PASSED),
        (4, 300, UNDECIDABLE), (7, 300, FAILED), (10, 1000, PASSED), (11, 1000, FAILED),
    ],
)  # fmt: skip
def test_flips_of_few_images(flips, images, status):
    verdict = judge(comparison({"flips": flips, "images": images}), Limits())
    assert {c.criterion: c.status for c in verdict.checks}["flip rate"] == status


def test_excluded_classes_say_why():
    few = {"counted": False, "positives": 7, "loss": Loss(0.5, 0.4, 0.6), "flips": 900}
    verdict = judge(comparison(few, {"name": "Edema"}), Limits(), strict=True)
    assert verdict.passed
    excluded = verdict.having(EXCLUDED)
    criteria = ["class AUROC loss", "bound of the class loss", "flip rate"]
    assert [check.criterion for check in excluded] == criteria
    assert {check.subject for check in excluded} == {"Mass"}
    assert {check.note for check in excluded} == {"7 positives of 2000 images"}
    lines = verdict_lines(verdict)
    assert "excluded: class AUROC loss, limit 0.005: Mass 0.5 (7 positives of 2000 images)" in lines
    assert "excluded: flip rate, limit 0.01: Mass 0.45 (7 positives of 2000 images)" in lines
    assert lines[-2:] == [
        "excluded, flips too, are classes with fewer than 20 positives or negatives",
        "positives, negatives and flips are images, not patients",
    ]
    none = judge(comparison({"flips": None}), Limits())
    assert [check.note for check in none.having(EXCLUDED)] == ["no operating threshold"]


UNDEFINED = {"counted": False, "positives": 0, "loss": Loss(math.nan, math.nan, math.nan)}


def test_without_any_auroc_nothing_is_decided():
    verdict = judge(comparison(UNDEFINED, macro=UNDEFINED["loss"]), Limits())
    assert statuses(verdict, UNDECIDABLE) == ["macro AUROC loss"]


def test_a_gate_of_excluded_classes_alone_is_undecidable():
    few = {"counted": False, "positives": 7}
    verdict = judge(comparison(few), Limits())
    (check,) = verdict.having(UNDECIDABLE)
    assert check.note.startswith("no class has 20 positives and negatives in 2000 images")
    assert not judge(comparison(few), Limits(), strict=True).passed
    worse = judge(comparison(few, macro=Loss(0.1, 0.05, 0.15)), Limits())
    assert statuses(worse, FAILED) == ["macro AUROC loss"]


def test_json_is_complete_and_without_nan():
    verdict = judge(comparison(UNDEFINED), Limits())
    fields = json.loads(json.dumps(verdict.to_json(), allow_nan=False))
    assert fields["passed"] is True
    assert fields["limits"]["class_losses"] == {"Hernia": 0.01}
    assert len(fields["checks"]) == len(verdict.checks)
    assert fields["checks"][2]["value"] is None


def test_limits_by_precision():
    assert P99["int8"] == P99["mixed"] == 0.05
    assert P99["fp32"] < P99["fp16"] == 0.005 < P99["bf16"] < P99["int8"]


def test_the_worst_class_is_shown():
    flips = {"Edema": 25, "Mass": 40, "Nodule": 3}
    rows = [{"name": name, "flips": count} for name, count in flips.items()]
    lines = verdict_lines(judge(comparison(*rows), Limits()))
    (row,) = [line for line in lines if line.strip().startswith("flip rate")]
    assert row.split() == ["flip", "rate", "0.02", "0.01", "2", "failed,", "1", "passed",
                           "(worst:", "Mass)"]  # fmt: skip
    assert "failed: flip rate, limit 0.01: Edema 0.0125 (by 0.0025); Mass 0.02 (by 0.01)" in lines
    assert all("Nodule" not in line for line in lines)
