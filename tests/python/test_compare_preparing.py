from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

import networks
from chexnet_trt import marks
from chexnet_trt._core import InputError
from chexnet_trt.compare import environment, images
from chexnet_trt.compare.modes import select
from chexnet_trt.compare.networks import GIVEN, RANDOM, custom, stock
from chexnet_trt.compare.plan import Plan
from chexnet_trt.compare.preparing import prepare

SIZE = (8, 8, 3)


def plan_of(model, **fields):
    usual = {
        "modes": tuple(select(["native-int8"])),
        "batches": (1, 4),
        "rounds": 2,
        "round_seconds": 0.1,
        "scenario_seconds": 0.1,
        "threads": 1,
        "latency_target_ms": 7.0,
        "server_limit_ms": 15.0,
        "preset": "unit",
    }
    return Plan(model=str(model), **(usual | fields))


def write_films(folder, count):
    for index in range(count):
        Image.fromarray(np.full((20, 30), 40 * index, np.uint8)).save(folder / f"{index}.png")
    return folder


def test_films_are_fed_over_and_over_and_calibrate(tmp_path, small_pb):
    (tmp_path / "films").mkdir()
    data = write_films(tmp_path / "films", 3)
    given = prepare(plan_of(small_pb, data=str(data)), tmp_path)
    setting = given.settings["custom"]
    fed = np.load(setting.images)
    np.testing.assert_allclose(fed[:, 0, 0, 0], [0, 40 / 255, 80 / 255, 0], atol=1e-6)
    assert len(np.load(setting.calibration)) == 3
    assert given.result["settings"]["input"] == "films of films through unit"
    assert given.result["settings"]["calibration_images"] == 3


def test_random_images_are_the_same_every_time():
    first, again = (images.clouds(2, "unit", SIZE) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (2, *SIZE)


def test_what_is_made_belongs_to_network_and_images(tmp_path, small_pb):
    one = prepare(plan_of(small_pb), tmp_path).settings["custom"]
    same = prepare(plan_of(small_pb), tmp_path).settings["custom"]
    other = prepare(plan_of(small_pb, preset="raw"), tmp_path).settings["custom"]
    changed = networks.write_pb(tmp_path / "changed.pb", seed=1)
    another = prepare(plan_of(changed), tmp_path).settings["custom"]
    assert one.work == same.work
    assert len({one.work, other.work, another.work}) == 3


def test_the_stock_network_takes_the_size_of_the_other(tmp_path):
    named = custom("resnet50_v2", tmp_path, 32)
    found = stock(tmp_path, named.size)
    assert named.weights == found.weights == RANDOM
    assert named.size == found.size == (32, 32, 3)
    assert named.sha256 != found.sha256
    assert "1000 classes" in found.title


def test_a_file_is_not_called_random(small_pb, tmp_path):
    assert custom(str(small_pb), tmp_path, None).weights == GIVEN


@pytest.mark.parametrize("size", [(64, 48, 3), (64, 64, 1)])
def test_a_size_that_the_stock_network_cannot_take_is_refused(tmp_path, size):
    with pytest.raises(InputError, match="square RGB"):
        stock(tmp_path, size)


def test_every_mode_has_an_entry_and_int8_ones_a_second(tmp_path, small_pb):
    plan = plan_of(small_pb, modes=tuple(select(["native-fp32", "native-int8"])))
    keys = [row["key"] for row in prepare(plan, tmp_path).result["entries"]]
    assert keys == ["custom/native-fp32", "custom/native-int8", "stock/native-int8"]


def test_the_machine_is_described():
    core = min(os.sched_getaffinity(0))
    facts = environment.describe({core}, 1)
    assert facts["pinned_to"] == [core]
    assert facts["physical_cores"] == 1
    assert facts["packages"]["openvino"]
    assert {"cpu", "isa", "governor", "gpus", "os", "threads"} <= set(facts)


def test_other_processes_are_seen_and_ones_own_are_not():
    cores = os.sched_getaffinity(0)
    meter = environment.LoadMeter(cores, [])
    total = sum(value * value for value in range(3_000_000))
    load = meter.read()
    assert total > 0
    assert 0 <= load["others"] <= 1
    mine = environment.LoadMeter(cores, [])
    mine._begin = environment._Clock(total=0, busy=0, steal=0, own=0)
    mine._clock = lambda: environment._Clock(total=10, busy=6, steal=1, own=4)
    assert mine.read()["others"] == 0.2
    assert mine.read()["stolen"] == 0.1


def test_few_rounds_of_a_batch_size_are_one_after_the_other():
    schedule = plan_of("net.pb", rounds=9).schedule
    sizes = [("batch", 1), ("batch", 4), ("file", 1)]
    assert schedule == [(*size, turn) for size in sizes for turn in range(9)]


def test_many_rounds_are_spread_over_several_passes():
    schedule = plan_of("net.pb", rounds=16).schedule
    ones = [turn for kind, batch, turn in schedule if (kind, batch) == ("batch", 4)]
    assert ones == list(range(16))
    assert len(set(schedule)) == len(schedule) == 3 * 16
    passes = [(0, 5), (5, 10), (10, 16)]
    assert [turn for *_, turn in schedule] == [
        turn for begin, end in passes for _ in range(3) for turn in range(begin, end)
    ]


def test_films_are_preprocessed_as_the_network_says(tmp_path):
    graph = networks.small_graph()
    marks.mark_graph_def(graph, [marks.of_preprocessing("signed-unit")])
    (tmp_path / "net.pb").write_bytes(graph.SerializeToString())
    (tmp_path / "work").mkdir()
    said = prepare(plan_of(tmp_path / "net.pb", preset=None), tmp_path / "work")
    assert said.result["settings"]["preset"] == "signed-unit"
