"""From what a user names as data to labelled images: records, NIH's folder, a table of labels."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chexnet_trt import nih
from chexnet_trt._core import InputError
from chexnet_trt.engine import logger
from chexnet_trt.evaluation.truth import Truth
from chexnet_trt.feeding.sources import FileSource, RecordSource, Source
from chexnet_trt.image_lists import image_files
from chexnet_trt.labels import LABELS, canonicalise
from chexnet_trt.progress import Progress
from chexnet_trt.records import Dataset, open_dataset
from chexnet_trt.records.description import DESCRIPTION_FILE
from chexnet_trt.records.labelled import labels_of
from chexnet_trt.records.leakage import check_leakage
from chexnet_trt.records.tfrecord import records

_PATIENT_COLUMNS = ("patient", "patient_id", "patient id")
_FINDINGS_COLUMN = "finding labels"


@dataclass(frozen=True)
class LabelledImages:
    """`source`: the images of `truth`, in its order; `names`: their file names."""

    source: Source
    names: tuple[str, ...]
    truth: Truth

    def of_classes(self, classes: Sequence[str]) -> LabelledImages:
        """The same with these classes alone, in this order; the data has to know them."""
        columns = [self.truth.classes.index(name) for name in classes]
        labels = np.ascontiguousarray(self.truth.labels[:, columns])
        return replace(self, truth=replace(self.truth, classes=tuple(classes), labels=labels))


def open_labelled(
    data: str | Path,
    split: str | None = None,
    *,
    images_root: str | Path | None = None,
    progress: Progress | None = None,
) -> LabelledImages:
    """`data`: a folder that `prepare` wrote; NIH's folder, with its tables and images; a .csv table
    with a column of images (as `image_lists` has them) and either NIH's columns or one of 0 and 1 a
    finding and, where images share patients, `patient`. `split`: test (default), validation or
    train; NIH's folder has no validation, a table no split at all.

    Raises InputError for what is none of these, is damaged, or holds no image.
    """
    path = Path(data)
    if is_table(path):
        if split is not None:
            raise InputError(f"'{path}' is a table, which has no splits; leave --split out")
        return _from_table(path, images_root)
    if images_root is not None:
        raise InputError("an images root is for the images of a .csv table")
    name = "test" if split is None else split
    if has_validation(path) or not path.is_dir():
        return _from_records(open_dataset(path), name, progress)
    return _from_nih(path, name)


def has_validation(data: str | Path) -> bool:
    """Whether the data come with a validation split: those of `prepare` do."""
    return (Path(data) / DESCRIPTION_FILE).exists()


def is_table(data: str | Path) -> bool:
    path = Path(data)
    return path.suffix.lower() == ".csv" and not path.is_dir()


def _from_records(dataset: Dataset, split: str, progress: Progress | None) -> LabelledImages:
    dataset.verify([split], progress)
    # Not the examples themselves: all images at once would take gigabytes.
    rows = [(row.name, row.labels, row.patient) for row in dataset.examples(split)]
    names, labels, patients = zip(*rows, strict=True) if rows else ((), (), ())
    return _labelled(
        RecordSource([record for path in dataset.shards(split) for record in records(path)]),
        names,
        labels,
        patients,
        split,
        dataset.synthetic,
        f"{split} of '{dataset.folder}'",
    )


def _from_nih(folder: Path, split: str) -> LabelledImages:
    table = nih.entries_file(folder)
    if split == "validation":
        raise InputError(f"'{folder}' has no validation split; make one with prepare")
    list_file = folder / (nih.TEST_LIST if split == "test" else nih.TRAIN_LIST)
    wanted = nih.read_split(list_file)
    known = nih.read_entries(table)
    _check_lists(folder, known)
    entries = [entry for entry in known if entry.image in wanted]
    if len(entries) < len(wanted):
        unknown = min(wanted.difference(entry.image for entry in entries))
        raise InputError(f"'{list_file}' lists '{unknown}', which is not in '{table.name}'")
    files = nih.image_paths(folder, wanted)
    present = [entry for entry in entries if entry.image in files]
    if len(present) < len(entries):
        missing = len(entries) - len(present)
        logger.warning("%d of the %d images of %s are missing", missing, len(entries), list_file)
    return _labelled(
        FileSource([files[entry.image] for entry in present]),
        [entry.image for entry in present],
        [labels_of(entry.findings) for entry in present],
        [entry.patient for entry in present],
        split,
        nih.is_synthetic([table, *files.values()]),
        f"{split} of '{folder}'",
    )


def _check_lists(folder: Path, entries: Sequence[nih.Entry]) -> None:
    """Raises InputError for leakage between those of NIH's lists that are there."""
    members = {}
    for name in (nih.TRAIN_LIST, nih.TEST_LIST):
        if (folder / name).exists():
            images = nih.read_split(folder / name)
            members[name] = [(row.image, row.patient) for row in entries if row.image in images]
    check_leakage(members)


