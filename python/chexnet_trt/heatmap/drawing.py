"""What the pictures share: their colours, texts, and the bar that explains the colours."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from chexnet_trt.heatmap.colors import blend

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

BACKGROUND = (18, 20, 24)
PANEL = (38, 42, 49)
INK = (240, 242, 245)
MUTED = (158, 165, 175)
ACCENT = (251, 155, 6)
CAVEAT = "A heat map shows where a score comes from, not where disease is."


@lru_cache(maxsize=32)
def font(size: int) -> Font:
    """Pillow's own; no font of the system is needed."""
    return ImageFont.load_default(size)


def shown_name(label: str) -> str:
    return label.replace("_", " ")


def fitted(text: str, size: int, width: float) -> str:
    """`text`, its end replaced by dots where it is wider than `width`."""
    if font(size).getlength(text) <= width:
        return text
    while text and font(size).getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."


def color_bar(width: int, height: int) -> Image.Image:
    """Intensities 0 to 1 from left to right, over what a film's gray would be."""
    gray = Image.new("RGB", (width, height), (96, 96, 96))
    return blend(gray, np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1)))


def draw_scale(
    canvas: Image.Image, place: tuple[int, int], width: int, size: int, scale: float
) -> None:
    """The colour bar with its ends' numbers, `width` pixels from `place`, the left top, in texts of
    `size`: a bar and one line below it.
    """
    pen = ImageDraw.Draw(canvas)
    left, top = place
    canvas.paste(color_bar(width, size // 2), (left, top))
    below = top + round(0.72 * size)
    pen.text((left, below), "0", INK, font(size))
    pen.text((left + width, below), f"+{scale:.2g}", INK, font(size), anchor="ra")
    words = fitted("added to the logit, by cell", size, width - 5 * size)
    pen.text((left + width // 2, below), words, MUTED, font(size), anchor="ma")
