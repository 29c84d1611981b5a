"""The preprocessing contract of an engine: from the pixels of a file to the values it is fed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from chexnet_trt._core import InputError
from chexnet_trt.images import Readable, read_image

# Pillow's bilinear filter, whose support grows with the reduction: antialiased, centres aligned.
RESIZE = "bilinear-antialias"

# name: mean and deviation per RGB channel, in units of 0..255; value = (pixel - mean) / std
_PRESETS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "imagenet-tf": ((123.68, 116.779, 103.939), (1.0, 1.0, 1.0)),
    "torch": ((0.485 * 255, 0.456 * 255, 0.406 * 255), (0.229 * 255, 0.224 * 255, 0.225 * 255)),
    "unit": ((0.0,), (255.0,)),
    "unit-inverted": ((255.0,), (-255.0,)),
    "signed-unit": ((127.5,), (127.5,)),
    "raw": ((0.0,), (1.0,)),
}
PRESETS = tuple(_PRESETS)


@dataclass(frozen=True)
class Preprocessing:
    """Resize to width x height without keeping the aspect ratio, then (pixel - mean) / std.

    Pixels are 0..255, RGB or gray (`channels` 3 or 1); mean and std have one value per channel.
    """

    name: str
    width: int
    height: int
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: str = RESIZE

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise InputError(f"preprocessing to {self.width}x{self.height} pixels is impossible")
        if self.channels not in (1, 3):
            raise InputError(f"preprocessing makes 1 or 3 channels, not {self.channels}")
        if self.resize != RESIZE:
            raise InputError(f"unknown resize kernel '{self.resize}'; this version has {RESIZE}")
        for label, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != self.channels or not all(map(math.isfinite, values)):
                raise InputError(
                    f"preprocessing needs {self.channels} finite {label} values, not {values}"
                )
        if 0 in self.std:
            raise InputError("preprocessing cannot divide by a std of 0")

    def pixels(self, image: Readable) -> NDArray[np.float32]:
        """The resized pixels, float32 [height, width, channels] in 0..255.

        Raises InputError when the image cannot be read; arrays are [H, W], [H, W, 1] or [H, W, 3],
        uint8 or uint16.
        """
        planes = [_resize(plane, self.width, self.height) for plane in read_image(image)]
        if self.channels == 1 and len(planes) == 3:
            planes = [_luma(*planes)]
        elif self.channels == 3 and len(planes) == 1:
            planes *= 3
        return np.stack(planes, axis=-1)

    def apply(self, image: Readable, layout: str) -> NDArray[np.float32]:
        """The values an engine is fed for one image: float32, [C, H, W] for layout 'nchw' and
        [H, W, C] for 'nhwc'. Raises InputError like `pixels`, and for another layout.
        """
        values = self.pixels(image)
        values -= np.asarray(self.mean, np.float32)
        values /= np.asarray(self.std, np.float32)
        return arrange(values, layout)

    def to_json(self) -> dict[str, Any]:
        """What the engine manifest keeps under "preprocess"."""
        return {
            "name": self.name,
            "width": self.width,
            "height": self.height,
            "channels": self.channels,
            "color": "rgb" if self.channels == 3 else "gray",
            "resize": self.resize,
            "mean": list(self.mean),
            "std": list(self.std),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Preprocessing:
        """The inverse of `to_json`. Raises InputError for what it would not have written."""
        try:
            width, height, channels = (fields[key] for key in ("width", "height", "channels"))
            if not all(type(size) is int for size in (width, height, channels)):
                raise TypeError("width, height and channels are whole numbers")
            mean, std = (tuple(float(value) for value in fields[key]) for key in ("mean", "std"))
            name, resize = str(fields["name"]), str(fields["resize"])
            return cls(name, width, height, channels, mean, std, resize)
        except KeyError as error:
            raise InputError(f"the preprocessing description lacks {error}") from None
        except (TypeError, ValueError) as error:
            raise InputError(f"the preprocessing description is malformed: {error}") from None


def preset(name: str, width: int, height: int, channels: int) -> Preprocessing:
    """A named preprocessing for an engine's size.

    imagenet-tf: RGB minus 123.68, 116.779, 103.939; torch: /255, then ImageNet's mean and std;
    unit: x/255; unit-inverted: 1 - x/255; signed-unit: x/127.5 - 1; raw: 0..255 as they are.
    """
    if name not in _PRESETS:
        raise InputError(f"unknown preprocessing '{name}'; there are {', '.join(PRESETS)}")
    mean, std = _PRESETS[name]
    if len(mean) == 1:
        mean, std = mean * channels, std * channels
    if len(mean) != channels:
        raise InputError(f"preprocessing '{name}' is for RGB; the network takes {channels} channel")
    return Preprocessing(name, width, height, channels, mean, std)


def arrange(values: NDArray[Any], layout: str) -> NDArray[Any]:
    """[H, W, C] in an engine's layout: 'nchw' or 'nhwc'; any other raises InputError."""
    if layout == "nchw":
        return np.ascontiguousarray(values.transpose(2, 0, 1))
    if layout == "nhwc":
        return values
    raise InputError(f"an engine input of layout '{layout}' does not take images")


def _resize(plane: Image.Image, width: int, height: int) -> NDArray[np.float32]:
    if plane.size != (width, height):
        plane = plane.resize((width, height), Image.Resampling.BILINEAR)
    return np.array(plane, np.float32)


def _luma(
    red: NDArray[np.float32], green: NDArray[np.float32], blue: NDArray[np.float32]
) -> NDArray[np.float32]:
    """ITU-R 601."""
    gray: NDArray[np.float32] = (
        red * np.float32(0.299) + green * np.float32(0.587) + blue * np.float32(0.114)
    )
    return gray
