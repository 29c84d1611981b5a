"""The network operations on NHWC arrays in numpy, small and plain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chexnet_trt.models.layers import Array


def same_padding(extent: int, kernel: int, strides: int) -> tuple[int, int]:
    """TensorFlow's SAME: the odd pixel goes to the end."""
    total = max((-(-extent // strides) - 1) * strides + kernel - extent, 0)
    return total // 2, total - total // 2


def _windows(x: Array, kernel: int, strides: int) -> Array:
    """[N, H', W', C, kernel, kernel] view of the windows of a padded array."""
    view = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(1, 2))
    return view[:, ::strides, ::strides]


class NumpyLayers:
    """The layers without variables; a subclass adds conv2d, batch_norm and dense."""

    def to_data_format(self, name: str, x: Array) -> Array:
        return x

    def pad(self, name: str, x: Array, before: int, after: int) -> Array:
        return np.pad(x, ((0, 0), (before, after), (before, after), (0, 0)))

    def relu(self, name: str, x: Array) -> Array:
        rectified: Array = np.maximum(x, np.float32(0))
        return rectified

    def max_pool(self, name: str, x: Array, size: int, strides: int, padding: str) -> Array:
        if padding == "SAME":
            rows, columns = (same_padding(extent, size, strides) for extent in x.shape[1:3])
            x = np.pad(x, ((0, 0), rows, columns, (0, 0)), constant_values=-np.inf)
        pooled: Array = _windows(x, size, strides).max(axis=(-2, -1))
        return pooled

    def avg_pool(self, name: str, x: Array, size: int, strides: int) -> Array:
        pooled: Array = _windows(x, size, strides).mean(axis=(-2, -1))
        return pooled

    def add(self, name: str, a: Array, b: Array) -> Array:
        return a + b

    def concat(self, name: str, tensors: Sequence[Array]) -> Array:
        return np.concatenate(tensors, axis=-1)

    def identity(self, name: str, x: Array) -> Array:
        return x

    def spatial_mean(self, name: str, x: Array, keep_dims: bool) -> Array:
        mean: Array = x.mean(axis=(1, 2), keepdims=keep_dims)
        return mean

    def squeeze(self, name: str, x: Array) -> Array:
        return x.squeeze(axis=(1, 2))


def convolve(x: Array, kernel: Array, strides: int, padding: str) -> Array:
    """NHWC by HWIO, as one matrix product over the unrolled windows."""
    size, _, channels, filters = kernel.shape
    if size == 1:
        result: Array = x[:, ::strides, ::strides] @ kernel[0, 0]
        return result
    if padding == "SAME":
        rows, columns = (same_padding(extent, size, strides) for extent in x.shape[1:3])
        x = np.pad(x, ((0, 0), rows, columns, (0, 0)))
    windows = _windows(x, size, strides)
    unrolled = windows.reshape(-1, channels * size * size)
    product: Array = unrolled @ kernel.transpose(2, 0, 1, 3).reshape(-1, filters)
    return product.reshape(*windows.shape[:3], filters)
