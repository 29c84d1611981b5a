"""From an exam to the pixels of its film."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from chexnet_trt.labels import LABELS
from chexnet_trt.synthetic import patients
from chexnet_trt.synthetic.anatomy import Chest, draw_chest, random_chest
from chexnet_trt.synthetic.canvas import EXTENT, PIXELS, Canvas, Plane
from chexnet_trt.synthetic.patients import Exam
from chexnet_trt.synthetic.signs import PAINTING_ORDER, SIGNS

BURNED_IN = "SYNTHETIC"


@dataclass(frozen=True)
class _Exposure:
    """Of one film. `angle`: radians; `shift`: of the chest, in units of u; `zoom`: 1 shows u from
    -1 to 1; `breath`: how far the diaphragm is up; `dark`, `contrast`: of the tone curve; `noise`:
    deviation in gray levels; `borders`: left, top, right, bottom that the collimator covers, in
    parts of the film."""

    angle: float
    shift: tuple[float, float]
    zoom: float
    breath: float
    dark: float
    contrast: float
    noise: float
    borders: tuple[float, ...]


def _random_exposure(rng: np.random.Generator, view: str) -> _Exposure:
    bed = view == "AP"
    return _Exposure(
        angle=rng.normal(0, 0.035 if bed else 0.018),
        shift=(rng.normal(0, 0.03), rng.normal(0.02, 0.03)),
        zoom=rng.uniform(0.95, 1.1),
        breath=rng.normal(0.05 if bed else 0, 0.02),
        dark=rng.normal(0.45, 0.03),
        contrast=rng.uniform(4.0, 5.2) * (0.9 if bed else 1),
        noise=rng.uniform(1.5, 3.5),
        borders=tuple(rng.uniform(0.005, 0.05, 4) * (rng.random(4) < 0.35)),
    )


def render(exam: Exam, size: int = 1024) -> Plane:
    """float32 [size, size], 0 black to 255 white, not rounded."""
    rng = exam.patient.generator(patients.EXPOSURE, exam.follow_up)
    exposure = _random_exposure(rng, exam.view)
    canvas = _draw(exam, exposure)
    film = _project(_tone(canvas.density(), exposure), exposure, size)
    _mark(film, exam.view, rng)
    gray: Plane = np.array(film)
    gray += exposure.noise * _grain(rng, size)
    _collimate(gray, exposure.borders)
    label = _label(size)
    gray[-label.shape[0] :, : label.shape[1]] = label
    np.clip(gray, 0, 255, out=gray)
    return gray


def _draw(exam: Exam, exposure: _Exposure) -> Canvas:
    patient = exam.patient
    rng = patient.generator(patients.ANATOMY)
    chest = _breathed(random_chest(rng, patient.sex), exposure, exam.view)
    for name, severity in exam.findings.items():
        deform = SIGNS[name].deform
        if deform:
            chest = deform(chest, _generator(exam, name), severity)
    canvas = Canvas()
    draw_chest(canvas, chest, rng)
    for name in PAINTING_ORDER:
        paint = SIGNS[name].paint
        if paint and name in exam.findings:
            paint(canvas, chest, _generator(exam, name), exam.findings[name])
    return canvas


def _breathed(chest: Chest, exposure: _Exposure, view: str) -> Chest:
    """As far as breath was held; from the front the heart is magnified."""
    right, left = chest.domes
    return replace(
        chest,
        domes=(right - exposure.breath, left - exposure.breath),
        heart=chest.heart * (1.06 if view == "AP" else 1),
    )


def _generator(exam: Exam, name: str) -> np.random.Generator:
    return exam.patient.generator(patients.FINDING, LABELS.index(name))


def _tone(density: Plane, exposure: _Exposure) -> Plane:
    """The film's curve: 0..255 by a logistic function of the density."""
    gray = 1 / (1 + np.exp(-exposure.contrast * (density - exposure.dark)))
    return np.asarray(245 * gray, np.float32)


def _project(plane: Plane, exposure: _Exposure, size: int) -> Image.Image:
    """Turned, shifted and enlarged onto the film."""
    drawn = max(size, PIXELS)
    scale = 2 / (exposure.zoom * drawn) * PIXELS / (2 * EXTENT)  # canvas pixels a film pixel
    cos, sin = scale * math.cos(exposure.angle), scale * math.sin(exposure.angle)
    x, y = (PIXELS / 2 - shift * PIXELS / (2 * EXTENT) for shift in exposure.shift)
    middle = drawn / 2
    matrix = (cos, sin, x - middle * (cos + sin), -sin, cos, y - middle * (cos - sin))
    film = Image.fromarray(plane).transform(
        (drawn, drawn), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )
    return film.resize((size, size), Image.Resampling.BILINEAR) if size < drawn else film


def _grain(rng: np.random.Generator, size: int) -> Plane:
    """Noise of the detector: the sum of two evenly distributed bytes, deviation 1."""
    parts = rng.integers(0, 256, (2, size, size), np.uint8)
    grain: Plane = parts[0].astype(np.float32)
    grain += parts[1]
    grain -= 255
    grain /= np.float32(104.5)
    return grain


def _collimate(gray: Plane, borders: tuple[float, ...]) -> None:
    left, top, right, bottom = (round(border * gray.shape[0]) for border in borders)
    for edge in (np.s_[:, :left], np.s_[:top], np.s_[:, gray.shape[1] - right :]):
        gray[edge] = 4
    gray[gray.shape[0] - bottom :] = 4


def _mark(film: Image.Image, view: str, rng: np.random.Generator) -> None:
    """Lead letters: the patient's left side, and the view."""
    pen, size = ImageDraw.Draw(film), film.width
    left = rng.uniform(0.86, 0.92) * size, rng.uniform(0.06, 0.14) * size
    corner = rng.uniform(0.05, 0.1) * size, rng.uniform(0.04, 0.1) * size
    pen.text(left, "L", 235, _font(0.045 * size))
    pen.text(corner, view, 225, _font(0.024 * size))


@cache
def _label(size: int) -> Plane:
    """Of every film's lower left corner."""
    font = _font(0.014 * size)
    left, top, right, bottom = (math.ceil(edge) for edge in font.getbbox(BURNED_IN))
    label = Image.new("L", (right + left + 4, bottom + top))
    ImageDraw.Draw(label).text((2, 0), BURNED_IN, 200, font)
    return np.asarray(label, np.float32)


@cache
def _font(height: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(6, height))
