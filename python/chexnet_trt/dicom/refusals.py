"""What makes a DICOM file no film that can be scored, or a doubtful one."""

from __future__ import annotations

from chexnet_trt._core import InputError
from chexnet_trt.dicom.elements import Dataset, number, text

RADIOGRAPHY = ("CR", "DX", "RG")
# Digitised films and screen captures come as these, or with no modality.
_UNSURE = ("OT", "SC", "")
_NOT_FRONTAL = frozenset(
    ("LATERAL", "LAT", "LL", "RL", "OBLIQUE", "LLO", "RLO", "LAO", "RAO", "LPO", "RPO")
)
# Of BodyPartExamined, whose terms are no closed list.
_CHEST = ("CHEST", "THORAX", "LUNG", "RIB")


def check_kind(dataset: Dataset) -> None:
    """Raises InputError for what is no frontal radiograph that is meant for display."""
    modality = text(dataset, "Modality")
    if modality not in (*RADIOGRAPHY, *_UNSURE):
        raise InputError(f"its modality is {modality}; only radiographs (CR, DX) can be scored")
    if text(dataset, "PresentationIntentType") == "FOR PROCESSING":
        raise InputError("it holds raw detector values; give the image FOR PRESENTATION")
    codes = dataset.get("ViewCodeSequence") or ()
    views = [dataset.get("ViewPosition"), *(code.get("CodeMeaning") for code in codes)]
    for view in (str(view or "").upper() for view in views):
        for word in _NOT_FRONTAL.intersection(view.replace("-", " ").split()):
            raise InputError(f"its view is {word}; give a frontal one, PA or AP")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise InputError(f"it has {frames} frames; give one image a file")
    for key in ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio"):
        spacing = [float(extent) for extent in dataset.get(key) or ()]
        if len(spacing) == 2 and max(spacing) > 1.01 * min(spacing) > 0:
            raise InputError(f"its pixels are not square ({key} {spacing}); resample it")


def doubts(dataset: Dataset) -> list[str]:
    """What a reader of the scores should know of a film that is not refused."""
    found = []
    modality = text(dataset, "Modality")
    if modality not in RADIOGRAPHY:
        found.append(f"has modality '{modality}' and is taken for a radiograph")
    part = str(dataset.get("BodyPartExamined") or "").upper()
    if part and not any(word in part for word in _CHEST):
        found.append("says that it shows another part of the body than the chest")
    return found


def check_pixels(dataset: Dataset, max_pixels: int) -> None:
    """Raises InputError for pixels that are absent, too many, of another kind, or in a
    compressed form without a codec."""
    from pydicom.pixels import get_decoder

    if "PixelData" not in dataset:
        raise InputError("it has no integer pixels; it holds a report or a map, or is cut short")
    kind = text(dataset, "PhotometricInterpretation")
    if kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise InputError(f"its pixels are '{kind}', not MONOCHROME1 or MONOCHROME2")
    if number(dataset, "SamplesPerPixel") != 1:
        raise InputError("its pixels have several samples, which is not gray")
    rows, columns = number(dataset, "Rows"), number(dataset, "Columns")
    if rows < 1 or columns < 1:
        raise InputError(f"its size is {columns}x{rows}")
    if rows * columns > max_pixels:
        raise InputError(f"it has more than {max_pixels:,} pixels, not safe to decode")
    allocated, stored = number(dataset, "BitsAllocated"), number(dataset, "BitsStored")
    high_bit = number(dataset, "HighBit")
    if allocated not in (8, 16) or not 1 <= stored <= allocated or high_bit != stored - 1:
        raise InputError(
            f"its pixels are bits {high_bit} down to {high_bit - stored + 1} of {allocated}; "
            "they must be the lowest of 8 or 16"
        )
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise InputError("its transfer syntax is not one of still images") from None
    if not decoder.is_available:
        raise InputError(
            f"no codec for {syntax.name} is installed: pip install 'chexnet_trt[dicom]'"
        )
