"""Signs around the lung: fluid, air and scars between it and the chest wall."""

from __future__ import annotations

import numpy as np

from chexnet_trt.synthetic.anatomy import Chest
from chexnet_trt.synthetic.canvas import LEFT, RIGHT, Canvas, Half, band, ramp


def _sides(rng: np.random.Generator, both: float) -> tuple[int, ...]:
    return (RIGHT, LEFT) if rng.random() < both else (int(rng.choice((RIGHT, LEFT))),)


def effusion(canvas: Canvas, chest: Chest, rng: np.random.Generator, severity: float) -> None:
    """Fluid from below, whose surface rises towards the chest wall."""
    for side in _sides(rng, 0.3):
        half = canvas.halves[side]
        height = rng.uniform(0.0, 0.3) * severity
        rise = rng.uniform(0.16, 0.26)
        outwards = np.clip((half.a - 0.1) / (chest.width - 0.1), 0, 1)
        surface = chest.dome(side) + 0.06 - height - rise * outwards**3
        fluid = ramp(half.v - surface, 0.035)
        half.air *= 1 - 0.97 * fluid * ramp(half.floor + 0.025, 0.01)
        half.vessels *= 1 - fluid
        half.tissue += 0.08 * fluid * half.lung


def thickening(canvas: Canvas, chest: Chest, rng: np.random.Generator, severity: float) -> None:
    """A dense rim along the chest wall, and a cap on the apex."""
    for side in _sides(rng, 0.5):
        half = canvas.halves[side]
        rough = 0.02 * _profile(rng, half)
        cap = rng.uniform(0.1, 0.15) * (0.6 + 0.5 * severity)
        rim = rng.uniform(0.045, 0.065) * (0.6 + 0.5 * severity)
        lowest = rng.uniform(0.1, 0.4)
        upper = ramp(-0.42 - half.v, 0.2)
        thickness = (rim + (cap - rim) * upper) * ramp(lowest - half.v, 0.15) + rough
        scar = ramp(thickness - half.wall, 0.014) * half.lung
        half.air *= 1 - 0.75 * scar
        half.vessels *= 1 - scar
        half.tissue += 0.07 * scar


def _profile(rng: np.random.Generator, half: Half) -> np.ndarray:
    """Smooth roughness along v, [rows, 1]."""
    knots = rng.standard_normal(18)
    rows = np.interp(np.linspace(0, 17, half.v.shape[0]), np.arange(18), knots)
    return rows.astype(np.float32)[:, None]


def pneumothorax(canvas: Canvas, chest: Chest, rng: np.random.Generator, severity: float) -> None:
    """The edge of the lung is seen, and beyond it air without vessels; the lung is denser."""
    half = canvas.halves[_sides(rng, 0)[0]]
    gap = (0.05 + rng.uniform(0.04, 0.13) * severity) * (
        0.75 + 0.8 * ramp(-0.2 - half.v, 0.8) - 0.35 * ramp(half.v - 0.1, 0.5)
    )
    lost = ramp(gap - half.wall, 0.01)
    free = lost * half.lung
    depth = 1.22 * chest.aeration * half.lung
    half.air *= 1 - (0.1 + 0.1 * severity) * (1 - lost) * half.lung
    half.air[:] = half.air * (1 - 0.8 * free) + 0.8 * free * depth
    half.vessels *= 1 - free
    edge = band(gap - half.wall, 0.0055, 0.007)
    half.tissue += 0.16 * edge * half.lung
