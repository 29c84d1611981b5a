"""The picture of a film that heat maps are drawn on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from chexnet_trt._core import printable
from chexnet_trt.images import Readable, read_image

LARGEST = 1024


@dataclass(frozen=True)
class Film:
    """`picture`: RGB, in the film's own aspect ratio. `name`: one line."""

    picture: Image.Image
    name: str

    @classmethod
    def read(cls, image: Readable, name: str, largest: int = LARGEST) -> Film:
        """As large as it is stored, or reduced to `largest` pixels. Raises as `read_image`."""
        planes = [_eight_bits(_reduced(plane, largest)) for plane in read_image(image)]
        return cls(Image.merge("RGB", planes * 3 if len(planes) == 1 else planes), printable(name))


def _reduced(plane: Image.Image, largest: int) -> Image.Image:
    factor = largest / max(plane.size)
    if factor >= 1:
        return plane
    width, height = (max(1, round(extent * factor)) for extent in plane.size)
    return plane.resize((width, height), Image.Resampling.BILINEAR)


def _eight_bits(plane: Image.Image) -> Image.Image:
    return Image.fromarray(np.rint(np.asarray(plane, np.float32)).clip(0, 255).astype(np.uint8))
