"""A drawn film as a DICOM file: digital X-ray of 12 bits with a window, of nobody.

What it displays, from 0 to 255, is the film before it is rounded to 8 bits.
"""

from __future__ import annotations

import hashlib
import io

import numpy as np

from chexnet_trt._core import InputError
from chexnet_trt.synthetic.canvas import Plane
from chexnet_trt.synthetic.patients import Exam

_BITS = 12
# Of the 4096 levels, those from black to white; window LINEAR_EXACT, PS3.3 C.11.2.1.3.2.
_CENTER, _WIDTH = 2048, 3600
_FILM_MM = 380.0


def check_available() -> None:
    """Raises InputError without pydicom."""
    try:
        import pydicom  # noqa: F401
    except ImportError:
        raise InputError("--dicom needs pydicom: pip install 'chexnet_trt[dicom]'") from None


def encode(exam: Exam, gray: Plane) -> bytes:
    """`gray`: 0 black to 255 white. Exams of even number are MONOCHROME2, the others MONOCHROME1.
    The same exam gives the same bytes."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = _uid(exam, "image")
    film = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    film.SOPClassUID = meta.MediaStorageSOPClassUID
    film.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    film.StudyInstanceUID, film.SeriesInstanceUID = _uid(exam, "study"), _uid(exam, "series")
    film.PatientName = film.PatientID = f"SYNTHETIC-{exam.patient.id}"
    film.PatientSex, film.PatientAge = exam.patient.sex, f"{exam.age:03}Y"
    film.PatientBirthDate = film.StudyDate = film.StudyTime = ""
    film.ImageComments = "SYNTHETIC: a drawing of nobody's chest"
    film.Modality, film.BodyPartExamined = "DX", "CHEST"
    film.PresentationIntentType = "FOR PRESENTATION"
    film.ImageType = ["DERIVED", "PRIMARY"]
    film.BurnedInAnnotation = "YES"
    film.ViewPosition = exam.view
    film.SeriesNumber, film.InstanceNumber = 1, exam.follow_up + 1
    _set_pixels(film, gray, inverted=(exam.patient.number + exam.follow_up) % 2 == 1)
    stream = io.BytesIO()
    film.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _set_pixels(film: object, gray: Plane, *, inverted: bool) -> None:
    levels = np.rint(gray * (_WIDTH / 255) + (_CENTER - _WIDTH / 2)).astype("<u2")
    center = _CENTER
    if inverted:
        levels, center = (1 << _BITS) - 1 - levels, (1 << _BITS) - 1 - _CENTER
    spacing = _FILM_MM / gray.shape[0]
    elements = {
        "Rows": gray.shape[0],
        "Columns": gray.shape[1],
        "ImagerPixelSpacing": [f"{spacing:.4f}"] * 2,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME1" if inverted else "MONOCHROME2",
        "PresentationLUTShape": "INVERSE" if inverted else "IDENTITY",
        "BitsAllocated": 16,
        "BitsStored": _BITS,
        "HighBit": _BITS - 1,
        "PixelRepresentation": 0,
        "WindowCenter": center,
        "WindowWidth": _WIDTH,
        "VOILUTFunction": "LINEAR_EXACT",
        "PixelData": levels.tobytes(),
    }
    for keyword, value in elements.items():
        setattr(film, keyword, value)


def _uid(exam: Exam, kind: str) -> str:
    """Under 2.25, for which nobody has to register (PS3.5 B.2)."""
    text = f"chexnet_trt synthetic {exam.patient.seed} {exam.name} {kind}"
    return f"2.25.{int.from_bytes(hashlib.sha256(text.encode()).digest()[:15], 'big')}"
