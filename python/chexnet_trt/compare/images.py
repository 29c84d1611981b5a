"""What the modes are fed: films that the user gives, or random gray clouds and a drawn film."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from chexnet_trt import feeding
from chexnet_trt.compare.setting import INPUT, OUTPUT
from chexnet_trt.image_feed import ImageFeed
from chexnet_trt.models.random_weights import synthetic_images
from chexnet_trt.preprocess import preset

Array = NDArray[Any]
Size = tuple[int, int, int]

# Presets that the networks of this project are trained with.
PRESETS = ("imagenet-tf", "torch")
CALIBRATION_IMAGES = 16
FILM_SIZE = 1024


def clouds(count: int, preset_name: str, size: Size) -> Array:
    """Preprocessed random images, float32 [count, *size], the same for the same arguments."""
    height, width, channels = size
    pixels = synthetic_images(np.random.default_rng(0), count, max(height, width))
    contract = preset(preset_name, width, height, channels)
    values = pixels[:, :height, :width, :channels]
    cloudy: Array = ((values - contract.mean) / contract.std).astype(np.float32)
    return cloudy


@dataclass(frozen=True)
class _Spec:
    """An input as a feed sees it."""

    shape: tuple[int, ...]
    name: str = INPUT
    layout: str = "nhwc"
    element: str = "float32"


def films(data: str, preset_name: str, size: Size, limit: int) -> Array:
    """The first images of `data`, preprocessed, float32 [count, *size]. Raises InputError."""
    height, width, channels = size
    feed = ImageFeed(_Spec((-1, *size)), preset(preset_name, width, height, channels))
    return next(feeding.batches(feeding.open_source(data, limit=limit), feed, limit))


def repeated(images: Array, count: int) -> Array:
    """`count` rows, those given over and over."""
    return np.resize(images, (count, *images.shape[1:]))


def drawn_film(path: Path) -> Path:
    """A synthetic film as NIH's are: a gray PNG of 1024 x 1024."""
    from chexnet_trt.synthetic.film import render
    from chexnet_trt.synthetic.patients import exams

    pixels = np.rint(render(exams(0, 1)[0], FILM_SIZE)).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def fitting_preset(model: Path, size: Size) -> str:
    """The preset of PRESETS that leaves most scores off 0 and 1, where a difference shows."""
    import chexnet_trt as ct

    engine = ct.build(
        model, inputs={INPUT: size}, outputs=[OUTPUT], input_order="NHWC", embed_blob=False
    )

    def alive(preset_name: str) -> int:
        scores = engine.infer(clouds(1, preset_name, size))[OUTPUT]
        return int(np.count_nonzero((scores > 0.001) & (scores < 0.999)))

    counts = {name: alive(name) for name in PRESETS}
    return max(counts, key=counts.__getitem__)
