"""AUROC and AUPRC against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import average_precision_score, roc_auc_score

from chexnet_trt._core import InputError
from chexnet_trt.evaluation.auprc import auprc
from chexnet_trt.evaluation.auroc import auroc, macro
from chexnet_trt.evaluation.ranking import Ranking

RNG = np.random.default_rng(0)


def cases():
    labels = (RNG.random((3000, 3)) < (0.001, 0.05, 0.999)).astype(np.uint8)
    labels[:2] = [[0, 0, 0], [1, 1, 1]]
    scores = RNG.random((3000, 3)).astype(np.float32) + np.float32(0.3) * labels
    yield "imbalance", labels, scores
    yield "ties", labels, np.round(scores, 1)
    yield "constant", labels, np.full_like(scores, 0.25)
    yield "perfect", labels, labels.astype(np.float32)
    yield "worst", labels, 1 - labels.astype(np.float32)
    one = np.zeros((25_000, 1), np.uint8)
    one[7] = 1
    yield "one positive", one, RNG.random((25_000, 1))
    yield "subnormal", labels, scores * np.float32(1e-42)
    yield "infinite", labels, np.where(scores > 0.9, np.inf, scores)


CASES = [pytest.param(labels, scores, id=name) for name, labels, scores in cases()]


@pytest.mark.parametrize(("labels", "scores"), CASES)
def test_auroc_is_that_of_scikit_learn(labels, scores):
    finite = np.nan_to_num(scores.astype(np.float64), posinf=2)  # It refuses infinities.
    expected = [roc_auc_score(*pair) for pair in zip(labels.T, finite.T, strict=True)]
    np.testing.assert_allclose(auroc(labels, scores), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("labels", "scores"), CASES)
def test_auprc_is_that_of_scikit_learn(labels, scores):
    finite = np.nan_to_num(scores.astype(np.float64), posinf=2)
    expected = [average_precision_score(*pair) for pair in zip(labels.T, finite.T, strict=True)]
    np.testing.assert_allclose(auprc(labels, scores), expected, rtol=0, atol=1e-9)


FEW_SCORES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_weights_count_like_repeated_images(data):
    count = data.draw(st.integers(2, 30))
    labels = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    scores = data.draw(arrays.arrays(np.float64, count, elements=FEW_SCORES))
    weights = data.draw(arrays.arrays(np.int32, count, elements=st.integers(0, 3)))
    repeated = np.repeat(labels, weights), np.repeat(scores, weights)
    ranking = Ranking.of(labels, scores)
    if len(set(repeated[0])) < 2:
        assert np.isnan(ranking.auroc(weights))
        assert np.isnan(ranking.auprc(weights))
        return
    assert ranking.auroc(weights) == pytest.approx(roc_auc_score(*repeated), abs=1e-9)
    assert ranking.auprc(weights) == pytest.approx(average_precision_score(*repeated), abs=1e-9)


def test_classes_without_a_value():
    labels = np.array([[0, 1, 0, 0], [0, 1, 1, 1], [0, 1, 0, 1]])
    scores = np.array([[0.1, 0.1, 0.1, 0.2], [0.2, 0.2, np.nan, 0.3], [0.3, 0.3, 0.2, 0.1]])
    for metric in (auroc, auprc):
        found = metric(labels, scores)
        assert np.isnan(found).tolist() == [True, True, True, False]
    assert auroc(labels, scores)[3] == 0.5
    assert macro([np.nan, 0.5, 1.0]) == 0.75
    assert np.isnan(macro([np.nan]))
    assert np.isnan(macro([]))


def test_shapes_that_do_not_fit():
    with pytest.raises(InputError, match=r"labels \[3, 2\] and scores \[3, 1\]"):
        auroc(np.zeros((3, 2)), np.zeros((3, 1)))
    with pytest.raises(InputError, match=r"not both \[images, classes\]"):
        auroc(np.zeros(3), np.zeros(3))
