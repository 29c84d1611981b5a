from __future__ import annotations

import pytest

from chexnet_trt.compare import spread


def rounds(medians, width=0.01):
    return [[m * (1 - width), m, m * (1 + width)] for m in medians]


def test_what_drifts_between_rounds_cancels_in_a_ratio():
    drift = [1.0, 1.4, 0.8, 1.2, 1.3, 0.9]
    ratio = spread.speed_up(rounds([30 * d for d in drift]), rounds([6 * d for d in drift]))
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((5, 5, 5))
    assert not ratio.noisy


def test_halves_that_disagree_are_noisy():
    steady, wavering = rounds([30.0] * 6), rounds([6.0, 7.0] * 3)
    assert spread.speed_up(steady, wavering).noisy
    assert spread.describe(wavering)["noisy"]
    assert not spread.describe(steady)["noisy"]


def test_a_wide_interval_is_noisy_though_the_halves_agree():
    """Rounds in pairs that are alike: each half has the same."""
    wavering = rounds([6.0, 6.0, 8.0, 8.0, 6.0, 6.0, 8.0, 8.0])
    ratio = spread.speed_up(rounds([30.0] * 8), wavering)
    assert ratio.low < ratio.value / 1.1 or ratio.high > ratio.value * 1.1
    assert ratio.noisy


def test_one_round_cannot_be_relied_on():
    assert spread.describe(rounds([5.0]))["noisy"]


def test_figures_are_those_of_all_rounds_together():
    found = spread.describe([[1.0, 2.0], [3.0, 4.0, 5.0]])
    assert found["median"] == 3
    assert found["runs"] == 5
    assert (found["q1"], found["q3"]) == (2, 4)


@pytest.mark.parametrize(("one", "other", "apart"), [(1, 1.09, False), (1.12, 1, True)])
def test_runs_differ_beyond_a_tenth(one, other, apart):
    assert spread.differ(one, other) is apart
