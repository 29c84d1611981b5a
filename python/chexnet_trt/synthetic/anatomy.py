"""A normal chest: its measures, and how they are drawn.

Units of u (19 cm) throughout, sides by the patient's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from chexnet_trt.synthetic.canvas import (
    LEFT,
    PIXELS,
    RIGHT,
    Canvas,
    Half,
    Plane,
    Point,
    band,
    blurred,
    clouds,
    ramp,
)

_BOTTOM = 0.75  # v where the chest is widest
_HILUM: Point = (0.17, -0.02)


@dataclass(frozen=True)
class Chest:
    """Measures of one patient. `width`: from midline to chest wall; `apex`: v of the lungs' top;
    `domes`: v of the diaphragm's tops, right and left; `arch`: how strongly they are curved;
    `heart`: breadth of the heart, 1 for a ratio to the chest of about 0.45; `shift`: of heart and
    trachea to the left; `aeration`: how dark the lungs are; `vessels`: how many and wide; `fat`:
    soft tissue over the chest; `breasts`: 0 for none."""

    width: float
    apex: float
    domes: tuple[float, float]
    arch: float
    heart: float
    shift: float
    aeration: float
    vessels: float
    fat: float
    breasts: float
    rib_spacing: float
    rib_phase: float
    rib_density: float
    spine_curve: float
    clavicle: float
    bubble: float

    def dome(self, side: int) -> float:
        return self.domes[0 if side == RIGHT else 1]


def random_chest(rng: np.random.Generator, sex: str) -> Chest:
    female = sex == "F"
    right = rng.normal(0.38, 0.045)
    fat = float(np.clip(rng.normal(1.0, 0.13), 0.72, 1.35))
    return Chest(
        width=rng.normal(0.655 if female else 0.69, 0.022),
        apex=rng.normal(-0.74, 0.02),
        domes=(right, right + rng.normal(0.05, 0.02)),
        arch=rng.uniform(0.9, 1.5),
        heart=rng.normal(1.0, 0.055),
        shift=rng.normal(0, 0.012),
        aeration=rng.normal(1.0, 0.06),
        vessels=rng.uniform(0.85, 1.15),
        fat=fat,
        breasts=rng.uniform(0.4, 1.0) * fat if female else 0.0,
        rib_spacing=rng.uniform(0.122, 0.138),
        rib_phase=rng.random(),
        rib_density=rng.uniform(0.75, 1.2),
        spine_curve=rng.normal(0, 0.015),
        clavicle=rng.normal(0, 0.025),
        bubble=rng.uniform(0, 1),
    )


def draw_chest(canvas: Canvas, chest: Chest, rng: np.random.Generator) -> None:
    for half in canvas.halves.values():
        _outline(half, chest)
    _body(canvas, chest)
    for half in canvas.halves.values():
        _lung(half, chest, rng)
    _mediastinum(canvas, chest)
    _bones(canvas, chest)
    _abdomen(canvas, chest, rng)


def _outline(half: Half, chest: Chest) -> None:
    """The lung is bounded by the chest wall and the apex, whose outline is
    a = width (1 - (1 - t)^2.6)^0.55 with t from apex to bottom, by the diaphragm and the midline.
    """
    span = _BOTTOM - chest.apex
    t = np.clip((half.v - chest.apex) / span, 1e-4, 1)
    lateral = chest.width * (1 - (1 - t) ** 2.6) ** 0.55 - half.a
    reach = np.clip(half.a / chest.width, 1e-4, 1)
    top = chest.apex + span * (1 - (1 - reach ** (1 / 0.55)) ** (1 / 2.6))
    above = half.v - top
    inside = np.maximum(lateral, 0) * np.maximum(above, 0)
    # Of a straight edge, the distance from its distances along the axes.
    half.wall = np.where(
        inside > 0, inside / (np.hypot(lateral, above) + 1e-6), np.minimum(lateral, above)
    ).astype(np.float32)
    half.floor = _dome(half, chest) - half.v
    half.lung = ramp(half.wall, 0.014) * ramp(half.floor, 0.012) * ramp(half.a - 0.04, 0.02)


def _dome(half: Half, chest: Chest) -> Plane:
    """v of the diaphragm over a [1, columns]."""
    center, wall = 0.47 * chest.width, chest.width
    away = (half.a - center) / (wall - center)
    fall = np.where(away > 0, 0.19 * np.abs(away) ** 2.4, 0.075 * away**2)
    return np.asarray(chest.dome(half.side) + chest.arch * fall, np.float32)


def _body(canvas: Canvas, chest: Chest) -> None:
    u, v = np.abs(canvas.u), canvas.v
    # Neck, shoulders, trunk: half the width of the body by v.
    flank = chest.width + 0.1 + 0.1 * chest.fat
    knots = [-1.12, -0.93, -0.84, -0.74, -0.55, 0.0, 1.12]
    widths = [0.27, 0.3, 0.5, 0.88, 1.1, flank + 0.06, flank]
    corners = np.interp(v[:, 0], knots, widths)
    rounded = np.convolve(np.pad(corners, 16, "edge"), np.full(33, 1 / 33), "valid")
    edge = rounded.astype(np.float32)[:, None]
    inside = np.maximum(1 - (u / edge) ** 2, 0)
    thickness = np.sqrt(np.sqrt(inside))
    canvas.tissue += chest.fat * thickness * (0.78 + 0.12 * v) - 0.5 * ramp(u - edge, 0.02)
    blade = [(0.98, -0.6), (0.72, -0.52), (0.67, -0.25), (0.68, 0.0), (0.75, 0.08), (0.84, -0.3)]
    blades = [[(side * x, y) for x, y in blade] for side in (RIGHT, LEFT)]
    canvas.bones += 0.07 * canvas.polygons(blades, 2)
    for side in (RIGHT, LEFT):
        canvas.bones += 0.16 * canvas.ellipse((side * 0.99, -0.66), (0.12, 0.13), 0.03)
        if chest.breasts:
            place = (side * 0.4 * chest.width / 0.66, 0.16)
            breast = canvas.ellipse(place, (0.27, 0.27 * (0.7 + 0.3 * chest.breasts)), 0.10)
            canvas.tissue += 0.13 * chest.breasts * breast * ramp(v - 0.05, 0.4)


def _lung(half: Half, chest: Chest, rng: np.random.Generator) -> None:
    depth = 1.12 * half.wall / (half.wall + 0.055)
    half.air += half.lung * np.maximum(depth, 0) * (chest.aeration * (1.02 - 0.1 * half.v))
    lines = list(_branches(rng, chest))
    half.vessels += 0.13 * chest.vessels * half.strokes(lines, 1.2) * half.lung
    # Hilum: the roots of the vessels.
    x, y = _HILUM[0], _HILUM[1] - (0.03 if half.side == LEFT else 0)
    root = np.exp(-(half.radius((x, y), (0.055, 0.1)) ** 2))
    half.vessels += 0.10 * chest.vessels * root * half.lung


def _branches(rng: np.random.Generator, chest: Chest) -> Iterator[tuple[list[Point], float]]:
    """Vessels from the hilum outwards: ever thinner, gone before the chest wall."""
    for angle in np.linspace(-1.35, 1.35, 9) + rng.normal(0, 0.09, 9):
        stack = [(_HILUM, float(angle), 0.016 * chest.vessels, 0)]
        while stack:
            (x, y), way, width, depth = stack.pop()
            length = rng.uniform(0.07, 0.12)
            bend = way + rng.normal(0, 0.15)
            middle = (x + length * np.cos(way), y + length * np.sin(way))
            end = (middle[0] + length * np.cos(bend), middle[1] + length * np.sin(bend))
            yield [(x, y), middle, end], width
            if depth < 3:
                stack.append((end, bend + rng.uniform(0.05, 0.35), width * 0.72, depth + 1))
                stack.append((end, bend - rng.uniform(0.05, 0.35), width * 0.62, depth + 1))


def _mediastinum(canvas: Canvas, chest: Chest) -> None:
    shift, breadth = chest.shift, chest.heart
    base = chest.dome(LEFT) - 0.44
    apex = canvas.ellipse(
        (shift + 0.115 * breadth, base + 0.24), (0.285 * breadth, 0.205 * breadth**0.5), 0.02, 0.5
    )
    atrium = canvas.ellipse((shift - 0.055 * breadth, base + 0.24), (0.155 * breadth, 0.22), 0.022)
    trunk = canvas.ellipse((shift + 0.075, base - 0.07), (0.075, 0.15), 0.02)
    knob = canvas.ellipse((shift + 0.066, base - 0.25), (0.07, 0.085), 0.015)
    narrow = 0.085 + 0.02 * ramp(canvas.v + 0.55, 0.5)
    vessels = band(canvas.u - shift + 0.012, narrow, 0.025)
    heart = blurred(np.maximum.reduce([apex, atrium, trunk, knob, vessels]), 4)
    canvas.air *= 1 - 0.93 * heart
    canvas.vessels *= 1 - 0.8 * heart
    canvas.tissue += 0.10 * np.maximum(apex, atrium)
    # Trachea to the carina, and the main bronchi.
    carina = base - 0.15
    tube = [
        ([(0.01, -1.1), (shift, -0.6), (shift, carina)], 0.075),
        ([(shift, carina), (shift - 0.14, carina + 0.14)], 0.05),
        ([(shift, carina), (shift + 0.15, carina + 0.12)], 0.042),
    ]
    canvas.air += 0.3 * canvas.strokes(tube, 2.0)


def _bones(canvas: Canvas, chest: Chest) -> None:
    v = canvas.v
    # Vertebrae: bodies between darker discs, seen through the heart.
    middle = canvas.u - chest.spine_curve * np.sin(2.2 * v)
    body = 0.7 + 0.3 * np.cos(2 * np.pi * (v / 0.135 + chest.rib_phase))
    canvas.bones += 0.15 * band(middle, 0.07 + 0.014 * body, 0.045) * body
    canvas.bones += 0.05 * band(middle, 0.022, 0.02) * (1.4 - body)
    for half in canvas.halves.values():
        half.bones += chest.rib_density * _ribs(half, chest)
        clavicle = -0.63 + chest.clavicle - 0.2 * (half.a - 0.06) + 0.09 * np.sin(7 * half.a)
        ends = ramp(half.a - 0.06, 0.03) * ramp(0.86 - half.a, 0.06)
        hollow = np.abs(v - clavicle) / 0.03
        half.bones += (
            0.15 * ends * band(v - clavicle, 0.03, 0.012) * (0.75 + 0.4 * np.minimum(hollow, 1))
        )


def _ribs(half: Half, chest: Chest) -> Plane:
    """Behind nearly level, in front steeply down towards the midline, brighter at the edges."""
    a, v, spacing = half.a, half.v, chest.rib_spacing
    begin = chest.apex + 0.06
    posterior = 0.16 * (a - 0.06) + 0.55 * np.maximum(a - 0.36, 0) ** 2
    bend = 0.16 * (chest.width - 0.06) + 0.55 * (chest.width - 0.36) ** 2
    anterior = bend + 0.62 * np.maximum(chest.width - a, 0) ** 1.15
    cage = ramp(half.wall + 0.02, 0.03)
    planes = np.zeros_like(half.wall)
    for path, density, inner in ((posterior, 0.105, 0.07), (anterior, 0.075, 0.27)):
        turns = (v - path - begin) / spacing
        away = np.abs(turns - np.rint(turns)) * spacing
        profile = ramp(0.024 - away, 0.012) * (0.62 + 0.38 * (away / 0.024) ** 2)
        last = 9.4 if density > 0.1 else 6.4
        count = ramp(turns + 0.5, 0.1) * ramp(last - turns, 1.5)
        planes += density * profile * count * ramp(a - inner, 0.05)
    return planes * cage


def _abdomen(canvas: Canvas, chest: Chest, rng: np.random.Generator) -> None:
    """Liver and spleen are dense; gas in stomach and colon."""
    dome = min(chest.domes)
    canvas.tissue += 0.14 * ramp(canvas.v - dome - 0.1, 0.5)
    below = ramp(canvas.v - dome - 0.1, 0.3)
    canvas.tissue += (0.012 + 0.03 * below) * clouds(rng, (PIXELS, PIXELS), 40)
    if chest.bubble > 0.25:
        size = 0.05 + 0.07 * chest.bubble
        place = (0.3, chest.dome(LEFT) + 0.05 + size)
        gas = canvas.ellipse(place, (1.5 * size, size), 0.03)
        canvas.air += 0.42 * gas * ramp(canvas.v - chest.dome(LEFT) - 0.035, 0.02)
    for _ in range(int(rng.integers(0, 4))):
        place = (rng.uniform(-0.5, 0.55), rng.uniform(0.75, 1.0))
        canvas.air += 0.22 * canvas.ellipse(place, (rng.uniform(0.05, 0.1), 0.045), 0.03)
