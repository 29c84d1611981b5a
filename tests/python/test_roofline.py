"""The floors of hand-counted networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chexnet_trt import _core
from chexnet_trt.roofline import Ceilings, Layer, layers_of


def builder_with_image(**attributes: Any) -> _core.GraphBuilder:
    """image [?, 8, 8, 4]."""
    builder = _core.GraphBuilder()
    builder.add("input", "image", [], {"shape": (None, 8, 8, 4), "layout": "nhwc"} | attributes)
    return builder


def add_conv(builder: _core.GraphBuilder, name: str, source: str, shape: tuple[int, ...]) -> None:
    builder.add("constant", f"{name}/kernel", [], {"value": np.ones(shape, np.float32)})
    builder.add("conv2d", name, [source, f"{name}/kernel"], {"layout": "nhwc"})


def bottleneck() -> _core.Graph:
    """conv a, relu, conv b, its sum with a, mean, dense of 10."""
    builder = builder_with_image()
    add_conv(builder, "a", "image", (1, 1, 4, 16))
    builder.add("activation", "relu", ["a"], {"kind": "relu"})
    add_conv(builder, "b", "relu", (1, 1, 16, 16))
    builder.add("binary", "sum", ["b", "a"], {"kind": "add"})
    mean = {"kind": "mean", "axes": [1, 2], "keep_dims": False}
    builder.add("reduce", "mean", ["sum"], mean)
    builder.add("constant", "w", [], {"value": np.ones((16, 10), np.float32)})
    builder.add("matmul", "dense", ["mean", "w"])
    builder.add("constant", "bias", [], {"value": np.ones(10, np.float32)})
    builder.add("binary", "scores", ["dense", "bias"], {"kind": "add"})
    builder.add_output("scores", "scores")
    return builder.finish()


@pytest.mark.parametrize(("precision", "width"), [("fp32", 4), ("fp16", 2), ("int8", 1)])
def test_bytes_and_operations_of_each_layer(precision: str, width: int) -> None:
    batch, pixels = 3, 64
    image = 4 * batch * pixels * 4  # float32 whatever the network computes in
    feature = batch * pixels * 16
    assert layers_of(bottleneck(), batch, precision) == [
        Layer("a", image + width * (4 * 16 + feature), 2 * feature * 4),
        Layer("b", width * (feature + 16 * 16 + feature + feature), 2 * feature * 16),
        Layer("mean", width * (feature + batch * 16), 0),
        Layer("dense", width * (batch * 16 + 16 * 10 + batch * 10), 2 * batch * 16 * 10),
    ]


def test_a_sum_belongs_to_the_later_layer_whatever_its_order() -> None:
    builder = builder_with_image()
    add_conv(builder, "first", "image", (1, 1, 4, 4))
    add_conv(builder, "second", "image", (1, 1, 4, 4))
    builder.add("binary", "sum", ["first", "second"], {"kind": "add"})
    builder.add("binary", "again", ["sum", "first"], {"kind": "add"})
    builder.add_output("again", "again")
    first, second = layers_of(builder.finish(), 1, "fp16")
    assert second.bytes - first.bytes == 2 * 2 * 64 * 4


def test_a_sum_belongs_to_the_layer_that_it_is_computed_with() -> None:
    builder = builder_with_image()
    add_conv(builder, "first", "image", (1, 1, 4, 4))
    add_conv(builder, "second", "image", (1, 1, 4, 4))
    builder.add("binary", "sum", ["first", "second"], {"kind": "add"})
    add_conv(builder, "next", "sum", (1, 1, 4, 4))
    builder.add_output("next", "next")
    graph = builder.finish()
    first, second, following = layers_of(graph, 1, "fp16", [("second",), ("first", "sum", "next")])
    assert first.bytes - second.bytes == 2 * 64 * 4
    told = layers_of(graph, 1, "fp16", [("first",), ("second", "sum"), ("next",)])
    assert told == layers_of(graph, 1, "fp16")
    assert told[2] == following


def test_an_image_of_8_bits_is_read_as_such() -> None:
    layers = []
    for element in ("float32", "uint8"):
        builder = builder_with_image(element=element)
        source = "image"
        if element == "uint8":
            builder.add("cast", "real", ["image"], {"to": "float32"})
            source = "real"
        add_conv(builder, "conv", source, (1, 1, 4, 4))
        builder.add_output("conv", "conv")
        layers += layers_of(builder.finish(), 2, "fp16")
    assert layers[0].bytes - layers[1].bytes == 3 * 2 * 64 * 4


def test_the_floor_is_the_later_of_moving_and_computing() -> None:
    ceilings = Ceilings(1e9, {"fp16": 1e12, "int8": 2e12})
    assert ceilings.floor_ms(Layer("moves", 2e6, 1e6), "fp16") == pytest.approx(2)
    assert ceilings.floor_ms(Layer("computes", 1, 6e9), "fp16") == pytest.approx(6)
    assert ceilings.floor_ms(Layer("computes", 1, 6e9), "int8") == pytest.approx(3)
