"""Small random changes of training images, on the device that trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import tensorflow as tf

Tensor: TypeAlias = Any

# Largest changes, either way: of the position and the size as shares of the image, of the
# brightness as a share of the range, of the contrast as a factor.
SHIFT, SCALE, BRIGHTNESS, CONTRAST = 0.04, 0.06, 0.08, 0.1


@dataclass(frozen=True)
class Augmentation:
    """Shift, size, brightness and contrast of each image by itself.

    `flip` mirrors half of the images. It shows hearts on the wrong side, where no film to be
    scored has them, so it is not the default.
    """

    flip: bool = False

    def __call__(self, images: Tensor, seed: Tensor) -> Tensor:
        """Pixels, float32 [N, S, S, 1] 0..255. The same seed, int32 [2], gives the same images."""
        count, size = tf.shape(images)[0], tf.cast(tf.shape(images)[1], tf.float32)
        draws = tf.random.stateless_uniform([6, count], seed, -1.0, 1.0)
        moved = self._move(images, draws[:4], size)
        brightness, contrast = (draw[:, None, None, None] for draw in (draws[4], draws[5]))
        middle = 127.5
        moved = (
            (moved - middle) * (1 + CONTRAST * contrast) + middle + 255 * BRIGHTNESS * brightness
        )
        return tf.clip_by_value(moved, 0.0, 255.0)

    def _move(self, images: Tensor, draws: Tensor, size: Tensor) -> Tensor:
        """About the image's centre; what comes in from outside repeats the border."""
        scale = 1 / (1 + SCALE * draws[0])
        mirror = tf.where(draws[3] < 0, -1.0, 1.0) if self.flip else tf.ones_like(scale)
        centre = (size - 1) / 2
        nothing = tf.zeros_like(scale)
        transforms = tf.stack(
            [
                scale * mirror, nothing, centre - scale * mirror * centre + SHIFT * size * draws[1],
                nothing, scale, centre - scale * centre + SHIFT * size * draws[2],
                nothing, nothing,
            ],
            axis=1,
        )  # fmt: skip
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=transforms,
            output_shape=tf.shape(images)[1:3],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="NEAREST",
        )
