"""One picture of a film, its scores and the heat maps of some classes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from chexnet_trt.heatmap.activation import ClassActivation
from chexnet_trt.heatmap.drawing import (
    ACCENT,
    BACKGROUND,
    CAVEAT,
    INK,
    MUTED,
    PANEL,
    draw_scale,
    fitted,
    font,
    shown_name,
)
from chexnet_trt.heatmap.film import Film
from chexnet_trt.heatmap.overlay import overlay

_GAP = 28
_TITLE = 44
_CELL = 520
_SCORES_WIDTH = 640
_LEAST_HEIGHT = 640


def draw_figure(
    film: Film,
    activation: ClassActivation,
    labels: Sequence[str],
    scores: Sequence[float],
    classes: Sequence[int],
    caveat: str = CAVEAT,
) -> Image.Image:
    """The film and the heat maps of `classes` (indices) in a grid; beside it the bars of all
    scores, highest first, those classes marked.
    """
    pictures = [(film.picture, film.name)]
    for index in classes:
        title = f"{shown_name(labels[index])}  {scores[index]:.3f}"
        pictures.append((overlay(film, activation, index), title))
    grid = _grid(pictures)
    height = max(grid.height, _LEAST_HEIGHT)
    canvas = Image.new(
        "RGB", (grid.width + _SCORES_WIDTH + 3 * _GAP, height + 2 * _GAP), BACKGROUND
    )
    canvas.paste(grid, (_GAP, _GAP))
    panel = _scores(labels, scores, classes, activation.scale, height, caveat)
    canvas.paste(panel, (grid.width + 2 * _GAP, _GAP))
    return canvas


def _grid(pictures: Sequence[tuple[Image.Image, str]]) -> Image.Image:
    """Pictures of one size under their titles, in rows and columns."""
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    factor = _CELL / max(pictures[0][0].size)
    width, height = (max(1, round(extent * factor)) for extent in pictures[0][0].size)
    across, down = width + _GAP, height + _TITLE + _GAP
    canvas = Image.new("RGB", (columns * across - _GAP, rows * down - _GAP), BACKGROUND)
    pen = ImageDraw.Draw(canvas)
    for place, (picture, title) in enumerate(pictures):
        left, top = place % columns * across, place // columns * down
        color = INK if place else MUTED
        pen.text((left, top + 4), fitted(title, 26, width), color, font(26))
        shown = picture.resize((width, height), Image.Resampling.BICUBIC)
        canvas.paste(shown, (left, top + _TITLE))
    return canvas


def _scores(
    labels: Sequence[str],
    scores: Sequence[float],
    classes: Sequence[int],
    scale: float,
    height: int,
    caveat: str,
) -> Image.Image:
    canvas = Image.new("RGB", (_SCORES_WIDTH, height), BACKGROUND)
    pen = ImageDraw.Draw(canvas)
    pen.text((0, 4), "Scores", MUTED, font(26))
    legend = 110
    row = (height - _TITLE - legend) / len(labels)
    size = max(8, min(24, round(row * 0.5)))
    for rank, index in enumerate(np.argsort(-np.asarray(scores), kind="stable")):
        _bar(
            pen,
            shown_name(labels[index]),
            scores[index],
            index in classes,
            _TITLE + rank * row,
            row,
            size,
        )
    draw_scale(canvas, (0, height - legend + 24), _SCORES_WIDTH, 20, scale)
    pen.text((0, height), fitted(caveat, 18, _SCORES_WIDTH), MUTED, font(18), anchor="ld")
    return canvas


def _bar(
    pen: ImageDraw.ImageDraw,
    label: str,
    score: float,
    marked: bool,
    top: float,
    row: float,
    size: int,
) -> None:
    left, right = 250, _SCORES_WIDTH - 80
    middle, half = top + row / 2, row * 0.3
    ink = INK if marked else MUTED
    pen.text((0, middle), fitted(label, size, left - 16), ink, font(size), anchor="lm")
    pen.rectangle((left, middle - half, right, middle + half), PANEL)
    length = (right - left) * min(max(score, 0.0), 1.0)
    if length >= 1:
        color = ACCENT if marked else MUTED
        pen.rectangle((left, middle - half, left + length, middle + half), color)
    pen.text((_SCORES_WIDTH, middle), f"{score:.3f}", ink, font(size), anchor="rm")
