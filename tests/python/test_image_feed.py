from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from chexnet_trt._core import InputError
from chexnet_trt.image_feed import ImageFeed, image_size
from chexnet_trt.preprocess import preset

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)


def spec(shape=(-1, 3, 6, 8), layout="nchw", element="float32"):
    return SimpleNamespace(name="input_tensor", shape=shape, layout=layout, element=element)


@pytest.mark.parametrize(("shape", "layout"), [((-1, 3, 6, 8), "nchw"), ((-1, 6, 8, 3), "nhwc")])
def test_images_go_through_the_preprocessing(shape, layout):
    assert image_size(spec(shape, layout)) == (8, 6, 3)
    unit = preset("unit", 8, 6, 3)
    values = ImageFeed(spec(shape, layout), unit).values(PIXELS)
    assert np.array_equal(values, unit.apply(PIXELS, layout))
    assert values.shape == shape[1:]


def test_an_engine_that_preprocesses_itself_is_fed_rounded_pixels():
    values = ImageFeed(spec(element="uint8"), preset("raw", 8, 6, 3)).values(PIXELS)
    assert values.dtype == np.uint8
    assert np.array_equal(values, np.rint(preset("raw", 8, 6, 3).apply(PIXELS, "nchw")))
    with pytest.raises(InputError, match="give --preprocess raw"):
        ImageFeed(spec(element="uint8"), preset("unit", 8, 6, 3))


def test_preprocessed_values_stay_as_they_are():
    values = np.random.default_rng(1).normal(size=(3, 6, 8))
    fed = ImageFeed(spec(), None).values(values)
    assert fed.dtype == np.float32
    assert np.array_equal(fed, values.astype(np.float32))


@pytest.mark.parametrize(
    ("values", "element", "message"),
    [
        (np.zeros((6, 8, 3), np.float32), "float32", r"takes float32 \[3, 6, 8\], got .*\[6, 8, 3"),
        (np.zeros((3, 6, 8), np.float32), "uint8", r"takes uint8 \[3, 6, 8\], got float32"),
        (np.full((3, 6, 8), np.nan), "float32", "infinite or no numbers"),
        (np.full((3, 6, 8), 1e60), "float32", "infinite or no numbers"),
    ],
)
def test_values_that_do_not_fit(values, element, message):
    with pytest.raises(InputError, match=message):
        ImageFeed(spec(element=element), None).values(values)


def test_images_without_a_preprocessing():
    with pytest.raises(InputError, match="say it with --preprocess"):
        ImageFeed(spec(), None).values(PIXELS)


def test_an_input_and_a_preprocessing_that_do_not_fit():
    with pytest.raises(InputError, match=r"takes 8x6 pixels .* makes 224x224"):
        ImageFeed(spec(), preset("unit", 224, 224, 3))
    with pytest.raises(InputError, match="does not take images"):
        ImageFeed(spec((-1, 128), "plain"), preset("unit", 8, 6, 3))
