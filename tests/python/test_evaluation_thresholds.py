from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.metrics import roc_curve

from chexnet_trt._core import InputError
from chexnet_trt.evaluation.thresholds import Rule, Thresholds, choose, sensitivity_specificity
from chexnet_trt.evaluation.truth import Truth

RNG = np.random.default_rng(0)


def truth_of(labels: np.ndarray) -> Truth:
    labels = np.asarray(labels, np.uint8)
    names = tuple(f"c{k}" for k in range(labels.shape[1]))
    patients = tuple(str(k // 2) for k in range(len(labels)))
    return Truth(names, labels, patients, "validation", True)


def chosen(labels, scores, rule: str) -> np.ndarray:
    truth = truth_of(labels)
    return choose(truth, np.float32(scores), Rule.parse(rule)).values(truth.classes)


LABELS = (RNG.random((300, 3)) < (0.3, 0.1, 0.8)).astype(np.uint8)
SCORES = np.float32(RNG.random((300, 3)) + 0.4 * LABELS)
SCORES[:, 2] = np.round(SCORES[:, 2], 1)


def test_youden_is_the_best_of_the_roc_curve():
    cuts = chosen(LABELS, SCORES, "youden")
    sensitivity, specificity = sensitivity_specificity(LABELS, SCORES, cuts)
    for k in range(3):
        false, true, _ = roc_curve(LABELS[:, k], SCORES[:, k])
        assert sensitivity[k] + specificity[k] - 1 == pytest.approx((true - false).max())


@pytest.mark.parametrize("share", [0.5, 0.9, 1])
def test_a_share_is_kept_at_the_least_cost(share):
    cuts = chosen(LABELS, SCORES, f"sensitivity={share}")
    sensitivity, specificity = sensitivity_specificity(LABELS, SCORES, cuts)
    other_cuts = chosen(LABELS, SCORES, f"specificity={share}")
    other_sensitivity, other_specificity = sensitivity_specificity(LABELS, SCORES, other_cuts)
    for k in range(3):
        false, true, _ = roc_curve(LABELS[:, k], SCORES[:, k], drop_intermediate=False)
        assert sensitivity[k] >= share
        assert specificity[k] == pytest.approx(1 - false[true >= share].min())
        assert other_specificity[k] >= share
        assert other_sensitivity[k] == pytest.approx(true[false <= 1 - share + 1e-12].max())


def test_thresholds_lie_between_scores():
    labels, scores = [[0], [0], [1], [1]], [[0.1], [0.3], [0.5], [0.9]]
    assert chosen(labels, scores, "youden") == pytest.approx([0.4])
    assert chosen(labels, scores, "sensitivity=0.5") == pytest.approx([0.7])
    neighbours = np.float32([[0.5], [np.nextafter(np.float32(0.5), np.float32(1))]])
    cut = chosen([[0], [1]], neighbours, "youden")
    assert neighbours[0] < cut < neighbours[1]


def test_full_specificity_of_a_highest_negative_lies_above_all():
    labels, scores = [[1], [0]], np.float32([[0.2], [0.7]])
    cut = chosen(labels, scores, "specificity=1")
    assert cut > scores.max()
    assert [x.tolist() for x in sensitivity_specificity(labels, scores, cut)] == [[0], [1]]


def test_classes_without_a_choice():
    labels = np.array([[0, 1, 0, 0], [0, 1, 1, 1]])
    scores = np.float32([[0.1, 0.1, np.nan, 0.25], [0.2, 0.2, 0.3, 0.75]])
    found = choose(truth_of(labels), scores, Rule())
    assert found.by_class == {"c3": 0.5}
    assert np.isnan(found.values(["c0", "c3", "other"])).tolist() == [True, False, True]
    sensitivity, specificity = sensitivity_specificity(labels, scores, np.full(4, 0.15))
    assert np.isnan(sensitivity).tolist() == [True, False, True, False]
    assert np.isnan(specificity).tolist() == [False, True, True, False]


def test_the_manifest_keeps_them_exactly():
    found = choose(truth_of(LABELS), SCORES, Rule.parse("sensitivity=0.9"))
    fields = json.loads(json.dumps(found.to_json()))
    assert Thresholds.from_json(fields) == found
    assert fields["rule"] == "sensitivity=0.9"
    assert {key: fields[key] for key in ("split", "n", "patients", "synthetic")} == {
        "split": "validation", "n": 300, "patients": 150, "synthetic": True,
    }  # fmt: skip
    assert found.provenance() == "sensitivity=0.9 on validation, 300 images, SYNTHETIC"


@pytest.mark.parametrize("fields", [{}, {"rule": "youden"}, {"rule": "", "per_class": [1]},
                                    {"rule": "", "per_class": {"a": None}}, 3])  # fmt: skip
def test_a_malformed_manifest(fields):
    with pytest.raises(InputError, match="malformed; choose them again with --choose-thresholds"):
        Thresholds.from_json(fields)


@pytest.mark.parametrize("text", ["", "best", "sensitivity", "sensitivity=0", "specificity=1.1",
                                  "sensitivity=nan", "youden=0.5", "sensitivity=x"])  # fmt: skip
def test_unknown_rules(text):
    with pytest.raises(InputError, match="expected youden, sensitivity"):
        Rule.parse(text)
