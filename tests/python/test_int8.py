"""int8 engines from Python: ranges, layers in high precision, what the engine says of itself."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorboard")

import chexnet_trt as ct
import networks
from chexnet_trt import int8 as quantization
from chexnet_trt._core import CalibrationTable, Graph, InputError
from chexnet_trt.int8 import Int8, from_random, from_table, keep_layers, layers
from chexnet_trt.network import Network, read
from int8_networks import NETWORK, needs_int8, needs_mixed, pixels, write_chain
from networks import SCORES

PIXELS = pixels(16)
INT8: dict[str, Any] = {**NETWORK, "precisions": ["int8"], "obey": True, "slice_size": 4}
LAYERS = ["conv", "product"]


@pytest.fixture(scope="module")
def table(small_uff: Path) -> CalibrationTable:
    return ct.calibrate(small_uff, PIXELS, **NETWORK)


@pytest.fixture(scope="module")
def network(small_uff: Path) -> Network:
    return read(small_uff, **NETWORK)


@pytest.fixture(scope="module")
def engine(small_uff: Path, table: CalibrationTable) -> ct.Engine:
    return ct.build(small_uff, **INT8, calibration=table, max_batch=4)


@pytest.fixture(scope="module")
def timing_engine(small_uff: Path) -> ct.Engine:
    return ct.build(small_uff, **INT8, random_ranges=True, max_batch=4)


def int8_weights(graph: Graph) -> list[str]:
    """The layers whose weights are int8."""
    weighted = [node for node in graph.nodes if node.op in ("conv2d", "matmul")]
    assert [node.name for node in weighted] == LAYERS
    return [
        node.name
        for node in weighted
        if node.inputs[1].op == "dequantize" and node.inputs[1].inputs[0].element_type == "int8"
    ]


def values() -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(PIXELS[:4], 3, 1) / np.float32(255))


def test_a_table_says_where_its_ranges_are_from(table):
    found = from_table(table)
    assert found.ranges == table.ranges
    assert found.high_precision == ()
    assert found.calibration == {
        "random_ranges": False,
        "foreign_table": False,
        "algorithm": "entropy",
        "calibrator_version": 1,
        "sample_limit": 16384,
        "image_count": 16,
        "images_sha256": table.provenance.images_sha256,
        "network_sha256": table.provenance.network_sha256,
        "preprocessing_sha256": table.provenance.preprocessing_sha256,
    }
    foreign = from_table(CalibrationTable(table.header, table.ranges))
    assert foreign.calibration == {"random_ranges": False, "foreign_table": True}


def test_random_ranges_are_the_same_for_the_same_network(network, table):
    found = from_random(network)
    assert set(found.ranges) == set(table.ranges)
    assert from_random(network) == found
    assert found.calibration["random_ranges"] is True


def test_layers_are_those_with_int8_weights(network, table):
    assert layers(network, from_table(table)) == LAYERS


def test_only_layers_that_int8_computes_can_be_kept(network, table):
    int8 = from_table(table)
    assert keep_layers(network, int8, ["conv"]).high_precision == ("conv",)
    assert keep_layers(network, int8, []) == int8
    for name in ("nowhere", "relu", "kernel", ""):
        with pytest.raises(InputError, match=f"'{name}' is none of the 2 layers .*'conv'"):
            keep_layers(network, int8, ["conv", name])


@needs_int8
def test_int8_weights_and_scores_near_fp32(small_uff, engine):
    assert engine.precision == "int8"
    assert int8_weights(engine.graph) == LAYERS
    reference = ct.build(small_uff, **NETWORK, max_batch=4).infer(values())[SCORES]
    scores = engine.infer(values())[SCORES]
    assert 0 < np.abs(scores - reference).max() < 0.02


@needs_int8
def test_the_manifest_says_what_it_was_calibrated_with(engine, table):
    found = engine.manifest["calibration"]
    assert found == {
        **from_table(table).calibration,
        "high_precision": [],
        "agreement_on_calibration_images": None,
    }
    assert engine.manifest["precision"]["asked"] == ["int8"]
    assert not engine.timing_only


@needs_int8
def test_random_ranges_are_for_timing_only(timing_engine, caplog):
    assert timing_engine.timing_only
    assert timing_engine.manifest["calibration"]["random_ranges"] is True
    with caplog.at_level(logging.WARNING, "chexnet_trt"):
        timing_engine.infer(values())
    assert "timing only: the int8 ranges are RANDOM" in caplog.text


@needs_int8
@pytest.mark.parametrize("name", ["engine", "timing_engine"])
def test_a_loaded_engine_is_the_saved_one(name, request, tmp_path):
    built = request.getfixturevalue(name)
    built.save(tmp_path / "net.engine")
    loaded = ct.load(tmp_path / "net.engine", require_exact_device=True)
    assert loaded.precision == "int8"
    assert loaded.manifest == built.manifest
    assert loaded.timing_only == built.timing_only
    assert loaded.graph.hash() == built.graph.hash()
    np.testing.assert_array_equal(loaded.infer(values())[SCORES], built.infer(values())[SCORES])


@needs_int8
def test_the_same_inputs_and_table_give_the_same_engine(small_uff, tmp_path, table, engine):
    table.write(str(tmp_path / "net.calib"))
    again = ct.build(small_uff, **INT8, calibration=tmp_path / "net.calib", max_batch=4)
    assert again.graph.hash() == engine.graph.hash()
    assert again.manifest["calibration"] == engine.manifest["calibration"]
    scores = [one.infer(values())[SCORES].tobytes() for one in (engine, again, engine)]
    assert len(set(scores)) == 1


@needs_int8
def test_layers_in_high_precision_have_float_weights(small_uff, table, engine):
    options = {**INT8, "calibration": table, "max_batch": 4}
    kept = ct.build(small_uff, **options, high_precision=["product"])
    assert int8_weights(kept.graph) == ["conv"]
    assert kept.manifest["calibration"]["high_precision"] == ["product"]
    assert kept.graph.hash() != engine.graph.hash()
    nothing = ct.build(small_uff, **options, high_precision=LAYERS)
    assert int8_weights(nothing.graph) == []
    reference = ct.build(small_uff, **NETWORK, max_batch=4).infer(values())[SCORES]
    np.testing.assert_allclose(nothing.infer(values())[SCORES], reference, rtol=0, atol=1e-6)


@needs_mixed
def test_mixed_keeps_bf16_around_int8(small_uff, table):
    options = {**INT8, "precisions": ["mixed"], "calibration": table, "max_batch": 4}
    mixed = ct.build(small_uff, **options)
    assert mixed.precision == "mixed"
    assert int8_weights(mixed.graph) == LAYERS
    assert mixed.manifest["calibration"]["random_ranges"] is False
    reference = ct.build(small_uff, **NETWORK, max_batch=4).infer(values())[SCORES]
    np.testing.assert_allclose(mixed.infer(values())[SCORES], reference, rtol=0, atol=0.03)


@needs_int8
def test_int8_of_bytes(small_uff):
    options = {**NETWORK, "u8_input": True}
    table = ct.calibrate(small_uff, PIXELS, **options)
    engine = ct.build(
        small_uff, **options, precisions=["int8"], obey=True, calibration=table, max_batch=4
    )
    assert engine.inputs[0].element == "uint8"
    assert int8_weights(engine.graph) == LAYERS
    scores = engine.infer(np.ascontiguousarray(np.moveaxis(PIXELS[:4], 3, 1)))[SCORES]
    reference = ct.build(small_uff, **NETWORK, max_batch=4).infer(values())[SCORES]
    np.testing.assert_allclose(scores, reference, rtol=0, atol=0.02)


@needs_int8
@pytest.mark.parametrize("form", [{"element": "float16"}, {"batch": 2}], ids=str)
def test_int8_of_half_weights_and_of_a_fixed_batch(tmp_path, form):
    path = write_chain(tmp_path / "other.uff", **form)
    table = ct.calibrate(path, PIXELS, **NETWORK)
    engine = ct.build(path, **INT8, calibration=table, max_batch=4)
    layers = [node for node in engine.graph.nodes if node.op in ("conv2d", "matmul")]
    assert [layer.inputs[1].op for layer in layers] == ["dequantize"] * 4
    plain = ct.build(write_chain(tmp_path / "plain.uff"), **NETWORK, max_batch=4)
    reference = plain.infer(values())[SCORES]
    np.testing.assert_allclose(engine.infer(values())[SCORES], reference, rtol=0, atol=0.05)


def test_a_permitted_precision_may_lose_but_is_reported(small_uff, table):
    engine = ct.build(small_uff, **NETWORK, precisions=["int8"], calibration=table)
    rows = {row["precision"]: row for row in engine.report["candidates"]}
    assert set(rows) == {"fp32", "int8"}
    assert rows[engine.precision]["chosen"]
    assert (engine.manifest["calibration"] is None) == (engine.precision == "fp32")


def test_ranges_are_given_once_and_used(small_uff, table):
    def refused(says: str, **options: object) -> None:
        with pytest.raises(InputError, match=says):
            ct.build(small_uff, **{**NETWORK, **options})

    refused("int8 needs a calibration", precisions=["int8"])
    refused("int8 needs a calibration", precisions=["mixed", "bf16"])
    refused("not both", precisions=["int8"], calibration=table, random_ranges=True)
    refused("permit int8 or mixed", calibration=table)
    refused("permit int8 or mixed", precisions=["bf16"], random_ranges=True)
    refused("permit int8 or mixed", high_precision=["conv"])
    refused(
        "'relu' is none", precisions=["int8"], calibration=table, high_precision=["conv", "relu"]
    )


def test_tables_that_do_not_serve(small_uff, tmp_path, table):
    def refused(says: str, calibration: object, **options: object) -> None:
        with pytest.raises(InputError, match=says):
            ct.build(small_uff, **{**INT8, "calibration": calibration, **options})

    refused("preprocessing_sha256 is", table, preprocessing="torch")
    other = ct.calibrate(networks.write_uff(tmp_path / "other.uff", seed=1), PIXELS, **NETWORK)
    refused("network_sha256 is", other)
    refused("gone.calib", tmp_path / "gone.calib")
    plain = CalibrationTable(table.header, table.ranges)
    refused("does not say", plain)
    few = CalibrationTable(table.header, {"relu": table.ranges["relu"]})
    refused(
        r"no dynamic range for 2 of 3 values \('input_tensor', 'features'\)",
        few,
        accept_foreign_table=True,
    )


@needs_int8
def test_a_foreign_table_leaves_its_mark(small_uff, table):
    plain = CalibrationTable(table.header, table.ranges)
    engine = ct.build(small_uff, **INT8, calibration=plain, accept_foreign_table=True)
    assert engine.manifest["calibration"]["foreign_table"] is True
    assert not engine.timing_only


def test_keeping_changes_nothing_else():
    int8 = Int8({"x": 1.0}, {"random_ranges": False})
    assert int8.keeping(["a", "b"]) == Int8({"x": 1.0}, {"random_ranges": False}, ("a", "b"))
    assert frozenset(("int8", "mixed")) == quantization.QUANTIZED
