"""Whether a wrong label order is recognised, and nothing else is taken for one."""

from __future__ import annotations

import numpy as np
import pytest

from chexnet_trt.evaluation.label_order import (
    KNOWN_ORDERS,
    explain,
    order_of_labels,
    order_of_reference,
)
from chexnet_trt.evaluation.truth import Truth
from chexnet_trt.labels import LABELS
from scored_sets import draw, noisy

IDENTITY = list(range(14))
SHUFFLED = np.random.default_rng(0).permutation(14)


def test_orders_are_complete():
    for names in KNOWN_ORDERS.values():
        assert sorted(names) == sorted(LABELS)


@pytest.mark.parametrize("order", [SHUFFLED, [1, 0, *range(2, 14)]], ids=["all", "two"])
@pytest.mark.parametrize("deviation", [0, 0.1])
def test_a_permutation_of_the_reference_is_found(order, deviation):
    _, reference = draw(500)
    scores = noisy(reference, deviation)[:, order]
    assert order_of_reference(scores, reference) == list(order)


def test_a_permutation_of_the_labels_is_found():
    truth, scores = draw(1000)
    assert order_of_labels(truth, scores[:, SHUFFLED]) == list(SHUFFLED)
    assert order_of_labels(truth, scores) == IDENTITY


def test_columns_that_rank_alike_are_told_apart_by_their_values():
    rng = np.random.default_rng(1)
    base = rng.random((300, 1), np.float32)
    reference = base * np.float32([0.9, 0.5, 0.1])
    assert order_of_reference(reference[:, [2, 0, 1]], reference) == [2, 0, 1]
    assert order_of_reference(reference, reference) == [0, 1, 2]


def test_columns_that_occur_together_are_no_permutation():
    rng = np.random.default_rng(2)
    common = rng.normal(0, 1, (500, 1))
    reference = 1 / (1 + np.exp(-(common + rng.normal(0, 0.2, (500, 14)))))
    assert order_of_reference(noisy(reference, 0.3), reference) == IDENTITY


def test_scores_of_chance_are_no_permutation():
    rng = np.random.default_rng(3)
    for seed in range(20):
        truth, scores = draw(150, seed=seed)
        chance = rng.random(scores.shape)
        assert order_of_labels(truth, chance) == IDENTITY
        assert order_of_reference(chance, scores) == IDENTITY


def test_constant_and_missing_scores():
    truth, scores = draw(300)
    scores[:, 4] = 0.5
    shuffled = scores[:, SHUFFLED].copy()
    assert order_of_reference(shuffled, scores) == list(SHUFFLED)
    scores[:, 5] = np.nan
    assert order_of_reference(scores, scores) == IDENTITY
    assert order_of_labels(truth, scores) == IDENTITY


def test_classes_with_few_positives_keep_their_place():
    truth, scores = draw(400)
    truth.labels[:, :13] = 0
    assert order_of_labels(truth, scores[:, SHUFFLED]) == IDENTITY
    none = Truth(truth.classes, np.zeros_like(truth.labels), truth.patients, "test", False)
    assert order_of_labels(none, scores) == IDENTITY


def test_words():
    assert explain(IDENTITY, LABELS) is None
    swapped = explain([1, 0, *range(2, 14)], LABELS)
    assert "2 scores behave like those of another finding" in swapped
    assert "(Cardiomegaly -> Emphysema, Emphysema -> Cardiomegaly)" in swapped
    assert ": Emphysema, Cardiomegaly, Effusion," in swapped
    order = [LABELS.index(name) for name in KNOWN_ORDERS["CheXNet"]]
    assert "seem to be, as in CheXNet: Atelectasis, Cardiomegaly" in explain(order, LABELS)
