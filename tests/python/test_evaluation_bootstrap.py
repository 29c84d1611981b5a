"""The patient-cluster bootstrap: whether its intervals cover, and that patients are drawn whole."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.metrics import average_precision_score, roc_auc_score

from chexnet_trt.evaluation.bootstrap import (
    PatientBootstrap,
    interval,
    macro_distribution,
    quantile,
)


def clustered(rng: np.random.Generator, patients: int, images: int):
    """Patients, labels [n, 1], scores [n, 1]: what a patient has and how it scores is nearly the
    same in all of its images. The true AUROC is 0.7602 (d' = 1)."""
    count = patients * images
    whose = np.repeat(np.arange(patients), images)
    labels = np.repeat(rng.random(patients) < 0.3, images)
    score = labels + np.repeat(rng.normal(0, 0.9, patients), images)
    score = score + rng.normal(0, np.sqrt(1 - 0.9**2), count)
    return whose.astype(str), labels[:, None].astype(np.uint8), score[:, None]


def test_intervals_cover_clustered_data():
    """95 % intervals of 400 data sets; those that took images for independent would be half as
    wide."""
    rng = np.random.default_rng(0)
    covered = naive = 0
    for trial in range(400):
        patients, labels, scores = clustered(rng, patients=120, images=4)
        for names in (patients, np.arange(len(labels)).astype(str)):
            bootstrap = PatientBootstrap(names, resamples=200, seed=trial)
            low, high = interval(bootstrap.distribution(labels, scores).auroc[:, 0])
            hit = low <= 0.76025 <= high
            covered += hit and names is patients
            naive += hit and names is not patients
    assert 0.92 <= covered / 400 <= 0.975
    assert naive / 400 < 0.85


def test_resamples_are_metrics_of_whole_patients():
    rng = np.random.default_rng(1)
    patients = np.repeat(["a", "b", "c", "d", "e", "f"], [1, 5, 2, 3, 4, 6])
    labels = (rng.random((21, 2)) < 0.5).astype(np.uint8)
    scores = np.round(rng.random((21, 2)), 1)
    bootstrap = PatientBootstrap(patients, resamples=40, seed=3)
    found = bootstrap.distribution(labels, scores)
    counts = np.concatenate([weights for _, weights in bootstrap._chunks()])
    assert (counts.sum(1) == 6).all()
    for row, count in enumerate(counts):
        images = np.repeat(np.arange(21), count[np.unique(patients, return_inverse=True)[1]])
        for k in range(2):
            truth, values = labels[images, k], scores[images, k]
            if truth.min() == truth.max():
                assert np.isnan(found.auroc[row, k])
                continue
            assert found.auroc[row, k] == pytest.approx(roc_auc_score(truth, values))
            expected = average_precision_score(truth, values)
            assert found.auprc[row, k] == pytest.approx(expected)


def test_the_same_seed_draws_the_same_patients_for_all_scores():
    rng = np.random.default_rng(2)
    patients, labels, scores = clustered(rng, 50, 2)
    bootstrap = PatientBootstrap(patients, resamples=100, seed=5)
    both = bootstrap.distribution(np.repeat(labels, 2, 1), np.repeat(scores, 2, 1)).auroc
    alone = bootstrap.distribution(labels, scores).auroc
    np.testing.assert_array_equal(both, np.repeat(alone, 2, axis=1))
    again = PatientBootstrap(patients, resamples=100, seed=5).distribution(labels, scores).auroc
    np.testing.assert_array_equal(alone, again)
    other = PatientBootstrap(patients, resamples=100, seed=6).distribution(labels, scores).auroc
    assert not np.array_equal(alone, other)


def test_patients_need_no_order():
    rng = np.random.default_rng(3)
    patients, labels, scores = clustered(rng, 30, 3)
    shuffled = rng.permutation(len(patients))
    expected = PatientBootstrap(patients, resamples=50).distribution(labels, scores)
    found = PatientBootstrap(patients[shuffled], resamples=50).distribution(
        labels[shuffled], scores[shuffled]
    )
    np.testing.assert_allclose(found.auroc, expected.auroc, atol=1e-12)


def test_undefined_values_are_left_out():
    bootstrap = PatientBootstrap(["a", "b", "c"], resamples=200)
    labels, scores = np.array([[1, 0], [0, 0], [0, 0]]), np.array([[0.9, 1], [0.5, 1], [0.1, 1]])
    found = bootstrap.distribution(labels, scores).auroc
    assert 0 < np.isnan(found[:, 0]).sum() < 200  # Those without the only positive.
    assert np.isnan(found[:, 1]).all()
    assert interval(found[:, 0]) == (1, 1)
    assert np.isnan(interval(found[:, 1])).all()
    assert np.isnan(macro_distribution(found)).sum() == np.isnan(found[:, 0]).sum()
    nan = bootstrap.distribution(labels, np.where(scores == 0.5, np.nan, scores))
    assert np.isnan(nan.auroc).all()


def test_quantiles_are_those_of_the_resamples():
    values = np.concatenate([np.arange(101.0), [np.nan] * 9])
    assert interval(values) == pytest.approx((2.5, 97.5))
    assert interval(values, 0.9) == pytest.approx((5, 95))
    assert quantile(values, 0.95) == pytest.approx(95)
