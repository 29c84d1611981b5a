"""JSON without numbers that it does not have."""

from __future__ import annotations

import math
from typing import Any


def without_nan(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The same with None for every number that is not finite."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
