"""The plane that a chest is drawn on, in the patient's own frame.

Coordinates: u from the patient's right (-1, the film's left) to the left (+1), v from the top (-1)
to the bottom (+1); the film shows both from -1 to 1, about 38 cm, and the canvas a margin more,
for turned and shifted films. Each half is drawn by itself, over a = |u|, the distance to the
midline.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Plane: TypeAlias = NDArray[np.floating[Any]]
Point = tuple[float, float]

PIXELS = 512
EXTENT = 1.12
RIGHT, LEFT = -1, 1  # the patient's sides, as the sign of u

AIR = 0.62  # what a full depth of air takes from the density


def ramp(distance: Plane, width: float) -> Plane:
    """0 to 1 over an edge of that width at distance 0, smooth."""
    x = distance / np.float32(width)
    x += np.float32(0.5)
    np.clip(x, 0, 1, out=x)
    smooth: Plane = -2 * x
    smooth += 3
    smooth *= x
    smooth *= x
    return smooth


def band(distance: Plane, half_width: float | Plane, edge: float) -> Plane:
    """1 where |distance| is below half_width."""
    return ramp(half_width - np.abs(distance), edge)


def clouds(rng: np.random.Generator, shape: tuple[int, int], cell: int) -> Plane:
    """Smooth noise of mean 0 and deviation about 0.6; `cell`: pixels a bump."""
    rows, columns = (extent // cell + 3 for extent in shape)
    grid = rng.standard_normal((rows, columns), np.float32)
    image = Image.fromarray(grid)
    box = (1.0, 1.0, 1.0 + shape[1] / cell, 1.0 + shape[0] / cell)
    smooth = image.resize(shape[::-1], Image.Resampling.BICUBIC, box=box)
    return np.asarray(smooth)


@dataclass
class Half:
    """One half of the chest. `air`, `tissue`, `bones`, `vessels`: views into the canvas, [PIXELS,
    PIXELS / 2], the first column at the midline. The distances are those of anatomy.py, in units
    of u: `wall` from the chest wall and apex, `floor` up from the diaphragm, both negative outside
    of the lung; `lung`: 1 in the lung."""

    side: int
    a: Plane
    v: Plane
    air: Plane
    tissue: Plane
    bones: Plane
    vessels: Plane
    wall: Plane = field(init=False)
    floor: Plane = field(init=False)
    lung: Plane = field(init=False)

    def radius(self, center: Point, radii: Point) -> Plane:
        """Distance to (a, v) in units of the radii."""
        return np.asarray(
            np.hypot((self.a - center[0]) / radii[0], (self.v - center[1]) / radii[1])
        )

    def strokes(self, lines: Iterable[tuple[Sequence[Point], float]], blur: float = 0.8) -> Plane:
        """Lines through points (a, v), each of a width in units of u; 0 to 1, blurred by pixels."""
        return _strokes(lines, blur, PIXELS // 2, 0.0)

    def clouds(self, rng: np.random.Generator, cell: int) -> Plane:
        return clouds(rng, (PIXELS, PIXELS // 2), cell)


class Canvas:
    """`tissue` and `bones` add to the density of the film, `air` (0 to about 1.3, of the lung's
    depth) takes AIR times itself away, `vessels` are seen where there is air around them."""

    def __init__(self) -> None:
        step = 2 * EXTENT / PIXELS
        axis = ((np.arange(PIXELS, dtype=np.float32) + 0.5) * step - EXTENT).astype(np.float32)
        self.u: Plane = axis[None, :]
        self.v: Plane = axis[:, None]
        self.tissue, self.bones, self.air, self.vessels = (
            np.zeros((PIXELS, PIXELS), np.float32) for _ in range(4)
        )
        self.halves = {side: self._half(side) for side in (RIGHT, LEFT)}

    def _half(self, side: int) -> Half:
        middle = PIXELS // 2
        part = np.s_[:, middle:] if side == LEFT else np.s_[:, middle - 1 :: -1]
        planes = (plane[part] for plane in (self.air, self.tissue, self.bones, self.vessels))
        return Half(side, np.abs(self.u[part]), self.v, *planes)

    def ellipse(self, center: Point, radii: Point, edge: float, angle: float = 0.0) -> Plane:
        """1 inside an ellipse about (u, v) that is turned by `angle` (radians, clockwise)."""
        reach = max(radii) + edge
        columns, rows = _near(self.u[0], center[0], reach), _near(self.v[:, 0], center[1], reach)
        x, y = self.u[:, columns] - center[0], self.v[rows] - center[1]
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        radius = np.hypot((x * cos + y * sin) / radii[0], (y * cos - x * sin) / radii[1])
        plane = np.zeros_like(self.air)
        plane[rows, columns] = ramp((1 - radius) * min(radii), edge)
        return plane

    def strokes(self, lines: Iterable[tuple[Sequence[Point], float]], blur: float = 0.8) -> Plane:
        """As Half.strokes, over (u, v)."""
        return _strokes(lines, blur, PIXELS, EXTENT)

    def polygons(self, outlines: Iterable[Sequence[Point]], blur: float) -> Plane:
        """1 inside of any of the outlines, points (u, v); blurred by pixels."""
        layer = Image.new("L", (PIXELS, PIXELS))
        pen = ImageDraw.Draw(layer)
        for points in outlines:
            pen.polygon(_pixels(points, EXTENT), fill=255)
        return _plane(layer, blur)

    def density(self) -> Plane:
        return np.asarray(self.tissue + self.bones + self.vessels - AIR * self.air)


def _strokes(
    lines: Iterable[tuple[Sequence[Point], float]],
    blur: float,
    columns: int,
    origin: float,
) -> Plane:
    layer = Image.new("L", (columns, PIXELS))
    pen = ImageDraw.Draw(layer)
    scale = PIXELS / (2 * EXTENT)
    for points, width in lines:
        pixels = width * scale
        # A line thinner than a pixel is fainter instead.
        pen.line(
            _pixels(points, origin),
            fill=min(255, round(255 * pixels)),
            width=max(1, round(pixels)),
            joint="curve" if pixels > 3 else None,
        )
    return _plane(layer, blur)


def blurred(plane: Plane, blur: float) -> Plane:
    """A plane of 0 to 1."""
    return _plane(Image.fromarray((plane * np.float32(255)).astype(np.uint8)), blur)


def _near(axis: Plane, center: float, reach: float) -> slice:
    begin, end = np.searchsorted(axis, (center - reach, center + reach))
    return slice(int(begin), int(end))


def _pixels(points: Sequence[Point], origin: float) -> list[Point]:
    scale = PIXELS / (2 * EXTENT)
    return [((x + origin) * scale, (y + EXTENT) * scale) for x, y in points]


def _plane(layer: Image.Image, blur: float) -> Plane:
    if blur:
        layer = layer.filter(ImageFilter.BoxBlur(blur))
    plane: Plane = np.asarray(layer, np.float32) / np.float32(255)
    return plane
