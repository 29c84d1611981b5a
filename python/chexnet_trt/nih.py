"""The tables of NIH ChestX-ray14: findings, patient and view of every image, and the split."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from chexnet_trt._core import InputError
from chexnet_trt.image_lists import EXTENSIONS
from chexnet_trt.labels import canonicalise

TRAIN_LIST = "train_val_list.txt"
TEST_LIST = "test_list.txt"
SYNTHETIC_MARK = "SYNTHETIC.txt"
_ENTRIES = "Data_Entry_2017*.csv"
_NO_FINDING = "No Finding"
# The header of 2020 has commas inside brackets and that of 2017 an empty column at the end, but
# both come after these.
_IMAGE, _FINDINGS, _FOLLOW_UP, _PATIENT, _VIEW = _COLUMNS = (
    "Image Index",
    "Finding Labels",
    "Follow-up #",
    "Patient ID",
    "View Position",
)


@dataclass(frozen=True)
class Entry:
    """One image. `image`: its file name; `findings`: canonical, empty for No Finding; `patient`:
    a number without leading zeros; `view`: PA or AP."""

    image: str
    findings: frozenset[str]
    follow_up: int
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
    """Raises InputError for a table without the columns or rows, an unknown finding or view, an
    image twice."""
    reader = csv.DictReader(_read(path).splitlines())
    missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise InputError(f"'{path}' has no column {', '.join(missing)}")
    entries: dict[str, Entry] = {}
    try:
        for row in reader:
            entry = _entry(row)
            if entry.image in entries:
                raise InputError(f"'{entry.image}' comes twice")
            entries[entry.image] = entry
    except (InputError, csv.Error) as error:
        raise InputError(f"'{path}', line {reader.line_num}: {error}") from None
    if not entries:
        raise InputError(f"'{path}' has no images")
    return list(entries.values())


def _entry(row: dict[str, str | None]) -> Entry:
    image, findings, follow_up, patient, view = ((row[column] or "").strip() for column in _COLUMNS)
    if not (image and findings and patient):
        raise InputError("the image, its findings or its patient are missing")
    if not (follow_up.isascii() and follow_up.isdigit()):
        raise InputError(f"the follow-up of '{image}' is not a number")
    if view not in ("PA", "AP"):
        raise InputError(f"the view of '{image}' is '{view}', not PA or AP")
    names = [name for name in findings.split("|") if name != _NO_FINDING]
    return Entry(
        image,
        frozenset(map(canonicalise, names)),
        int(follow_up),
        patient.lstrip("0") or "0",
        view,
    )


def read_split(path: Path) -> frozenset[str]:
    """The image names of train_val_list.txt or test_list.txt. Raises InputError without any."""
    names = frozenset(line.strip() for line in _read(path).splitlines() if line.strip())
    if not names:
        raise InputError(f"'{path}' is empty")
    return names


def is_synthetic(files: Iterable[Path]) -> bool:
    """Whether any of the files lies, however deep, in a folder that `sample-data` marked."""
    parents = {parent.resolve() for parent in {file.parent for file in files}}
    folders = parents.union(*(parent.parents for parent in parents))
    return any((folder / SYNTHETIC_MARK).exists() for folder in folders)


def image_paths(folder: Path, names: Collection[str]) -> dict[str, Path]:
    """Where the images of those names lie under `folder`, images_001/images and the like; of
    several, the first in sorted order. x.png may be there as x.dcm or another known format. Names
    that are not there are left out."""
    named = NameMatcher(names)
    exact: dict[str, Path] = {}
    other: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        name = named.match(path.name)
        if name is not None:
            (exact if path.name == name else other).setdefault(name, path)
    return other | exact


class NameMatcher:
    """Which image of a table a file is: the one of its name, else of its name but the format."""

    def __init__(self, names: Collection[str]) -> None:
        self._by_stem = {PurePath(name).stem: name for name in names}
        self._names = frozenset(names)

    def match(self, file: str) -> str | None:
        if file in self._names:
            return file
        path = PurePath(file)
        return self._by_stem.get(path.stem) if path.suffix.lower() in EXTENSIONS else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"'{path}' is not text") from None
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from None
