"""The grayscale transformations that a DICOM file asks for."""

from __future__ import annotations

import numpy as np

from chexnet_trt._core import InputError
from chexnet_trt.dicom.elements import Dataset, first, number, text
from chexnet_trt.dicom.grayscale import Grayscale, LookUpTable, Rescale, Window


def grayscale(dataset: Dataset) -> Grayscale:
    """Raises InputError for transformations that lead nowhere."""
    bits = number(dataset, "BitsStored")
    lowest = -(2 ** (bits - 1)) if number(dataset, "PixelRepresentation") == 1 else 0
    return Grayscale(
        stored_range=(lowest, lowest + 2**bits - 1),
        # MONOCHROME1 comes with the shape INVERSE; both say the same, once.
        inverted=text(dataset, "PhotometricInterpretation") == "MONOCHROME1"
        or text(dataset, "PresentationLUTShape") == "INVERSE",
        modality=_modality(dataset),
        voi=_voi(dataset),
        padding=_padding(dataset),
    )


def _modality(dataset: Dataset) -> LookUpTable | Rescale:
    if dataset.get("ModalityLUTSequence"):
        return _look_up_table(dataset, dataset.ModalityLUTSequence[0])
    slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
    return Rescale(1.0 if slope is None else float(slope), float(intercept or 0))


def _voi(dataset: Dataset) -> LookUpTable | Window | None:
    """A table rather than a window, the first of several."""
    tables = dataset.get("VOILUTSequence")
    if tables and "LUTDescriptor" in tables[0] and "LUTData" in tables[0]:
        return _look_up_table(dataset, tables[0])
    center, width = (first(dataset.get(key)) for key in ("WindowCenter", "WindowWidth"))
    if center is None or width is None:
        return None
    return Window(float(center), float(width), text(dataset, "VOILUTFunction") or "LINEAR")


def _look_up_table(dataset: Dataset, item: Dataset) -> LookUpTable:
    """PS3.3 C.11.1.1: a count of 0 is 65536; 8-bit entries may lie in bytes or in words."""
    count, first_mapped, bits = map(int, item.LUTDescriptor)
    count = count % 2**16 or 2**16
    data = item.LUTData
    if isinstance(data, bytes):
        _, little_endian = dataset.original_encoding
        in_bytes = bits == 8 and len(data) < 2 * count
        entries = np.frombuffer(data, "u1" if in_bytes else "<u2" if little_endian else ">u2")
    else:
        entries = np.atleast_1d(np.asarray(data, np.int64)) % 2**16
    if len(entries) < count:
        raise InputError(f"a look-up table has {len(entries)} of its {count} entries")
    return LookUpTable(first_mapped, entries[:count].astype(np.uint16), bits)


def _padding(dataset: Dataset) -> tuple[int, int] | None:
    """The stored values of pixels outside of the image, PS3.3 C.7.5.1.1.2."""
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return None
    limit = dataset.get("PixelPaddingRangeLimit")
    ends = [_as_stored(dataset, int(end)) for end in (value, value if limit is None else limit)]
    return min(ends), max(ends)


def _as_stored(dataset: Dataset, value: int) -> int:
    """Writers give signed values as unsigned and the reverse."""
    size = 2 ** number(dataset, "BitsAllocated")
    signed = number(dataset, "PixelRepresentation") == 1
    value %= size
    return value - size if signed and value >= size // 2 else value
