"""The file of a comparison: one JSON, written after every round, so that a run can go on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chexnet_trt._core import InputError, write_file

FORMAT = 1
# What a run may change without measuring again.
_DERIVED = frozenset({"latency_target_ms"})
_NUMBERS = re.compile(r"\[\s+([-+.,e\d\s]+?)\s+\]")


def load(path: str | Path) -> dict[str, Any]:
    """Raises InputError for what is not such a file."""
    try:
        result = json.loads(Path(path).read_text())
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from None
    except ValueError:
        raise InputError(f"'{path}' is not JSON: give a file that `compare` wrote") from None
    if not isinstance(result, dict) or "rounds" not in result or "format" not in result:
        raise InputError(f"'{path}' is not a comparison: give a file that `compare` wrote")
    if result["format"] > FORMAT:
        raise InputError(
            f"'{path}' has format {result['format']}, this version reads {FORMAT}: update "
            "chexnet_trt, or compare again"
        )
    return result


def save(path: Path, result: Mapping[str, Any]) -> None:
    """Whole or not at all. Raises InputError."""
    text = json.dumps(result, indent=1, allow_nan=False)
    write_file(str(path), (_flat_numbers(text) + "\n").encode())


def continued(path: Path, fresh: Mapping[str, Any]) -> dict[str, Any]:
    """What is at `path`, if it was begun with the settings and the networks of `fresh` on the same
    machine; `fresh` if nothing is there. Raises InputError with the difference.
    """
    if not path.exists():
        return dict(fresh)
    old = load(path)
    for part in ("settings", "models", "environment"):
        difference = _difference(old[part], fresh[part])
        if difference:
            raise InputError(
                f"'{path}' was begun with other {part} ({difference}): name another file, or "
                "remove it"
            )
    return old | {"settings": fresh["settings"]}


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    new = json.loads(json.dumps(new))
    for name in sorted({*old, *new} - _DERIVED):
        if old.get(name) != new.get(name):
            return f"{name} {json.dumps(old.get(name))}, now {json.dumps(new.get(name))}"
    return ""


def _flat_numbers(text: str) -> str:
    """Lists of numbers on one line."""
    return _NUMBERS.sub(lambda match: f"[{' '.join(match[1].split())}]", text)
