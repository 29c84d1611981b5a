"""Signs inside the lung: air that is replaced, lost or walled off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from chexnet_trt.synthetic.anatomy import Chest
from chexnet_trt.synthetic.canvas import LEFT, RIGHT, Canvas, Half, Plane, Point, ramp

Stroke = tuple[list[Point], float]


def _side(rng: np.random.Generator) -> int:
    return int(rng.choice((RIGHT, LEFT)))


def pneumonia(canvas: Canvas, chest: Chest, rng: np.random.Generator, severity: float) -> None:
    """A ragged focus through which the bronchi, still full of air, run as dark branches."""
    half = canvas.halves[_side(rng)]
    place = (rng.uniform(0.36, 0.44), rng.uniform(-0.36, 0.1))
    radii = (rng.uniform(0.2, 0.25), rng.uniform(0.22, 0.28))
    ragged = half.radius(place, radii) + 0.2 * half.clouds(rng, 20)
    focus = ramp(1 - ragged, 0.3) * half.lung
    lines = list(_bronchi(rng, place))
    open_air = half.strokes(lines, 0.8) * focus
    depth = half.air.copy()
    half.air *= 1 - (0.55 + 0.25 * severity) * focus
    half.air += 0.42 * open_air * depth
    half.vessels *= 1 - focus


def _bronchi(rng: np.random.Generator, place: Point) -> Iterator[Stroke]:
    """From the hilum's side of the focus, branching through it."""
    x, y = place[0] - 0.2, place[1] - 0.2 * (place[1] + 0.02)
    for angle in np.linspace(-0.75, 0.75, 4) + rng.normal(0, 0.08, 4):
        bend = angle + rng.normal(0, 0.12)
        middle = (x + 0.17 * np.cos(angle), y + 0.17 * np.sin(angle))
        yield [(x, y), middle], 0.026
        for fork in (bend + 0.3, bend - 0.3):
            end = (middle[0] + 0.16 * np.cos(fork), middle[1] + 0.16 * np.sin(fork))
            yield [middle, end], 0.018


def consolidation(canvas: Canvas, chest: Chest, rng: np.random.Generator, severity: float) -> None:
    """A lobe, dense and even, with the fissure as its sharp border; the base's angle is spared."""
    half = canvas.halves[_side(rng)]
    lobe = (_upper_lobe if rng.random() < 0.6 else _lower_lobe)(half, rng)
    lobe = lobe * half.lung
    half.air *= 1 - (0.78 + 0.2 * severity) * lobe
    half.vessels *= 1 - lobe
    half.tissue += 0.03 * lobe


def _upper_lobe(half: Half, rng: np.random.Generator) -> Plane:
    tilt = rng.uniform(-0.12, 0.12)
    fissure = rng.uniform(-0.3, -0.1) + tilt * half.a + 0.05 * np.sin(4 * half.a)
    return ramp(fissure - half.v, 0.018)


def _lower_lobe(half: Half, rng: np.random.Generator) -> Plane:
    fissure = rng.uniform(-0.1, 0.02) + rng.uniform(0.13, 0.37) * half.a
    return ramp(half.v - fissure, 0.018) * ramp(half.floor - 0.5 * (half.a - 0.3), 0.08)


def infiltration(canvas: Canvas, chest: Chest, rng: np.random.Generator, severity: float) -> None:
    """Hazy patches without borders, in both lungs or one."""
    sides = (RIGHT, LEFT) if rng.random() < 0.6 else (_side(rng),)
    for side in sides:
        half = canvas.halves[side]
        haze = np.zeros_like(half.wall)
        for _ in range(int(rng.integers(3, 6)) if len(sides) == 2 else 6):
            place = (rng.uniform(0.22, 0.56), rng.uniform(-0.4, 0.35))
            size = rng.uniform(0.08, 0.14)
            haze += np.exp(-(half.radius(place, (size, size * rng.uniform(0.8, 1.3))) ** 2))
        haze *= 0.95 + 0.35 * half.clouds(rng, 12)
        half.air *= 1 - np.clip((0.34 + 0.22 * severity) * haze, 0, 0.62) * half.lung


