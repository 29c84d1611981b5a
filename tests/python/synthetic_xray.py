"""Synthetic pictures with the rough look of a chest X-ray; they show no patient."""

from __future__ import annotations

import numpy as np


def synthetic_xray(seed: int, size: int = 256) -> np.ndarray:
    """uint8 [size, size]: a bright trunk, two dark lungs, a heart, ribs and grain."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    image = 50 + 150 * np.exp(-((x / 0.45) ** 2 + (y / 0.6) ** 2))
    for side in (-1, 1):
        centre = side * rng.uniform(0.15, 0.25)
        width, height = rng.uniform(0.09, 0.15), rng.uniform(0.2, 0.34)
        depth = rng.uniform(50, 110)
        image -= depth * np.exp(-(((x - centre) / width) ** 4 + (y / height) ** 4))
    heart = ((x - 0.06) / rng.uniform(0.07, 0.16)) ** 2 + ((y - 0.14) / 0.13) ** 2
    image += rng.uniform(20, 70) * np.exp(-heart)
    image += 9 * np.sin(2 * np.pi * (rng.uniform(9, 14) * y + 6 * x * x))
    image += rng.normal(0, 5, image.shape)
    return np.clip(image * rng.uniform(0.7, 1.2), 0, 255).astype(np.uint8)
