"""Random weights of a network whose activations behave like a trained one's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chexnet_trt.models.layers import Array, WeightSource
from chexnet_trt.models.numpy_layers import NumpyLayers, convolve

IMAGES = 16
MEASURED_SIZE = 96
LOGIT_SPREAD = 1.6
BLUR = 0.16  # Deviation of the kernels' smoothing, as a share of the kernel's size.


class MeasuringLayers(NumpyLayers):
    """Draws each variable when its layer is reached, and measures what it needs from the images.

    Kernels have He's variance (arXiv:1502.01852) and, like trained ones, neighbouring weights that
    are alike: else noise would drive the network far harder than an X-ray does. Batch norms take
    the mean and the variance that the images really have there, so every normalised channel has
    unit variance before gamma and beta.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.variables: dict[str, Array] = {}
        self._rng = rng

    def conv2d(
        self, name: str, x: Array, filters: int, kernel: int, strides: int, padding: str
    ) -> Array:
        channels = x.shape[-1]
        deviation = np.sqrt(2 / (kernel * kernel * channels))
        weights = self._normal((kernel, kernel, channels, filters), 1)
        if kernel > 1:
            blur = _blur(kernel)
            weights = np.einsum("yi,xj,ijcf->yxcf", blur, blur, weights, optimize=True)
        weights *= np.float32(deviation / float(weights.std()))
        self.variables[f"{name}/kernel"] = weights
        return convolve(x, weights, strides, padding)

    def batch_norm(self, name: str, x: Array, epsilon: float) -> Array:
        channels = x.shape[-1]
        mean = x.mean(axis=(0, 1, 2))
        variance = x.var(axis=(0, 1, 2))
        # A channel that hardly moves on these images must not explode on others.
        variance = np.maximum(variance, np.float32(0.05) * np.median(variance))
        gamma = np.float32(0.8) + np.float32(0.4) * self._rng.random(channels, np.float32)
        beta = self._normal((channels,), 0.1)
        for part, value in (
            ("gamma", gamma),
            ("beta", beta),
            ("moving_mean", mean),
            ("moving_variance", variance),
        ):
            self.variables[f"{name}/{part}"] = value
        scale = gamma / np.sqrt(variance + np.float32(epsilon))
        result: Array = x * scale + (beta - mean * scale)
        return result

    def dense(self, name: str, x: Array, units: int) -> Array:
        """Scaled so that each class's logit spreads by LOGIT_SPREAD over the images."""
        kernel = self._normal((x.shape[-1], units), 1 / np.sqrt(x.shape[-1]))
        kernel *= LOGIT_SPREAD / np.maximum((x @ kernel).std(axis=0), 1e-6)
        bias = self._normal((units,), 0.5) - (x @ kernel).mean(axis=0)
        self.variables[f"{name}/kernel"] = kernel
        self.variables[f"{name}/bias"] = bias
        logits: Array = x @ kernel + bias
        return logits

    def _normal(self, shape: tuple[int, ...], deviation: float) -> Array:
        drawn: Array = self._rng.standard_normal(shape, np.float32) * np.float32(deviation)
        return drawn


def _blur(size: int) -> Array:
    """[size, size]: a Gaussian centred on each position in turn."""
    position = np.arange(size)
    distance = (position[:, None] - position[None, :]) / (BLUR * size)
    return np.exp(-(distance**2) / 2).astype(np.float32)


def synthetic_images(rng: np.random.Generator, count: int, size: int) -> Array:
    """Gray clouds as RGB, [count, size, size, 3] 0..255, from white noise to near gradients."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]) * size
    images = np.empty((count, size, size, 3), np.float32)
    for index in range(count):
        noise = np.fft.rfft2(rng.standard_normal((size, size)))
        smoothness = 3 * index / max(count - 1, 1)
        cloud = np.fft.irfft2(noise / np.maximum(frequency, 1) ** smoothness, (size, size))
        cloud = rng.uniform(30, 225) + rng.uniform(5, 75) * cloud / cloud.std()
        images[index] = np.clip(cloud, 0, 255)[:, :, None]
    return images


def random_weights(
    logits: Callable[[MeasuringLayers, Array, int], Array],
    mean: Array,
    std: Array,
    *,
    num_classes: int,
    image_size: int,
    seed: int,
) -> WeightSource:
    """Weights for the network `logits`, measured on synthetic images of (pixel - mean) / std.

    The measurement runs at no more than MEASURED_SIZE pixels. The same seed gives the same weights,
    but for the last bits of what is measured.
    """
    rng = np.random.default_rng(seed)
    layers = MeasuringLayers(rng)
    images = synthetic_images(rng, IMAGES, min(image_size, MEASURED_SIZE))
    logits(layers, (images - mean) / std, num_classes)
    return lambda name, shape: layers.variables[name]
