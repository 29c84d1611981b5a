from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from chexnet_trt._core import InputError
from chexnet_trt.preprocess import PRESETS, Preprocessing, preset

PIXEL = np.full((2, 2), 51, np.uint8)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("imagenet-tf", [51 - 123.68, 51 - 116.779, 51 - 103.939]),
        ("torch", [(0.2 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, (0.2 - 0.406) / 0.225]),
        ("unit", [0.2] * 3),
        ("unit-inverted", [0.8] * 3),
        ("signed-unit", [-0.6] * 3),
        ("raw", [51.0] * 3),
    ],
)
def test_presets(name, expected):
    values = preset(name, 2, 2, 3).apply(PIXEL, "nhwc")
    assert values.dtype == np.float32
    assert np.allclose(values, np.float32(expected), atol=1e-5)


@pytest.mark.parametrize("name", PRESETS)
def test_json_round_trip(name):
    original = preset(name, 256, 128, 3)
    assert Preprocessing.from_json(json.loads(json.dumps(original.to_json()))) == original


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 0}, "0x4 pixels"),
        ({"width": "4"}, "whole numbers"),
        ({"channels": 2}, "1 or 3 channels"),
        ({"mean": [1]}, "3 finite mean values"),
        ({"mean": 7}, "malformed"),
        ({"std": [1, 1, float("nan")]}, "3 finite std values"),
        ({"std": [1, 1, 0]}, "std of 0"),
        ({"resize": "lanczos"}, "unknown resize kernel 'lanczos'"),
    ],
)
def test_malformed_json(change, message):
    with pytest.raises(InputError, match=message):
        Preprocessing.from_json(preset("unit", 4, 4, 3).to_json() | change)


def test_missing_field():
    fields = preset("unit", 4, 4, 3).to_json()
    del fields["std"]
    with pytest.raises(InputError, match="lacks 'std'"):
        Preprocessing.from_json(fields)


def test_unknown_preset_and_gray_network():
    with pytest.raises(InputError, match="unknown preprocessing 'caffe'; there are imagenet-tf"):
        preset("caffe", 4, 4, 3)
    with pytest.raises(InputError, match="'torch' is for RGB; the network takes 1 channel"):
        preset("torch", 4, 4, 1)


def test_layouts():
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    raw = preset("raw", 3, 2, 3)
    assert np.array_equal(raw.apply(pixels, "nhwc"), pixels)
    chw = raw.apply(pixels, "nchw")
    assert np.array_equal(chw, pixels.transpose(2, 0, 1))
    assert chw.flags.c_contiguous
    with pytest.raises(InputError, match="layout 'plain' does not take images"):
        raw.apply(pixels, "plain")


def test_color_for_a_gray_network_is_luma():
    pixels = np.zeros((1, 1, 3), np.uint8)
    pixels[..., 1] = 100
    assert preset("raw", 1, 1, 1).apply(pixels, "nhwc") == pytest.approx(58.7)


def test_resize_is_pillows_antialiased_bilinear():
    pixels = np.random.default_rng(0).integers(0, 256, (97, 61), np.uint8)
    expected = Image.fromarray(pixels).resize((16, 24), Image.Resampling.BILINEAR)
    assert np.array_equal(preset("raw", 16, 24, 1).pixels(pixels)[..., 0], np.asarray(expected))
    stripes = np.tile(np.uint8([0, 255]), (64, 32))
    assert np.ptp(preset("raw", 16, 16, 1).pixels(stripes)) < 20


def test_sixteen_bits_resize_like_eight():
    pixels = np.random.default_rng(1).integers(0, 256, (50, 50), np.uint8)
    eight = preset("raw", 20, 20, 1).pixels(pixels)
    sixteen = preset("raw", 20, 20, 1).pixels(pixels.astype(np.uint16) * 257)
    assert np.abs(eight - sixteen).max() <= 1
