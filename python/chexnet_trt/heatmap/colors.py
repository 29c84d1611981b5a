"""From intensities to colours: matplotlib's inferno (CC0), its darkest eighth left out.

Lightness rises evenly from violet to pale yellow, so that order shows to any colour vision, and no
colour of it is a gray of a film.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# At intensities 0, 1/8, ... 1.
_INFERNO = np.array(
    [
        (30, 12, 69), (77, 13, 108), (124, 29, 109), (168, 46, 95), (208, 69, 69),
        (238, 106, 36), (251, 155, 6), (247, 209, 61), (252, 255, 164),
    ],
    np.float32,
)  # fmt: skip
_STOPS = np.linspace(0, 1, len(_INFERNO))
_OPAQUE = 0.75


def colorize(intensity: NDArray[np.float32]) -> NDArray[np.float32]:
    """RGB, 0..255, of intensities 0..1: [...] -> [..., 3]."""
    channels = [np.interp(intensity, _STOPS, _INFERNO[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def blend(picture: Image.Image, intensity: NDArray[np.float32]) -> Image.Image:
    """`picture` (RGB) under the colours of `intensity` [height, width], bare where that is 0."""
    opacity = _OPAQUE * np.minimum(2 * intensity, 1)[..., None]
    pixels = np.asarray(picture, np.float32)
    blended = pixels + opacity * (colorize(intensity) - pixels)
    return Image.fromarray(np.rint(blended).astype(np.uint8))
