from __future__ import annotations

import pytest

import comparisons
from chexnet_trt.compare import summary


def row_of(rows, key):
    return next(row for row in rows if row["entry"] == key)


def cell_of(result, key, batch):
    cells = result["summary"]["cells"]
    return next(cell for cell in cells if (cell["entry"], cell["batch"]) == (key, batch))


def test_the_target_takes_the_most_images_that_keep_it():
    times = {"custom/native-int8": {1: 1.5, 2: 2.5, 4: 6.9, 8: 13.0}}
    target = comparisons.comparison(times)["summary"]["target"]
    row = row_of(target["rows"], "custom/native-int8")
    assert row["batch"] == 2  # 4 keeps it too, with fewer images/s.
    assert row["images_per_s"] == pytest.approx(800, rel=0.02)
    assert target["best"] == "custom/native-int8"


def test_the_target_counts_the_median_and_its_border():
    times = {"custom/native-fp32": {1: 7.0}}
    steady = {"custom/native-fp32": (1.0, 1.0, 1.0, 1.0)}
    kept = comparisons.comparison(times, missing={}, target_ms=7.0, drift=steady)
    assert kept["summary"]["target"]["best"] == "custom/native-fp32"
    missed = comparisons.comparison(times, missing={}, target_ms=6.9, drift=steady)
    assert missed["summary"]["target"]["best"] is None


def test_no_mode_may_keep_the_target():
    target = comparisons.comparison(target_ms=1.0)["summary"]["target"]
    assert target["best"] is None
    row = row_of(target["rows"], "custom/native-int8")
    assert (row["least_batch"], row["least_ms"]) == (1, pytest.approx(6.4, rel=0.02))
    assert row_of(target["rows"], "custom/tensorflow-gpu") == {
        "entry": "custom/tensorflow-gpu",
        "missing": "TensorFlow finds no GPU",
    }


def test_the_best_is_of_the_custom_network():
    target = comparisons.comparison()["summary"]["target"]
    assert target["best"] == "custom/openvino-int8"
    assert {row["entry"].partition("/")[0] for row in target["rows"]} == {"custom"}


def test_every_mode_has_a_cell_for_every_batch():
    result = comparisons.comparison()
    cells = {(cell["entry"], cell["batch"]) for cell in result["summary"]["cells"]}
    keys = {row["key"] for row in result["entries"]}
    assert cells == {(key, batch) for key in keys for batch in (1, 8)}
    assert cell_of(result, "custom/tensorflow-gpu", 8)["missing"] == "TensorFlow finds no GPU"


def test_speed_ups_are_over_tensorflow_peers_and_the_other_network():
    ratios = comparisons.comparison()["summary"]["speed_ups"]
    values = {(r["entry"], r["to"], r["batch"]): r["value"] for r in ratios}
    native = "custom/native-int8"
    assert values[native, "custom/tensorflow-cpu", 1] == pytest.approx(30 / 6.4, rel=1e-3)
    assert values[native, "custom/openvino-int8", 8] == pytest.approx(48 / 48.8, rel=1e-3)
    assert values[native, "custom/integrated-int8", 1] == pytest.approx(6.9 / 6.4, rel=1e-3)
    assert values["stock/native-int8", native, 1] == pytest.approx(6.4 / 6.6, rel=1e-3)
    assert (native, "custom/tensorflow-gpu", 1) not in values
    assert (native, "custom/native-fp32", 1) not in values


def test_means_are_over_the_batches():
    means = comparisons.comparison()["summary"]["mean_speed_ups"]
    mean = next(
        row["value"]
        for row in means
        if (row["entry"], row["to"]) == ("custom/native-int8", "custom/tensorflow-cpu")
    )
    assert mean == pytest.approx((30 / 6.4 + 216 / 48.8) / 2, rel=1e-3)


def test_a_mode_that_wavers_is_marked_and_others_are_not():
    wavering = {"custom/native-int8": (1.0, 1.3, 1.0, 1.3)}
    result = comparisons.comparison(drift=wavering)
    assert cell_of(result, "custom/native-int8", 1)["noisy"]
    assert not cell_of(result, "custom/native-fp32", 1)["noisy"]


def test_a_mode_that_breaks_keeps_what_it_did_and_says_why():
    result = comparisons.comparison()
    for one in result["rounds"]:
        if one["batch"] == 8 or one["turn"] > 1:
            one["times"].pop("custom/native-int8", None)
            one["errors"]["custom/native-int8"] = "out of memory"
    result["summary"] = summary.summarise(result)
    first = cell_of(result, "custom/native-int8", 1)
    assert (first["runs"], first["stopped"]) == (6, "out of memory")
    assert cell_of(result, "custom/native-int8", 8)["missing"] == "out of memory"


def test_busy_rounds_are_counted():
    result = comparisons.comparison()
    for one in result["rounds"][:5]:
        one["load"]["others"] = 0.4
    load = summary.summarise(result)["load"]
    assert (load["busy_rounds"], load["rounds"]) == (5, 12)
    assert load["others_most_percent"] == 40
