from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorboard")

import chexnet_trt as ct
from chexnet_trt.layer_table import LayerRow, layer_rows
from int8_networks import NETWORK, needs_int8, pixels


@pytest.fixture(scope="module")
def engine(small_uff: Path) -> ct.Engine:
    table = ct.calibrate(small_uff, pixels(8), **NETWORK)
    return ct.build(small_uff, **NETWORK, precisions=["int8"], obey=True, calibration=table)


def test_layers_in_fp32_have_no_scales(small):
    rows = layer_rows(small, small.layers(2))
    assert [(row.layer, row.op, row.precision) for row in rows] == [
        ("conv", "conv2d", "fp32"),
        ("product", "matmul", "fp32"),
    ]
    for row in rows:
        assert row.kernel
        assert row.input_element is row.input_scale is None
        assert row.least_weight_scale is row.largest_weight_scale is None


@needs_int8
def test_scales_of_an_int8_engine_are_those_of_its_graph(engine):
    conv, product = layer_rows(engine, engine.layers())
    graph = engine.graph
    for row, source, element in ((conv, "input_tensor", "int8"), (product, "features", "uint8")):
        assert row.precision == "int8"
        assert row.input_element == element
        assert row.input_scale == float(graph.find(f"{source}/scale").value)
    scales = np.sort(graph.find("dense/scale").value)
    assert (product.least_weight_scale, product.largest_weight_scale) == (scales[0], scales[-1])
    assert conv.least_weight_scale < conv.largest_weight_scale


@needs_int8
def test_every_layer_of_an_int8_engine_has_a_kernel(engine):
    for row in layer_rows(engine, engine.layers()):
        assert row.kernel, row.layer


@needs_int8
def test_a_layer_in_high_precision_is_told_from_the_others(small_uff):
    table = ct.calibrate(small_uff, pixels(8), **NETWORK)
    engine = ct.build(
        small_uff,
        **NETWORK,
        precisions=["int8"],
        obey=True,
        calibration=table,
        high_precision=["conv"],
    )
    conv, product = layer_rows(engine, engine.layers())
    assert (conv.precision, conv.input_scale) == ("fp32", None)
    assert (product.precision, product.input_element) == ("int8", "uint8")


def test_rows_are_json():
    row = LayerRow("a", "conv2d", "fp32", None, None, None, None, "jit")
    assert LayerRow(**json.loads(json.dumps(row.to_json()))) == row
    assert [field.name for field in dataclasses.fields(LayerRow)] == list(row.to_json())
