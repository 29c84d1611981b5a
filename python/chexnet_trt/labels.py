"""The 14 findings of ChestX-ray14: their names, aliases and the order of the network's scores."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chexnet_trt._core import InputError

# The whitepaper's order, its "Effussion" and "PT" under their names in the data set.
LABELS = (
    "Cardiomegaly",
    "Emphysema",
    "Effusion",
    "Hernia",
    "Nodule",
    "Pneumonia",
    "Atelectasis",
    "Pleural_Thickening",
    "Mass",
    "Edema",
    "Consolidation",
    "Infiltration",
    "Fibrosis",
    "Pneumothorax",
)

_ALIASES = {
    "effussion": "Effusion",
    "pt": "Pleural_Thickening",
    "infiltrate": "Infiltration",
} | {label.lower(): label for label in LABELS}


def _key(name: str) -> str:
    return "_".join(name.replace("-", " ").replace("_", " ").split()).lower()


def canonicalise(name: str) -> str:
    """The data set's name of a finding; case, spaces and known misspellings are forgiven.

    Raises InputError that names the nearest finding.
    """
    key = _key(name)
    if key in _ALIASES:
        return _ALIASES[key]
    nearest = _ALIASES[difflib.get_close_matches(key, _ALIASES, n=1, cutoff=0)[0]]
    raise InputError(f"'{name}' is not one of the 14 findings; the nearest is {nearest}")


def canonical_names(names: Iterable[str], *, distinct: bool = True) -> tuple[str, ...]:
    """Names in their order: if one is a finding all must be, else (digits, say) they stay as is.

    Raises InputError for an unknown finding and, if they must be `distinct`, for a name that comes
    twice, as ImageNet's do.
    """
    result = tuple(names)
    if any(_key(name) in _ALIASES for name in result):
        result = tuple(canonicalise(name) for name in result)
        distinct = True
    if not distinct:
        return result
    twice = sorted({name for name in result if result.count(name) > 1})
    if twice:
        raise InputError(f"the label '{twice[0]}' comes twice")
    return result


def read_labels(path: str | Path, *, distinct: bool = True) -> tuple[str, ...]:
    """Labels of a file: a JSON list, a JSON object {"0": name, ...}, or text with one a line.

    Raises InputError for a file that is none of them, and as `canonical_names` does.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"the label file '{path}' is not text") from None
    except OSError as error:
        raise InputError(f"cannot read the label file '{path}': {error.strerror}") from None
    try:
        names = _from_json(text) if text.lstrip()[:1] in ("[", "{") else text.splitlines()
        names = [name.strip() for name in names if name.strip()]
        if not names:
            raise InputError("it has no labels")
        return canonical_names(names, distinct=distinct)
    except InputError as error:
        raise InputError(f"label file '{path}': {error}") from None


def _from_json(text: str) -> list[str]:
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"broken JSON: {error}") from None
    if isinstance(content, dict):
        indices = [str(index) for index in range(len(content))]
        if set(content) != set(indices):
            raise InputError(f'the keys of the object must be "0" to "{len(content) - 1}"')
        content = [content[index] for index in indices]
    if not all(isinstance(name, str) for name in content):
        raise InputError("every label must be a string")
    return list(content)
