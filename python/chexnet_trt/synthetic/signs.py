"""What each of the 14 findings looks like.

A sign changes the measures of the chest before it is drawn (`deform`), or draws on it (`paint`),
or both. Its generator is the patient's own for this finding, so that side, place and shape stay
the same over the visits; `severity`, 0.4 to 1, is the visit's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from chexnet_trt.synthetic import airspace, pleura
from chexnet_trt.synthetic.anatomy import Chest
from chexnet_trt.synthetic.canvas import LEFT, RIGHT, Canvas, band, ramp

Deform = Callable[[Chest, np.random.Generator, float], Chest]
Paint = Callable[[Canvas, Chest, np.random.Generator, float], None]


@dataclass(frozen=True)
class Sign:
    deform: Deform | None = None
    paint: Paint | None = None


def _wide_heart(chest: Chest, rng: np.random.Generator, severity: float) -> Chest:
    return replace(chest, heart=chest.heart * (1.16 + 0.3 * severity * rng.uniform(0.8, 1.1)))


def _hyperinflated(chest: Chest, rng: np.random.Generator, severity: float) -> Chest:
    """Deep flat diaphragm, dark lungs with few vessels, narrow heart, wide rib spaces."""
    low = 0.07 + 0.14 * severity
    return replace(
        chest,
        domes=(chest.domes[0] + low, chest.domes[1] + low),
        arch=chest.arch * (0.75 - 0.5 * severity),
        width=chest.width + 0.02,
        heart=chest.heart * 0.84,
        aeration=chest.aeration + 0.04 + 0.18 * severity,
        vessels=chest.vessels * 0.7,
        rib_spacing=chest.rib_spacing * 1.08,
    )


def _bullae(canvas: Canvas, chest: Chest, rng: np.random.Generator, severity: float) -> None:
    """Round holes without vessels in thin walls, mostly above."""
    for half in canvas.halves.values():
        for _ in range(int(rng.integers(1, 4))):
            size = rng.uniform(0.07, 0.13)
            place = (rng.uniform(0.2, 0.45), rng.uniform(-0.55, -0.1))
            radius = half.radius(place, (size, size * 1.15))
            hole = ramp((1 - radius) * size, 0.02)
            half.air += 0.22 * severity * hole * half.lung
            half.vessels *= 1 - 0.8 * hole
            half.tissue += 0.06 * band((1 - radius) * size, 0.005, 0.012) * half.lung


def _hiatal_hernia(canvas: Canvas, chest: Chest, rng: np.random.Generator, severity: float) -> None:
    """Part of the stomach behind the heart: a wall, gas, and fluid with a level top."""
    size = rng.uniform(0.13, 0.17) * (0.75 + 0.35 * severity)
    place = (rng.uniform(0.0, 0.1), chest.dome(LEFT) - rng.uniform(0.12, 0.2))
    radii = (size * rng.uniform(1.0, 1.25), size)
    sac = canvas.ellipse(place, radii, 0.012)
    inner = canvas.ellipse(place, (radii[0] - 0.025, radii[1] - 0.025), 0.012)
    level = place[1] + rng.uniform(-0.05, 0.35) * size
    gas = inner * ramp(level - canvas.v, 0.008)
    canvas.air *= 1 - sac
    canvas.tissue += 0.05 * sac
    canvas.bones *= 1 - 0.4 * gas
    canvas.air += (0.5 + 0.2 * severity) * gas


def _nodules(canvas: Canvas, chest: Chest, rng: np.random.Generator, severity: float) -> None:
    """One to three, round, of 1.8 to 2.9 cm."""
    for _ in range(int(rng.choice((1, 2, 3), p=(0.3, 0.35, 0.35)))):
        half = canvas.halves[int(rng.choice((RIGHT, LEFT)))]
        size = rng.uniform(0.055, 0.068) * (0.74 + 0.36 * severity)
        place = (rng.uniform(0.26, 0.48), rng.uniform(-0.5, 0.2))
        ball = ramp((1 - half.radius(place, (size, size))) * size, 0.018) * half.lung
        half.air *= 1 - 0.3 * ball
        half.tissue += (0.24 + 0.08 * severity) * ball


def _mass(canvas: Canvas, chest: Chest, rng: np.random.Generator, severity: float) -> None:
    """Lobed or spiculated, 3.6 to 7 cm, dense."""
    half = canvas.halves[int(rng.choice((RIGHT, LEFT)))]
    size = rng.uniform(0.12, 0.17) * (0.72 + 0.3 * severity)
    place = (rng.uniform(0.22, 0.46), rng.uniform(-0.45, 0.15))
    angle = np.arctan2(half.v - place[1], half.a - place[0])
    lobes, phase, spikes = rng.integers(3, 6), rng.uniform(0, 6.3), rng.random() < 0.4
    outline = 1 + 0.06 * np.cos(lobes * angle + phase) + 0.05 * np.cos(2 * angle - phase)
    if spikes:
        outline = outline + 0.06 * np.cos(17 * angle + phase)
    body = ramp((outline - half.radius(place, (size, size))) * size, 0.03) * ramp(half.wall, 0.02)
    body = body * ramp(half.floor, 0.02)
    half.air *= 1 - 0.72 * body
    half.tissue += 0.12 * body
    half.vessels *= 1 - body


SIGNS: Mapping[str, Sign] = {
    "Cardiomegaly": Sign(deform=_wide_heart),
    "Emphysema": Sign(deform=_hyperinflated, paint=_bullae),
    "Effusion": Sign(paint=pleura.effusion),
    "Hernia": Sign(paint=_hiatal_hernia),
    "Nodule": Sign(paint=_nodules),
    "Pneumonia": Sign(paint=airspace.pneumonia),
    "Atelectasis": Sign(deform=airspace.lost_volume, paint=airspace.plates),
    "Pleural_Thickening": Sign(paint=pleura.thickening),
    "Mass": Sign(paint=_mass),
    "Edema": Sign(paint=airspace.edema),
    "Consolidation": Sign(paint=airspace.consolidation),
    "Infiltration": Sign(paint=airspace.infiltration),
    "Fibrosis": Sign(deform=airspace.shrunken_bases, paint=airspace.reticulation),
    "Pneumothorax": Sign(paint=pleura.pneumothorax),
}
# What lies in the lung is drawn before what lies around it, and that before what covers it.
PAINTING_ORDER = (
    "Emphysema", "Fibrosis", "Infiltration", "Edema", "Pneumonia", "Consolidation", "Atelectasis",
    "Nodule", "Mass", "Pneumothorax", "Pleural_Thickening", "Effusion", "Hernia",
)  # fmt: skip
