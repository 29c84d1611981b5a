"""The patients and what is drawn of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from chexnet_trt.labels import LABELS
from chexnet_trt.synthetic import Exam, Patient, exams, render

SIZE = 256


def test_every_finding_can_be_learned_and_tested():
    drawn = exams(0, 1600)
    counts = Counter(name for exam in drawn for name in exam.findings)
    tested = Counter(name for exam in drawn if exam.patient.is_test for name in exam.findings)
    assert set(counts) == set(LABELS)
    assert min(counts.values()) >= 0.035 * len(drawn)
    assert min(tested.values()) >= 12
    assert counts["Infiltration"] > 2 * counts["Hernia"]
    assert 0.2 < sum(exam.patient.is_test for exam in drawn) / len(drawn) < 0.3
    assert sum(not exam.findings for exam in drawn) > 0.2 * len(drawn)
    assert set(LABELS) == {name for exam in exams(0, 400) for name in exam.findings}


def test_patients_come_again_and_their_findings_last_and_change():
    drawn = exams(3, 500)
    assert drawn[:100] == exams(3, 100)
    assert drawn[:100] != exams(4, 100)
    pairs = [(a, b) for a, b in pairwise(drawn) if b.follow_up]
    assert len(pairs) > 100
    assert all(a.patient == b.patient and a.follow_up + 1 == b.follow_up for a, b in pairs)
    assert all(a.age <= b.age <= a.age + 1 for a, b in pairs)
    kept = [a.findings.keys() == b.findings.keys() for a, b in pairs]
    assert 0.5 < np.mean(kept) < 0.97
    together = Counter(name for exam in drawn if "Edema" in exam.findings for name in exam.findings)
    assert together["Effusion"] > together["Hernia"]


def film(number: int, **findings: float) -> Exam:
    return Exam(Patient(7, number, 60, "M"), 0, 60, "PA", (2500, 2048, 0.168), findings)


@cache
def normal(number: int) -> np.ndarray:
    return render(film(number), SIZE)


def difference(number: int, name: str, severity: float = 0.8) -> np.ndarray:
    """What a sign adds to a film, smoothed over 8x8 pixels."""
    change = render(film(number, **{name: severity}), SIZE) - normal(number)
    return change.reshape(SIZE // 8, 8, SIZE // 8, 8).mean((1, 3))


@pytest.mark.parametrize("name", LABELS)
def test_a_sign_changes_the_chest_and_nothing_else(name):
    for number in (1, 2):
        change = np.abs(difference(number, name))
        assert change.max() > 10
        for corner in (change[:5, :5], change[:5, -5:], change[-1:, :3]):
            assert corner.max() < 0.5, "no mark tells the finding"
    mild, severe = (np.abs(difference(1, name, severity)).sum() for severity in (0.5, 1.0))
    assert severe > mild


def test_signs_are_where_they_belong():
    rows, columns = np.mgrid[0:1:32j, 0:1:32j]

    def center(change: np.ndarray) -> tuple[float, float]:
        weight = np.abs(change)
        return (rows * weight).sum() / weight.sum(), (columns * weight).sum() / weight.sum()

    for number in range(1, 4):
        effusion, scar = difference(number, "Effusion"), difference(number, "Pleural_Thickening")
        assert effusion.max() > -3 * effusion.min(), "fluid is bright"
        assert center(effusion)[0] > 0.55 > center(scar)[0]
        gas = difference(number, "Hernia")
        assert gas.min() < -10, "gas is dark"
        assert abs(center(gas)[1] - 0.5) < 0.12, "behind the heart"
        assert difference(number, "Pneumothorax").min() < -10
        assert difference(number, "Emphysema").sum() < 0
        assert difference(number, "Edema").sum() > 0


def test_follow_ups_share_the_anatomy():
    first = film(1)
    second, other = replace(first, follow_up=1), film(2)
    a, b, c = (render(exam, 64) for exam in (first, second, other))
    assert not np.array_equal(a, b)
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.9
    assert np.corrcoef(a.ravel(), c.ravel())[0, 1] > 0.7, "also a chest"


def test_a_film_has_the_tones_of_a_chest():
    gray = render(film(1), SIZE) / 255
    u = (np.arange(SIZE) + 0.5) / SIZE
    lung = gray[np.ix_((u > 0.3) & (u < 0.5), (u > 0.28) & (u < 0.36))].mean()
    spine = gray[np.ix_((u > 0.3) & (u < 0.5), (u > 0.49) & (u < 0.52))].mean()
    belly = gray[np.ix_((u > 0.85) & (u < 0.95), (u > 0.3) & (u < 0.7))].mean()
    assert lung < 0.4
    assert min(spine, belly) > lung + 0.25
