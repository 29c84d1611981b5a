"""Draws one synthetic chest film (gray PNG, 1024x1024) to try `infer` on. No patient's image."""

from __future__ import annotations

import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = 1024


def draw(seed: int = 0) -> Image.Image:
    """Body, two lungs, heart, spine and ribs, blurred, with film noise."""
    film = Image.new("L", (SIZE, SIZE), 25)
    pen = ImageDraw.Draw(film)
    pen.rounded_rectangle((110, 60, 914, 1100), radius=260, fill=150)
    for left, right in ((210, 470), (554, 814)):
        pen.ellipse((left, 170, right, 830), fill=55)
    pen.ellipse((420, 470, 720, 800), fill=165)
    pen.rectangle((485, 60, 540, 1024), fill=190)
    for rib in range(9):
        top = 190 + rib * 72
        pen.arc((180, top, 500, top + 170), 190, 345, fill=120, width=12)
        pen.arc((524, top, 844, top + 170), 195, 350, fill=120, width=12)
    pixels = np.asarray(film.filter(ImageFilter.GaussianBlur(9)), np.float32)
    noise = np.random.default_rng(seed).normal(0, 4, pixels.shape)
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    draw().save(sys.argv[1])
