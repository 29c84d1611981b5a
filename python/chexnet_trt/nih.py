"""The tables of NIH ChestX-ray14: findings, patient and view of every image, and the split."""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from chexnet_trt._core import InputError
from chexnet_trt.labels import canonicalise

TRAIN_LIST = "train_val_list.txt"
TEST_LIST = "test_list.txt"
_ENTRIES = "Data_Entry_2017*.csv"
_NO_FINDING = "No Finding"
# The header of 2020 has commas inside brackets and that of 2017 an empty column at the end, but
# both come after these.
_IMAGE, _FINDINGS, _PATIENT, _VIEW = "Image Index", "Finding Labels", "Patient ID", "View Position"


@dataclass(frozen=True)
class Entry:
    """One image. `image`: its file name; `findings`: canonical, empty for No Finding; `view`: PA
    or AP."""

    image: str
    findings: frozenset[str]
    patient: str
    view: str


def entries_file(folder: Path) -> Path:
    """The Data_Entry table of a folder; of several, the newest by name: the corrected 2020 one.

    Raises InputError where there is none.
    """
    files = sorted(folder.glob(_ENTRIES))
    if not files:
        raise InputError(f"'{folder}' has no {_ENTRIES}; give the folder of NIH ChestX-ray14")
    return files[-1]


def read_entries(path: Path) -> list[Entry]:
    """Raises InputError for a table without the columns, an unknown finding, an image twice."""
    reader = csv.DictReader(_read(path).splitlines())
    missing = {_IMAGE, _FINDINGS, _PATIENT, _VIEW}.difference(reader.fieldnames or ())
    if missing:
        raise InputError(f"'{path}' has no column {', '.join(sorted(missing))}")
    entries: dict[str, Entry] = {}
    try:
        for row in reader:
            entry = _entry(row)
            if entry.image in entries:
                raise InputError(f"'{entry.image}' comes twice")
            entries[entry.image] = entry
    except (InputError, csv.Error) as error:
        raise InputError(f"'{path}', line {reader.line_num}: {error}") from None
    return list(entries.values())


def _entry(row: dict[str, str | None]) -> Entry:
    image, findings, patient, view = (
        (row[column] or "").strip() for column in (_IMAGE, _FINDINGS, _PATIENT, _VIEW)
    )
    if not (image and findings and patient):
        raise InputError("the image, its findings or its patient are missing")
    names = [name for name in findings.split("|") if name != _NO_FINDING]
    return Entry(image, frozenset(map(canonicalise, names)), patient, view)


def read_split(path: Path) -> frozenset[str]:
    """The image names of train_val_list.txt or test_list.txt. Raises InputError without any."""
    names = frozenset(line.strip() for line in _read(path).splitlines() if line.strip())
    if not names:
        raise InputError(f"'{path}' is empty")
    return names


def image_paths(folder: Path, names: Collection[str]) -> dict[str, Path]:
    """Where the images of those names lie under `folder`, images_001/images and the like; of
    several, the first in sorted order. Names that are not there are left out."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.png")):
        if path.name in names:
            found.setdefault(path.name, path)
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"'{path}' is not text") from None
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from None
