"""Chest films in DICOM files, as a viewer shows them."""

from __future__ import annotations

from chexnet_trt.dicom.films import is_dicom, read_film

__all__ = ["is_dicom", "read_film"]
