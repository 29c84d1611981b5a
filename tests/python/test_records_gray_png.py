from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from chexnet_trt.records.gray_png import encode
from synthetic_xray import synthetic_xray


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (33, 20)])
def test_pillow_reads_the_same_pixels(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    image = Image.open(io.BytesIO(encode(pixels)))
    image.verify()
    image = Image.open(io.BytesIO(encode(pixels)))
    assert (image.mode, image.format) == ("L", "PNG")
    assert np.array_equal(image, pixels)


def test_a_film_becomes_smaller():
    film = synthetic_xray(0)
    assert len(encode(film)) < 0.75 * film.size
