from __future__ import annotations

from pathlib import Path

import pytest

from chexnet_trt.train.schedule import Cosine, Plateau, learning_rate
from chexnet_trt.train.settings import Settings


def test_plateau_reduces_when_the_loss_is_no_new_best():
    rate = Plateau(0.1)
    for loss, expected in ((0.5, 0.1), (0.4, 0.1), (0.45, 0.01), (0.39999, 0.001), (0.3, 0.001)):
        rate.update_lr(loss)
        assert rate.at(7) == pytest.approx(expected)


def test_plateau_goes_on_from_its_state():
    before = Plateau(0.1)
    for loss in (0.5, 0.6):
        before.update_lr(loss)
    settings = Settings(Path(), Path(), learning_rate=0.1)
    after = learning_rate(settings, 10, before.state)
    assert after.at(0) == before.at(0) == pytest.approx(0.01)
    after.update_lr(0.55)
    assert after.at(0) == pytest.approx(0.001)


def test_cosine():
    rate = learning_rate(Settings(Path(), Path(), schedule="cosine", learning_rate=0.2), 100, {})
    assert isinstance(rate, Cosine)
    assert rate.at(0) == 0.2
    assert rate.at(50) == pytest.approx(0.1)
    assert rate.at(100) == pytest.approx(0, abs=1e-12)
    assert rate.at(200) == pytest.approx(0, abs=1e-12)
    rate.update_lr(9)
    assert rate.at(0) == 0.2
