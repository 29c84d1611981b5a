from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.metrics import roc_auc_score

from chexnet_trt.evaluation.bootstrap import PatientBootstrap, interval
from chexnet_trt.evaluation.comparison import Comparison, compare
from chexnet_trt.evaluation.thresholds import Rule, Thresholds, choose
from chexnet_trt.evaluation.truth import Truth
from scored_sets import draw, noisy


def compared(
    truth: Truth, scores: np.ndarray, reference: np.ndarray, thresholds: Thresholds | None = None
) -> Comparison:
    bootstrap = PatientBootstrap(truth.patients, resamples=200)
    drawn = [bootstrap.distribution(truth.labels, values) for values in (scores, reference)]
    return compare(truth, scores, reference, tuple(drawn), thresholds)


def test_figures_are_those_of_their_definitions():
    truth, reference = draw(400)
    scores = noisy(reference, 0.3)
    thresholds = choose(truth, reference, Rule())
    found = compared(truth, scores, reference, thresholds)
    change = np.abs(scores.astype(float) - reference)
    losses = []
    for k, row in enumerate(found.classes):
        truth_k = truth.labels[:, k]
        loss = roc_auc_score(truth_k, reference[:, k]) - roc_auc_score(truth_k, scores[:, k])
        losses.append(loss)
        assert row.loss.value == pytest.approx(loss, abs=1e-9)
        assert row.loss.lower < loss < row.loss.upper
        cut = thresholds.by_class[row.name]
        assert row.flips == sum((a >= cut) != (b >= cut) for a, b in zip(
            scores[:, k], reference[:, k], strict=True))  # fmt: skip
        assert row.flip_rate == row.flips / 400
        assert row.p99 == np.quantile(change[:, k], 0.99, method="higher")
        assert row.largest == change[:, k].max()
    assert found.macro.value == pytest.approx(np.mean(losses), abs=1e-9)
    assert found.largest == change.max()
    assert found.p99 == np.quantile(change, 0.99, method="higher")
    assert found.argmax_agreement == np.mean(scores.argmax(1) == reference.argmax(1))
    assert (found.images, found.patients, found.macro_classes) == (400, 200, 14)


def test_the_paired_bootstrap_sees_what_two_intervals_do_not():
    """A loss of 0.01 AUROC is far inside either engine's own interval."""
    truth, reference = draw(1500, classes=1)
    scores = noisy(reference, 0.35)
    bootstrap = PatientBootstrap(truth.patients, resamples=500)
    one, other = (bootstrap.distribution(truth.labels, s).auroc[:, 0] for s in (scores, reference))
    assert interval(one)[1] > interval(other)[0]
    (row,) = compared(truth, scores, reference).classes
    assert 0 < row.loss.lower < row.loss.value < row.loss.upper < 0.03
    (back,) = compared(truth, reference, scores).classes
    assert back.loss.value == -row.loss.value
    assert back.loss.upper < 0


def test_bounds_cover_a_difference_of_nothing():
    """Two engines that are equally good: the one-sided 95 % bound lies above 0 in about 95 %."""
    above = 0
    for seed in range(200):
        truth, base = draw(300, classes=1, seed=seed)
        first, second = noisy(base, 0.4, seed=1000 + seed), noisy(base, 0.4, seed=2000 + seed)
        above += compared(truth, first, second).classes[0].loss.upper > 0
    assert 0.9 <= above / 200 <= 0.99


def test_equal_scores_lose_nothing():
    truth, reference = draw(200)
    reference[:, 3] = 0.5
    found = compared(truth, reference.copy(), reference, choose(truth, reference, Rule()))
    for row in found.classes:
        assert (row.loss.value, row.loss.lower, row.loss.upper, row.loss.margin) == (0, 0, 0, 0)
        assert (row.flips, row.p99, row.largest, row.spearman) == (0, 0, 0, 1)
    assert (found.macro.value, found.macro.upper, found.spearman) == (0, 0, 1)
    assert (found.nan_scores, found.argmax_agreement) == (0, 1)


def test_scores_that_are_no_number():
    truth, reference = draw(200)
    scores = reference.copy()
    scores[7, 2] = np.nan
    found = compared(truth, scores, reference)
    assert found.nan_scores == 1
    assert found.largest == np.inf
    row = found.classes[2]
    assert np.isnan(row.loss.value)
    assert not row.counted
    assert (row.largest, row.spearman) == (np.inf, 0)
    assert found.macro_classes == 13


def test_the_macro_is_of_the_classes_with_enough_positives():
    truth, reference = draw(200)
    truth.labels[:, 5] = 0
    truth.labels[:19, 5] = 1
    truth.labels[:, 6] = 0
    truth.labels[:, 7] = 1
    found = compared(truth, noisy(reference, 0.5), reference)
    assert [row.name for row in found.classes if not row.counted] == list(truth.classes[5:8])
    assert found.macro_classes == 11
    assert not np.isnan(found.classes[5].loss.value)
    assert np.isnan(found.classes[6].loss.value)
    few = Truth(truth.classes, truth.labels[:30], truth.patients[:30], "test", False)
    alone = compared(few, reference[:30], reference[:30])
    assert not any(row.counted for row in alone.classes)
    assert alone.macro_classes > 0


def test_without_thresholds_there_are_no_flips():
    truth, reference = draw(100)
    found = compared(truth, reference, reference, Thresholds("youden", {}, {"Hernia": 0.5}))
    assert [row.name for row in found.classes if row.flips is not None] == ["Hernia"]
    assert all(np.isnan(row.flip_rate) for row in found.classes if row.flips is None)
