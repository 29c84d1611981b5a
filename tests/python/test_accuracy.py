from __future__ import annotations

import json
import math
import warnings

import numpy as np
import pytest

from chexnet_trt._core import InputError
from chexnet_trt.accuracy import Agreement, compare, scores_of


def test_differences_are_those_of_numpy():
    rng = np.random.default_rng(0)
    reference = rng.random((20, 14))
    actual = reference + rng.normal(0, 0.01, reference.shape)
    found = compare(reference, actual)
    difference = np.abs(actual - reference)
    assert found.images == 20
    assert found.mean == pytest.approx(difference.mean())
    assert found.largest == difference.max()
    assert np.mean(difference <= found.p99) >= 0.99
    assert np.mean(difference < found.p99) < 0.99
    power = (reference**2).sum() / (difference**2).sum()
    assert found.sqnr_db == pytest.approx(10 * math.log10(power))


EQUAL = compare(np.ones((2, 3)), np.ones((2, 3)))
NO_SIGNAL = compare(np.zeros((2, 3)), np.ones((2, 3)))
ONE_NAN = compare(np.ones((2, 3)), np.array([[1, 1, 1], [1, np.nan, 1]]))


def test_equal_scores_have_no_noise():
    assert (EQUAL.mean, EQUAL.p99, EQUAL.largest) == (0, 0, 0)
    assert EQUAL.sqnr_db == math.inf
    assert NO_SIGNAL.sqnr_db == -math.inf


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_infinitely_far(bad):
    good = np.ones((2, 3))
    wrong = good.copy()
    wrong[1, 1] = bad
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for found in (compare(good, wrong), compare(wrong, good), compare(wrong, wrong)):
            assert found.largest == found.mean == found.p99 == math.inf
            assert found.sqnr_db == -math.inf


@pytest.mark.parametrize("agreement", [EQUAL, NO_SIGNAL, ONE_NAN, Agreement(3, 0.1, 0.2, 0.3, 40)])
def test_json_keeps_all_of_it_without_infinities(agreement):
    text = json.dumps(agreement.to_json(), allow_nan=False)
    assert Agreement.from_json(json.loads(text)) == agreement


def test_the_target_bounds_the_99th_percentile_and_what_is_beyond():
    assert Agreement(32, 0.001, 0.05, 0.15, 40).miss(0.05) == ""
    assert Agreement(32, 0.001, 0.06, 0.06, 40).miss(0.05) == (
        "99th percentile of the score difference 0.06, above the accuracy target 0.05"
    )
    assert Agreement(32, 0.001, 0.01, 0.21, 40).miss(0.05) == (
        "largest score difference 0.21, above 3 times the accuracy target 0.05"
    )
    assert ONE_NAN.miss(1)


def test_words():
    assert str(Agreement(32, 0.00123, 0.0456, 0.1, 38.26)) == (
        "score difference mean 0.0012, 99th percentile 0.046, largest 0.1; SQNR 38.3 dB (32 images)"
    )
    assert "SQNR inf dB" in str(EQUAL)


class FakeEngine:
    def __init__(self, **outputs: np.ndarray) -> None:
        self._outputs = outputs

    def infer(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        return {name: value[: len(batch)] for name, value in self._outputs.items()}


def test_scores_are_all_floating_point_outputs():
    first = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    engine = FakeEngine(a=first, argmax=np.array([1, 2]), b=np.float32([7, 8]))
    batches = [np.zeros((2, 1)), np.zeros((1, 1))]
    expected = [[0, 1, 2, 3, 4, 5, 7], [6, 7, 8, 9, 10, 11, 8], [0, 1, 2, 3, 4, 5, 7]]
    np.testing.assert_array_equal(scores_of(engine, batches), expected)
    with pytest.raises(InputError, match="no floating-point output"):
        scores_of(FakeEngine(argmax=np.array([1, 2])), batches)
