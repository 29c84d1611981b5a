"""Finding image files and reading them, with every unusable file named and explained."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from chexnet_trt._core import InputError

# DICOM files count as images of a folder, so that they are reported and not passed over.
EXTENSIONS = frozenset(
    (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".pgm", ".ppm", ".pnm", ".dcm")
)
MAX_PIXELS = 89_478_485  # Pillow's own limit before it warns of a decompression bomb.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")


def image_files(paths: Iterable[str | Path]) -> list[Path]:
    """The files behind `paths`: files as they are, folders searched through in sorted order for
    the known extensions, .txt lists with one path a line, relative to the list's folder.

    Raises InputError for a path that does not exist and for a folder or list without images.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            files += _in_folder(path)
        elif path.suffix.lower() == ".txt":
            files += _in_list(path)
        elif path.exists():
            files.append(path)
        else:
            raise InputError(f"'{path}' does not exist")
    return files


def _in_folder(folder: Path) -> list[Path]:
    files = sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS and path.is_file()
    )
    if not files:
        known = " ".join(sorted(EXTENSIONS))
        raise InputError(f"no image under '{folder}'; the known extensions are {known}")
    return files


def _in_list(path: Path) -> list[Path]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"'{path}' is not a text file with one image path a line") from None
    except OSError as error:
        raise InputError(f"cannot read the image list '{path}': {error.strerror}") from None
    files = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        file = path.parent / line.strip()
        if not file.is_file():
            raise InputError(f"{path}, line {number}: there is no file '{file}'")
        files.append(file)
    if not files:
        raise InputError(f"the image list '{path}' is empty")
    return files


def read_image(image: str | Path | Image.Image | NDArray[Any]) -> list[Image.Image]:
    """The planes of an image, one (gray) or three (RGB), each of 0..255.

    8-bit images give 8-bit planes; 16-bit gray is divided by 257 into float planes, not clipped.
    Alpha is dropped, and the stored orientation kept. Raises InputError for what is not one
    readable still image: missing, truncated, too large, several frames, DICOM, 32-bit pixels.
    """
    if isinstance(image, np.ndarray):
        return _array_planes(image)
    if isinstance(image, Image.Image):
        return _planes(image, "the image")
    path = Path(image)
    try:
        with path.open("rb") as file:
            if file.read(132)[128:] == b"DICM":
                raise InputError(
                    f"'{path}' is a DICOM file, which this version does not read yet; "
                    "export it as PNG"
                )
            file.seek(0)
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(file) as opened:
                    return _planes(opened, f"'{path}'")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(_too_large(f"'{path}'")) from None
    except UnidentifiedImageError:
        raise InputError(f"'{path}' is not an image that can be read") from None
    except _BROKEN as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InputError(f"cannot read the image '{path}': {reason}") from None


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
    gray = image.mode in ("1", "L", "LA", "La")
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
