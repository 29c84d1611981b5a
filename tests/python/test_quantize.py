"""Quantisation points and the quantised graph through the bindings."""

from __future__ import annotations

from pathlib import Path

import pytest

import networks
from chexnet_trt import _core

SHAPE = (networks.SIZE, networks.SIZE, networks.CHANNELS)


@pytest.fixture(scope="module")
def optimized(small_uff: Path) -> _core.Graph:
    parser = _core.uff.UffParser()
    parser.register_input(networks.INPUT, SHAPE, _core.uff.UffInputOrder.NHWC)
    parser.register_output(networks.SCORES)
    return _core.optimize(parser.parse(str(small_uff)))[0]


def test_points_are_values_of_the_graph_in_order(optimized: _core.Graph) -> None:
    points = _core.quantization_points(optimized)
    order = {node.name: index for index, node in enumerate(optimized.nodes)}
    positions = [order[name] for name, _, _ in points]
    assert positions == sorted(positions)
    assert points[0][:2] == (networks.INPUT, False)
    relus = [
        is_unsigned for name, is_unsigned, _ in points if optimized.find(name).op == "activation"
    ]
    assert relus
    assert all(relus)


def test_quantize_stores_weights_and_points_in_8_bits(optimized: _core.Graph) -> None:
    ranges = {name: 1.0 for name, _, _ in _core.quantization_points(optimized)}
    graph = _core.quantize(optimized, ranges)
    convolutions = [node for node in graph.nodes if node.op == "conv2d"]
    assert convolutions
    for convolution in convolutions:
        weights = convolution.inputs[1]
        assert weights.op == "dequantize"
        assert weights.inputs[0].element_type == "int8"
    assert sum(node.op == "quantize" for node in graph.nodes) == len(ranges)
    assert graph.hash() == _core.quantize(optimized, ranges).hash()


def test_layers_in_high_precision_keep_their_weights(optimized: _core.Graph) -> None:
    layers = {node.name for node in optimized.nodes if node.op in ("conv2d", "matmul")}
    assert _core.quantization_points(optimized, layers) == []
    graph = _core.quantize(optimized, {}, layers)
    assert not any(node.op == "quantize" for node in graph.nodes)


def test_bad_input_is_named(optimized: _core.Graph) -> None:
    with pytest.raises(_core.InputError, match="no dynamic range for"):
        _core.quantize(optimized, {})
    with pytest.raises(_core.InputError, match="no layer 'nowhere'"):
        _core.quantization_points(optimized, {"nowhere"})