def edema(canvas: Canvas, chest: Chest, rng: np.random.Generator, severity: float) -> None:
    """Bat wings about both hila, and Kerley's B lines at the sides of the bases."""
    breadth, height = rng.uniform(0.2, 0.25), rng.uniform(0.26, 0.34)
    for half in canvas.halves.values():
        wing = np.exp(-(half.radius((0.2, 0.02), (breadth, height)) ** 4))
        wing *= 0.9 + 0.28 * half.clouds(rng, 10)
        half.air *= 1 - np.clip((0.45 + 0.35 * severity) * wing, 0, 0.9) * half.lung
        bottom = chest.dome(half.side) + 0.12
        lines = [
            ([(chest.width - 0.11, y), (chest.width + 0.02, y - 0.008)], 0.008)
            for y in np.arange(bottom - 0.36, bottom, 0.034)
        ]
        half.vessels += 0.16 * severity * half.strokes(lines, 0.5) * half.lung


def lost_volume(chest: Chest, rng: np.random.Generator, severity: float) -> Chest:
    """The diaphragm is up and the heart over on the side of the plates, which is drawn first."""
    side = _side(rng)
    right, left = chest.domes
    up = 0.08 + 0.06 * severity
    domes = (right - up, left) if side == RIGHT else (right, left - up)
    return replace(chest, domes=domes, shift=chest.shift + side * 0.035 * severity)


def plates(canvas: Canvas, chest: Chest, rng: np.random.Generator, severity: float) -> None:
    """Bright bands across the lower lung."""
    half = canvas.halves[_side(rng)]
    y = chest.dome(half.side) - rng.uniform(0.08, 0.14)
    lines: list[Stroke] = []
    for _ in range(int(rng.integers(2, 4))):
        begin, tilt = rng.uniform(0.22, 0.3), rng.uniform(-0.22, 0.22)
        length = rng.uniform(0.26, 0.38)
        ends = [
            (begin + length * x, y + tilt * length * x + 0.02 * x * (1 - x)) for x in (0, 0.5, 1)
        ]
        lines.append((ends, rng.uniform(0.024, 0.04)))
        y -= rng.uniform(0.1, 0.15)
    bands = half.strokes(lines, 1.6) * half.lung
    half.air *= 1 - (0.45 + 0.3 * severity) * bands
    half.tissue += 0.06 * bands


def shrunken_bases(chest: Chest, rng: np.random.Generator, severity: float) -> Chest:
    up = 0.04 * severity
    return replace(chest, domes=(chest.domes[0] - up, chest.domes[1] - up))


def reticulation(canvas: Canvas, chest: Chest, rng: np.random.Generator, severity: float) -> None:
    """A net of lines around dark holes, densest at the bases and the chest wall."""
    for half in canvas.halves.values():
        weight = ramp(half.v - 0.12 + 0.35 * (0.2 - half.wall), 0.5) * half.lung
        net = half.strokes(_net(rng, chest), 0.7)
        weight = weight * np.minimum(half.air, 1)
        half.air *= 1 - 0.2 * weight
        half.vessels += (0.09 + 0.18 * severity) * weight * (net - 0.22)


def _net(rng: np.random.Generator, chest: Chest) -> list[Stroke]:
    """Cells of about 1.2 cm: the edges of a grid whose corners are thrown about."""
    step = 0.062
    rows, columns = int(1.1 / step), int(chest.width / step) + 1
    corners = np.stack(
        np.meshgrid(np.arange(columns) * step + 0.08, np.arange(rows) * step - 0.4), -1
    )
    corners = corners + rng.uniform(-0.4, 0.4, corners.shape) * step
    corners[::2, :, 0] += step / 2
    points: list[list[Point]] = [[(float(x), float(y)) for x, y in row] for row in corners]
    widths = rng.uniform(0.009, 0.018, (2, rows, columns))
    return [
        (
            [points[row][column], points[row + down][column + across]],
            float(widths[down, row, column]),
        )
        for row in range(rows - 1)
        for column in range(columns - 1)
        for down, across in ((0, 1), (1, 0))
    ]
