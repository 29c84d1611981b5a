from __future__ import annotations

import numpy as np
import pytest

from chexnet_trt.models.numpy_layers import NumpyLayers, convolve, same_padding


def test_same_padding_puts_the_odd_pixel_last():
    assert same_padding(4, 3, 2) == (0, 1)
    assert same_padding(5, 3, 2) == (1, 1)
    assert same_padding(4, 1, 2) == (0, 0)


@pytest.mark.tensorflow
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("size", "strides"), [(1, 1), (1, 2), (3, 1), (3, 2), (7, 2)])
def test_agrees_with_tensorflow(size, strides, padding):
    tf = pytest.importorskip("tensorflow")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 10, 13, 4), np.float32)
    kernel = rng.standard_normal((size, size, 4, 5), np.float32)
    convolved = tf.nn.conv2d(x, kernel, strides, padding).numpy()
    assert np.allclose(convolve(x, kernel, strides, padding), convolved, atol=1e-4)
    pooled = tf.nn.max_pool2d(x, size, strides, padding).numpy()
    assert np.array_equal(NumpyLayers().max_pool("", x, size, strides, padding), pooled)
    averaged = tf.nn.avg_pool2d(x, size, strides, "VALID").numpy()
    assert np.allclose(NumpyLayers().avg_pool("", x, size, strides), averaged, atol=1e-6)
