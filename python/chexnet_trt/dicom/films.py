"""Reading chest films from DICOM files; pydicom is an extra, and imported where it is used."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from chexnet_trt._core import InputError
from chexnet_trt.dicom.elements import Dataset
from chexnet_trt.dicom.grayscale import Grayscale
from chexnet_trt.dicom.refusals import check_kind, check_pixels, doubts
from chexnet_trt.dicom.transformations import grayscale
from chexnet_trt.warning_filters import warning_filter

logger = logging.getLogger(__name__)

# All that is read of a file: nothing that says who the patient is.
_TAGS = (
    "Modality", "PresentationIntentType", "BodyPartExamined", "ViewPosition", "ViewCodeSequence",
    "NumberOfFrames", "PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio", "SamplesPerPixel",
    "PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "VOILUTSequence", "WindowCenter",
    "WindowWidth", "VOILUTFunction", "PresentationLUTShape", "PixelData",
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
)  # fmt: skip


def is_dicom(file: BinaryIO, name: str) -> bool:
    """Whether the file has DICOM's preamble; leaves it at its start. Raises InputError for a
    name that says so and a content that does not."""
    found = file.read(132)[128:] == b"DICM"
    file.seek(0)
    if not found and Path(name).suffix.lower() in (".dcm", ".dicom"):
        raise InputError(f"'{name}' is not a DICOM file: it lacks the DICM preamble")
    return found


def read_film(file: BinaryIO, name: str, max_pixels: int) -> NDArray[np.float32]:
    """A film as displayed: float32 [H, W], 0 black to 255 white, not rounded.

    In this order: stored bits, modality LUT or rescale, VOI LUT or the first window, inversion
    of MONOCHROME1, padding black. Raises InputError for what is not one frontal radiograph meant
    for display, and for broken files; `name` is for messages.
    """
    try:
        import pydicom  # noqa: F401
    except ImportError:
        raise InputError(
            f"'{name}' is a DICOM file; reading it needs pydicom: pip install 'chexnet_trt[dicom]'"
        ) from None
    try:
        dataset, levels, warnings = _parse(file, max_pixels)
        stored = _stored_values(dataset)
    except InputError as error:
        raise InputError(f"cannot use the DICOM file '{name}': {error}") from None
    for warning in warnings:
        logger.warning("'%s' %s", name, warning)
    return levels.apply(stored)


def _parse(file: BinaryIO, max_pixels: int) -> tuple[Dataset, Grayscale, list[str]]:
    """The checked dataset, its pixels not yet decoded, how they are shown, and doubts."""
    import pydicom

    with _discreet():
        try:
            dataset = pydicom.dcmread(file, specific_tags=list(_TAGS))
            check_kind(dataset)
            check_pixels(dataset, max_pixels)
            return dataset, grayscale(dataset), doubts(dataset)
        except (InputError, MemoryError):
            raise
        except Exception as error:  # pydicom raises nearly anything, with values in its words.
            raise InputError(f"it is damaged ({type(error).__name__})") from None


@contextmanager
def _discreet() -> Iterator[None]:
    """Silences pydicom: it quotes values, and those of a damaged file can be any of its bytes."""
    from pydicom import config

    pydicom_logger = logging.getLogger("pydicom")
    with warning_filter("ignore", Warning), config.disable_value_validation():
        disabled, pydicom_logger.disabled = pydicom_logger.disabled, True
        try:
            yield
        finally:
            pydicom_logger.disabled = disabled


def _stored_values(dataset: Dataset) -> NDArray[Any]:
    try:
        stored: NDArray[Any] = dataset.pixel_array
    except MemoryError:
        raise
    except Exception as error:  # Codecs raise nearly anything; they know of pixels alone.
        reason = " ".join(str(error).split())
        raise InputError(f"its pixels cannot be decoded: {reason}") from None
    if stored.shape != (dataset.Rows, dataset.Columns):
        raise InputError(f"its pixels decode to {list(stored.shape)}")
    return stored
