"""Which layers stay in floating point, on a network that int8 ruins in one layer."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tensorboard")

from chexnet_trt import feeding, int8
from chexnet_trt._core import InputError
from chexnet_trt.accuracy import Agreement
from chexnet_trt.calibration import Method, calibrate_network
from chexnet_trt.int8_arguments import check_batches
from chexnet_trt.network import read
from chexnet_trt.sensitivity import Decision, Trial, fewest_high_precision, rank
from int8_networks import NETWORK, needs_int8, needs_mixed, pixels, write_chain

TARGET = 0.02


def trial_of(path: Path) -> Trial:
    network = read(path, **NETWORK)
    source = feeding.open_source(pixels(12))
    table = calibrate_network(network, source, Method("minmax"))
    return Trial(network, int8.from_table(table), check_batches(network, source))


@pytest.fixture(scope="module")
def ruined(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """conv_1 reads a channel 10 000 times as large as those that it uses."""
    return trial_of(write_chain(tmp_path_factory.mktemp("net") / "ruined.uff", outlier=1e4))


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return trial_of(write_chain(tmp_path_factory.mktemp("net") / "healthy.uff"))


@needs_int8
def test_agreement_is_with_fp32(ruined, healthy):
    assert healthy.agreement(()).images == 12
    assert 0 < healthy.agreement(()).p99 < TARGET
    assert ruined.agreement(()).p99 > 5 * TARGET
    assert ruined.agreement(["conv_1"]).p99 < TARGET
    assert ruined.agreement(ruined.layers).largest < 1e-6
    assert ruined.agreement(()) == ruined.agreement(())


@needs_mixed
def test_mixed_has_an_agreement_of_its_own(healthy):
    mixed = healthy.agreement(["conv_0"], "mixed")
    assert mixed != healthy.agreement(["conv_0"])
    assert mixed.p99 < TARGET


@needs_int8
def test_the_ruined_layer_is_the_most_sensitive(ruined):
    calls = []
    rows = rank(ruined, lambda *call: calls.append(call))
    assert ruined.layers == ["conv_0", "conv_1", "conv_2", "product"]
    assert rows[0].layer == "conv_1"
    assert rows[0].agreement.p99 > 5 * TARGET
    assert sorted(row.layer for row in rows) == sorted(ruined.layers)
    sqnr = [row.agreement.sqnr_db for row in rows]
    assert sqnr == sorted(sqnr)
    assert rows[0].agreement.sqnr_db < rows[1].agreement.sqnr_db - 20
    assert calls == [("sensitivity", done, 4) for done in range(4)]


@needs_int8
def test_only_the_ruined_layer_is_kept(ruined):
    decision = fewest_high_precision(ruined, TARGET)
    assert decision.high_precision == ("conv_1",)
    assert decision.agreement == ruined.agreement(["conv_1"])
    assert decision.tried == 2


@needs_int8
def test_none_is_kept_where_the_target_holds(healthy):
    decision = fewest_high_precision(healthy, TARGET)
    assert decision == Decision((), healthy.agreement(()), 1)


@needs_int8
def test_other_ranges_on_the_same_images(healthy):
    tenth = {name: amax / 10 for name, amax in healthy.int8.ranges.items()}
    clipped = healthy.with_int8(int8.Int8(tenth, {}))
    assert clipped.agreement(()).p99 > healthy.agreement(()).p99
    assert healthy.int8.ranges != tenth


def test_layers_that_are_not_there_are_refused(ruined):
    with pytest.raises(InputError, match="no layer 'nowhere'"):
        ruined.agreement(["nowhere"])


class FakeTrial:
    """`bad`: layers of which each adds 1 to the difference while it computes in int8."""

    def __init__(self, layers: list[str], bad: set[str]) -> None:
        self.layers = layers
        self.bad = bad
        self.asked: list[int] = []

    def agreement(self, high_precision: tuple[str, ...] | list[str]) -> Agreement:
        self.asked.append(len(high_precision))
        left = len(self.bad - set(high_precision))
        return Agreement(1, left, left, left, -float(left))


LAYERS = [f"layer_{index}" for index in range(20)]


@pytest.mark.parametrize("bad", [0, 1, 2, 3, 7, 8, 13, 20])
def test_as_few_as_the_target_allows(bad):
    trial = FakeTrial(LAYERS, set(LAYERS[:bad]))
    calls = []
    for allowed in (0, 1):
        decision = fewest_high_precision(trial, allowed, lambda *call: calls.append(call))
        assert len(decision.high_precision) == max(bad - allowed, 0)
        assert set(decision.high_precision) <= trial.bad
        assert decision.agreement.p99 <= allowed
    assert all(done < total for _, done, total in calls)
    assert {stage for stage, *_ in calls} == ({"sensitivity", "accuracy target"} if bad else set())


def test_every_layer_is_kept_where_nothing_helps():
    trial = FakeTrial(LAYERS, {*LAYERS, "the input"})
    decision = fewest_high_precision(trial, 0)
    assert sorted(decision.high_precision) == sorted(LAYERS)
    assert decision.agreement.p99 == 1
