"""Leakage: a patient or an image in two splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chexnet_trt._core import InputError


def check_leakage(splits: Mapping[str, Sequence[tuple[str, str]]]) -> None:
    """`splits`: file name and patient of every image. Raises InputError that names an image, never
    a patient, when one comes twice or its patient is in another split as well.
    """
    homes: dict[str, str] = {}
    for split, rows in splits.items():
        for image, _ in rows:
            if image in homes:
                raise InputError(
                    f"leakage: the image '{image}' comes twice, in {homes[image]} and {split}"
                )
            homes[image] = split
    firsts: dict[str, tuple[str, str]] = {}
    for split, rows in splits.items():
        for image, patient in rows:
            home, other = firsts.setdefault(patient, (split, image))
            if home != split:
                raise InputError(
                    f"leakage: '{image}' of {split} and '{other}' of {home} are of one patient; "
                    "a patient's images belong in one split"
                )
