"""Reading images: whatever the format, the planes of one still image, or why there are none."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from chexnet_trt import dicom, png
from chexnet_trt._core import InputError
from chexnet_trt.warning_filters import warning_filter

MAX_PIXELS = 89_478_485  # Pillow's own limit before it warns of a decompression bomb.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")


@dataclass(frozen=True)
class EncodedImage:
    """The bytes of an image file that lies in another file; `name` is for messages."""

    name: str
    read: Callable[[], bytes]


# An array is [H, W], [H, W, 1] or [H, W, 3], uint8 or uint16.
Readable: TypeAlias = str | Path | EncodedImage | Image.Image | NDArray[Any]


def read_image(image: Readable) -> list[Image.Image]:
    """The planes of an image, one (gray) or three (RGB), each of 0..255.

    8-bit images give 8-bit planes; 16-bit gray is divided by 257 into float planes, not clipped;
    DICOM films give a float plane as chexnet_trt.dicom shows them. Alpha is dropped, and the
    stored orientation kept. Raises InputError for what is not one readable still image: missing,
    truncated, too large, several frames, 32-bit pixels.
    """
    if isinstance(image, np.ndarray):
        return _array_planes(image)
    if isinstance(image, Image.Image):
        return _planes(image, "the image")
    path = image.name if isinstance(image, EncodedImage) else str(image)
    name = f"'{path}'"
    try:
        with _open(image) as file:
            if dicom.is_dicom(file, path):
                return [Image.fromarray(dicom.read_film(file, path, MAX_PIXELS))]
            gray = png.gray_pixels(file, MAX_PIXELS)
            if gray is not None:
                return [Image.fromarray(gray)]
            with _open_picture(file) as picture:
                return _planes(picture, name)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(_too_large(name)) from None
    except UnidentifiedImageError:
        raise InputError(f"{name} is not an image that can be read") from None
    except _BROKEN as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InputError(f"cannot read the image {name}: {reason}") from None


def _open(image: str | Path | EncodedImage) -> BinaryIO:
    if isinstance(image, EncodedImage):
        return io.BytesIO(image.read())
    return Path(image).open("rb")


def _open_picture(file: BinaryIO) -> Image.Image:
    """Reads the header alone. Raises DecompressionBombWarning where Pillow would warn."""
    with warning_filter("error", Image.DecompressionBombWarning):
        return Image.open(file)


def _planes(image: Image.Image, name: str) -> list[Image.Image]:
    if image.width * image.height > MAX_PIXELS:
        raise InputError(_too_large(name))
    frames = getattr(image, "n_frames", 1)
    if frames != 1:
        raise InputError(f"{name} has {frames} frames; give one image a file")
    if image.mode in _SIXTEEN_BIT or (image.mode == "I" and image.format in ("PNG", "PPM")):
        return [_scaled_down(np.asarray(image))]
    if image.mode in ("I", "F"):
        raise InputError(f"{name} has 32-bit pixels, whose range is unknown; save it with 8 or 16")
    if image.mode == "L":
        image.load()
        return [image]
    gray = image.mode in ("1", "LA", "La")
    return list(image.convert("L" if gray else "RGB").split())


def _array_planes(pixels: NDArray[Any]) -> list[Image.Image]:
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or 0 in pixels.shape:
        raise InputError(f"an image array is [H, W], [H, W, 1] or [H, W, 3], not {pixels.shape}")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise InputError(f"an image array holds uint8 or uint16 pixels, not {pixels.dtype}")
    planes = [np.ascontiguousarray(pixels[:, :, channel]) for channel in range(pixels.shape[2])]
    if pixels.dtype == np.uint16:
        return [_scaled_down(plane) for plane in planes]
    return [Image.fromarray(plane) for plane in planes]


def _scaled_down(pixels: NDArray[Any]) -> Image.Image:
    """0..65535 to 0..255."""
    return Image.fromarray(pixels.astype(np.float32) / np.float32(257))


def _too_large(name: str) -> str:
    return f"{name} has more than {MAX_PIXELS:,} pixels; it would not be safe to decode"
