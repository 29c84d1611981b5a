"""The heat map of one class over its film, with a legend."""

from __future__ import annotations

from PIL import Image, ImageDraw

from chexnet_trt.heatmap.activation import ClassActivation
from chexnet_trt.heatmap.colors import blend
from chexnet_trt.heatmap.drawing import (
    BACKGROUND,
    CAVEAT,
    INK,
    MUTED,
    draw_scale,
    fitted,
    font,
    shown_name,
)
from chexnet_trt.heatmap.film import Film

_LEAST_WIDTH = 420


def overlay(film: Film, activation: ClassActivation, index: int) -> Image.Image:
    """The film under the heat map of class `index`, nothing else."""
    return blend(film.picture, activation.intensity(index, film.picture.size))


def draw_heatmap(
    film: Film,
    activation: ClassActivation,
    index: int,
    label: str,
    score: float,
    caveat: str = CAVEAT,
) -> Image.Image:
    """The film under the heat map of class `index`; below it label, score, scale and caveat."""
    heat = overlay(film, activation, index)
    width = max(heat.width, _LEAST_WIDTH)
    size = max(13, width // 46)
    margin, line = size, round(1.5 * size)
    canvas = Image.new("RGB", (width, heat.height + 4 * line + margin), BACKGROUND)
    canvas.paste(heat, ((width - heat.width) // 2, 0))
    pen = ImageDraw.Draw(canvas)
    top = heat.height + margin // 2
    half = width // 2 - margin
    large = round(1.4 * size)
    title = fitted(shown_name(label), large, half - 4 * large)
    pen.text((margin, top), title, INK, font(large))
    place = (margin + half - size, top)
    pen.text(place, f"{score:.3f}", INK, font(large), anchor="ra")
    name = fitted(film.name, size, half - size)
    pen.text((margin, top + round(1.4 * line)), name, MUTED, font(size))
    draw_scale(
        canvas, (width - margin - half + size, top + size // 3), half - size, size, activation.scale
    )
    words = fitted(caveat, size, width - 2 * margin)
    pen.text((margin, top + round(2.7 * line)), words, MUTED, font(size))
    return canvas
