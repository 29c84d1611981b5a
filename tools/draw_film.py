"""Draws synthetic chest films (gray PNG, 1024x1024) to try calibration and `infer` on.

    python tools/draw_film.py film.png          one film
    python tools/draw_film.py films/ 64         films/film_000.png ..., each a little different

No patient's image.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = 1024


def draw(seed: int = 0) -> Image.Image:
    """Body, two lungs, heart, spine and ribs, blurred, with film noise; position, size and
    exposure vary with the seed.
    """
    rng = np.random.default_rng(seed)
    film = Image.new("L", (SIZE, SIZE), 25)
    pen = ImageDraw.Draw(film)
    pen.rounded_rectangle((110, 60, 914, 1100), radius=260, fill=150)
    for left, right in ((210, 470), (554, 814)):
        pen.ellipse((left, 170, right, 830), fill=55)
    heart = rng.integers(-40, 40)
    pen.ellipse((420 - heart, 470 - heart, 720 + heart, 800 + heart), fill=165)
    pen.rectangle((485, 60, 540, 1024), fill=190)
    for rib in range(9):
        top = 190 + rib * 72
        pen.arc((180, top, 500, top + 170), 190, 345, fill=120, width=12)
        pen.arc((524, top, 844, top + 170), 195, 350, fill=120, width=12)
    shift = tuple(int(offset) for offset in rng.integers(-40, 40, 2))
    film = film.rotate(rng.uniform(-4, 4), translate=shift, fillcolor=25)
    pixels = np.asarray(film.filter(ImageFilter.GaussianBlur(9)), np.float32)
    pixels = pixels * rng.uniform(0.8, 1.2) + rng.normal(0, 4, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def main() -> None:
    target = Path(sys.argv[1])
    if len(sys.argv) < 3:
        draw().save(target)
        return
    target.mkdir(exist_ok=True)
    for seed in range(int(sys.argv[2])):
        draw(seed).save(target / f"film_{seed:03}.png")


if __name__ == "__main__":
    main()
