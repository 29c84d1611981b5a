"""Chooses calibration images from NIH-shaped data: training patients, every finding, both views."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chexnet_trt import nih
from chexnet_trt._core import InputError, write_file
from chexnet_trt.labels import LABELS
from chexnet_trt.random_order import rank

DEFAULT_COUNT = 500


@dataclass(frozen=True)
class Choice:
    """`files`: sorted by name, one a patient. The counts are of images. `synthetic`: drawn ones."""

    files: tuple[Path, ...]
    findings: Mapping[str, int]
    views: Mapping[str, int]
    table: str
    seed: int
    synthetic: bool

    def save(self, path: str | Path) -> None:
        """Writes a list that `image_files` reads, paths relative to its folder. Raises InputError
        when that fails."""
        folder = Path(path).resolve().parent
        lines = [f"# {line}" for line in self.describe()]
        lines += [Path(os.path.relpath(file.resolve(), folder)).as_posix() for file in self.files]
        write_file(str(path), ("\n".join(lines) + "\n").encode())

    def describe(self) -> list[str]:
        """Lines for a reader."""
        return [
            f"{len(self.files)} training images of {self.table}, one a patient, seed {self.seed}",
            f"views: {_counts(self.views)}",
            f"findings: {_counts(self.findings)}",
            *(["SYNTHETIC films, drawn by a program"] if self.synthetic else ()),
        ]


def choose(nih_dir: str | Path, count: int = DEFAULT_COUNT, seed: int = 0) -> Choice:
    """Images for a calibration, from a folder with NIH's Data_Entry_2017*.csv, train_val_list.txt
    and, anywhere below, the images.

    Only images of train_val_list.txt, of patients without an image in test_list.txt; one a
    patient; every one of the 14 findings; the views in the shares that they have in those images.
    The same data and seed give the same choice, in whatever order the tables are.
    Raises InputError when the files are absent or broken and when no such choice can be made.
    """
    folder = Path(nih_dir)
    table = nih.entries_file(folder)
    candidates, files = _candidates(folder, nih.read_entries(table))
    chosen = _choose(candidates, count, seed)
    return Choice(
        files=tuple(files[entry.image] for entry in chosen),
        findings=Counter(finding for entry in chosen for finding in sorted(entry.findings)),
        views=Counter(entry.view for entry in chosen),
        table=table.name,
        seed=seed,
        synthetic=nih.is_synthetic([table, *files.values()]),
    )


def _candidates(
    folder: Path, entries: Sequence[nih.Entry]
) -> tuple[list[nih.Entry], dict[str, Path]]:
    """The images of training patients that are there."""
    train = nih.read_split(folder / nih.TRAIN_LIST)
    test_list = folder / nih.TEST_LIST
    test = nih.read_split(test_list) if test_list.exists() else frozenset()
    test_patients = {entry.patient for entry in entries if entry.image in test}
    allowed = [e for e in entries if e.image in train and e.patient not in test_patients]
    files = nih.image_paths(folder, {entry.image for entry in allowed})
    if not files:
        raise InputError(f"none of the images of {nih.TRAIN_LIST} lies under '{folder}'")
    return [entry for entry in allowed if entry.image in files], files


def _choose(candidates: Sequence[nih.Entry], count: int, seed: int) -> list[nih.Entry]:
    patients = {entry.patient for entry in candidates}
    if not len(LABELS) <= count <= len(patients):
        raise InputError(
            f"cannot choose {count} images of different patients: give {len(LABELS)}, one a "
            f"finding, to {len(patients)}, the training patients with images"
        )
    ranked = sorted(candidates, key=lambda entry: _rank(seed, entry))
    selection = _Selection()
    _add_every_finding(selection, ranked)
    quota = _quota(candidates, count)
    selection.fill(ranked, count, lambda entry: selection.views[entry.view] < quota[entry.view])
    selection.fill(ranked, count, lambda _: True)
    return sorted(selection.entries, key=lambda entry: entry.image)


class _Selection:
    def __init__(self) -> None:
        self.entries: list[nih.Entry] = []
        self.views: Counter[str] = Counter()
        self.patients: set[str] = set()

    def add(self, entry: nih.Entry) -> None:
        self.entries.append(entry)
        self.views[entry.view] += 1
        self.patients.add(entry.patient)

    def fill(
        self, ranked: Iterable[nih.Entry], count: int, accept: Callable[[nih.Entry], bool]
    ) -> None:
        for entry in ranked:
            if len(self.entries) == count:
                return
            if entry.patient not in self.patients and accept(entry):
                self.add(entry)


def _add_every_finding(selection: _Selection, ranked: Sequence[nih.Entry]) -> None:
    """The rarest first, so that its few patients are not yet taken for another."""
    patients: dict[str, set[str]] = defaultdict(set)
    for entry in ranked:
        for finding in entry.findings:
            patients[finding].add(entry.patient)
    missing: list[str] = []
    for finding in sorted(LABELS, key=lambda label: (len(patients[label]), label)):
        if any(finding in entry.findings for entry in selection.entries):
            continue
        free = (e for e in ranked if finding in e.findings and e.patient not in selection.patients)
        first = next(free, None)
        if first is None:
            missing.append(finding)
        else:
            selection.add(first)
    if missing:
        raise InputError(
            f"no image of another training patient shows {', '.join(sorted(missing))}; "
            "all 14 findings must be there"
        )


def _quota(candidates: Sequence[nih.Entry], count: int) -> dict[str, int]:
    """How many of each view, at least one, in proportion to the images; the sum may be off by
    rounding."""
    views = Counter(entry.view for entry in candidates)
    return {view: max(1, round(count * views[view] / len(candidates))) for view in views}


def _rank(seed: int, entry: nih.Entry) -> tuple[bytes, bytes]:
    """A random order of patients and of each one's images, that depends on nothing but names."""
    return rank(seed, entry.patient), rank(seed, entry.image)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {counts[name]}" for name in sorted(counts))
