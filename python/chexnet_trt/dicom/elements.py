"""Values of DICOM elements; what is wrong with one is said without quoting it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

from chexnet_trt._core import InputError

# pydicom has no static types.
Dataset: TypeAlias = Any

_CODE = re.compile("[A-Z0-9_ ]{0,16}")


def first(value: Any) -> Any:  # noqa: ANN401 - a number, several or none
    """The first of an element's values, or None."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return value[0] if value else None
    return value


def number(dataset: Dataset, key: str) -> int:
    """Raises InputError where there is none."""
    value = dataset.get(key)
    if value is None:
        raise InputError(f"it lacks {key}")
    return int(value)


def text(dataset: Dataset, key: str) -> str:
    """A code string, "" if there is none; by its rules (PS3.5 6.2) it can be no more than that."""
    value = str(dataset.get(key) or "").strip().upper()
    if not _CODE.fullmatch(value):
        raise InputError(f"its {key} is not a code")
    return value
