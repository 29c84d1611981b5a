from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from scipy.stats import spearmanr

from chexnet_trt.evaluation.ranks import spearman

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("digits", [6, 1], ids=["without ties", "ties"])
def test_it_is_that_of_scipy(digits):
    first = np.round(RNG.random((200, 3)), digits)
    second = np.round(0.5 * first[:, :2] + RNG.random((200, 2)), digits)
    found = spearman(first, second)
    assert found.shape == (3, 2)
    for i in range(3):
        for j in range(2):
            expected = spearmanr(first[:, i], second[:, j]).statistic
            assert found[i, j] == pytest.approx(expected, abs=1e-12)


def test_columns_whose_order_says_nothing():
    first = np.array([[1.0, 2.0, np.nan], [2.0, 2.0, 1.0], [3.0, 2.0, 2.0]])
    found = spearman(first, first[:, :1])
    assert found[0] == pytest.approx(1)
    assert np.isnan(found[1:]).all()
    assert spearman(first[:, :1], -first[:, :1]) == pytest.approx(-1)