def _from_table(path: Path, images_root: str | Path | None) -> LabelledImages:
    files = image_files([path], images_root)
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = [cell.strip().lower() for cell in next(csv.reader(file))]
    if _FINDINGS_COLUMN in header:
        entries = nih.read_entries(path)
        classes: Sequence[str] = LABELS
        labels = [labels_of(entry.findings) for entry in entries]
        patients = [entry.patient for entry in entries]
    else:
        classes, labels, patients = _columns(path)
    if len(labels) != len(files):
        raise InputError(f"'{path}' has {len(files)} images, but labels for {len(labels)}")
    return _labelled(
        FileSource(files),
        [file.name for file in files],
        labels,
        patients,
        path.name,
        nih.is_synthetic([path, *files]),
        f"'{path}'",
        classes,
    )


def _columns(path: Path) -> tuple[list[str], list[NDArray[np.uint8]], list[str]]:
    """Classes, and labels and patient of every row, of a table with a column a finding."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        columns = {name: _finding(name) for name in reader.fieldnames or ()}
        findings = {column: finding for column, finding in columns.items() if finding}
        if not findings:
            raise InputError(
                f"'{path}' has no labels: give NIH's columns, or one of 0 and 1 for each finding"
            )
        if len(set(findings.values())) < len(findings):
            raise InputError(f"'{path}' has two columns of one finding")
        patient = next((c for c in columns if c.strip().lower() in _PATIENT_COLUMNS), None)
        if patient is None:
            logger.warning(
                "'%s' has no column 'patient': every image counts as another patient's, and the "
                "intervals are too narrow if some are not", path,
            )  # fmt: skip
        labels, patients = [], []
        for row in _rows(reader):
            try:
                labels.append(np.array([_label(row[column]) for column in findings], np.uint8))
                patients.append(_patient(row, patient, reader.line_num))
            except InputError as error:
                raise InputError(f"'{path}', line {reader.line_num}: {error}") from None
    return list(findings.values()), labels, patients


def _rows(reader: csv.DictReader[str]) -> Iterator[Mapping[str, str | None]]:
    return (row for row in reader if any(value for value in row.values()))


def _finding(column: str) -> str | None:
    try:
        return canonicalise(column)
    except InputError:
        return None


def _label(cell: str | None) -> int:
    text = (cell or "").strip()
    if text not in ("0", "1", "0.0", "1.0"):
        raise InputError(f"the label '{text}' is neither 0 nor 1")
    return int(text[0])


def _patient(row: Mapping[str, str | None], column: str | None, line: int) -> str:
    if column is None:
        return str(line)
    name = (row[column] or "").strip()
    if not name:
        raise InputError("the patient is missing")
    return name


def _labelled(
    source: Source,
    names: Sequence[str],
    labels: Sequence[NDArray[np.uint8]],
    patients: Sequence[str],
    split: str,
    synthetic: bool,
    where: str,
    classes: Sequence[str] = LABELS,
) -> LabelledImages:
    if not names:
        raise InputError(f"{where} holds no image")
    truth = Truth(tuple(classes), np.stack(labels), tuple(patients), split, synthetic)
    return LabelledImages(source, tuple(names), truth)
