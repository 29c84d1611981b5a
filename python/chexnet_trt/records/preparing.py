"""From NIH-shaped data to a records folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from chexnet_trt import nih
from chexnet_trt._core import InputError
from chexnet_trt.images import Readable
from chexnet_trt.parallel import map_ahead
from chexnet_trt.preprocess import Preprocessing, preset
from chexnet_trt.progress import Progress
from chexnet_trt.records import gray_png
from chexnet_trt.records.dataset import Dataset
from chexnet_trt.records.films import Films, find_films
from chexnet_trt.records.labelled import Example, labels_of
from chexnet_trt.records.splitting import Splits, official_split, random_split
from chexnet_trt.records.writing import DatasetWriter, check_empty

KINDS_OF_SPLIT = ("official", "random")
_ENOUGH_BAD_IMAGES = 20
_AHEAD_A_THREAD = 4


@dataclass(frozen=True)
class Prepared:
    """`table`: the labels' file. `missing`: images of the table that were not there."""

    dataset: Dataset
    table: Path
    missing: int


def prepare(
    nih_dir: str | Path,
    output: str | Path,
    *,
    image_size: int = 256,
    split: str = "official",
    seed: int = 0,
    entries: str | Path | None = None,
    shards: int | None = None,
    jobs: int | None = None,
    allow_missing: bool = False,
    progress: Progress | None = None,
) -> Prepared:
    """Writes the images of a folder with NIH's tables, resized, as a records folder.

    `split`: official, by train_val_list.txt and test_list.txt, with validation taken from the
    first; or random, 70, 10 and 20 % of the patients. `entries`: the table of labels (default: the
    newest Data_Entry_2017*.csv). `shards`: files a split. `jobs`: threads that decode (default:
    one a core). The same data and options give the same bytes, whatever `jobs` is and whether the
    images lie in folders or archives.

    Raises InputError for tables, lists, images and archives that cannot be used, for leakage
    between the splits, for images, or labels of listed ones, that are missing unless
    `allow_missing`, and for an output that is not empty; what was written is removed.
    """
    check_empty(Path(output))
    folder = Path(nih_dir)
    table = Path(entries) if entries else nih.entries_file(folder)
    rows = nih.read_entries(table)
    films = find_films(folder, [row.image for row in rows], progress)
    present, missing = _present(rows, films, allow_missing)
    if split == "random":
        splits = random_split(present, seed)
    else:
        splits = official_split(present, *_official_lists(folder, rows, allow_missing), seed)
    source = {
        "entries": table.name,
        "entries_sha256": hashlib.sha256(table.read_bytes()).hexdigest(),
        "split": split,
        "seed": seed,
        "allow_missing": allow_missing,
        "missing": missing,
    }
    writer = DatasetWriter(
        output,
        {name: [row.image for row in members] for name, members in splits.items()},
        image_size=image_size,
        synthetic=nih.is_synthetic([table, *films.paths()]),
        source=source,
        shards=shards,
    )
    with writer:
        _write(writer, splits, films, preset("raw", image_size, image_size, 1), jobs, progress)
        return Prepared(writer.finish(), table, missing)


def _present(
    rows: list[nih.Entry], films: Films, allow_missing: bool
) -> tuple[list[nih.Entry], int]:
    names = films.names()
    missing = [row.image for row in rows if row.image not in names]
    if missing and (len(missing) == len(rows) or not allow_missing):
        raise InputError(
            f"{len(missing)} of {len(rows)} images are missing, the first '{missing[0]}'; add the "
            "folders or archives that they are in, or take what is there with --allow-missing"
        )
    return [row for row in rows if row.image in names], len(missing)


def _official_lists(
    folder: Path, rows: list[nih.Entry], allow_missing: bool
) -> tuple[frozenset[str], frozenset[str]]:
    """Training and test. Images that `rows` lack would be left out without a word if the table of
    labels is cut short."""
    tabled = {row.image for row in rows}

    def read(name: str) -> frozenset[str]:
        path = folder / name
        if not path.exists():
            raise InputError(f"there is no '{path}'; add it, or use --split random")
        images = nih.read_split(path)
        unknown = images - tabled
        if unknown and not allow_missing:
            raise InputError(
                f"{len(unknown)} images of '{path}' have no labels, the first '{min(unknown)}'; "
                "give the whole table, or take what is there with --allow-missing"
            )
        return images

    return read(nih.TRAIN_LIST), read(nih.TEST_LIST)


def _write(
    writer: DatasetWriter,
    splits: Splits,
    films: Films,
    preprocessing: Preprocessing,
    jobs: int | None,
    progress: Progress | None,
) -> None:
    entries = {row.image: (name, row) for name, rows in splits.items() for row in rows}
    bad: list[str] = []
    results = _encoded(films, preprocessing, jobs or len(os.sched_getaffinity(0)))
    for done, (name, encoded) in enumerate(results, start=1):
        if isinstance(encoded, InputError):
            bad.append(str(encoded))
            if len(bad) == _ENOUGH_BAD_IMAGES:
                break
        elif not bad:
            split, row = entries[name]
            writer.add(split, _example(row, encoded))
        if progress:
            progress("preparing", done, len(entries))
    if bad:
        raise InputError("\n  ".join(("images that cannot be used:", *bad)))


def _example(row: nih.Entry, encoded: bytes) -> Example:
    labels = labels_of(row.findings)
    return Example(row.image, encoded, labels, row.patient, row.view, row.follow_up)


def _encoded(
    films: Iterable[tuple[str, Readable]], preprocessing: Preprocessing, threads: int
) -> Iterator[tuple[str, bytes | InputError]]:
    work = partial(_encode, preprocessing)
    return map_ahead(work, films, threads=threads, ahead=_AHEAD_A_THREAD * threads)


def _encode(
    preprocessing: Preprocessing, named: tuple[str, Readable]
) -> tuple[str, bytes | InputError]:
    name, image = named
    try:
        pixels = preprocessing.pixels(image)[:, :, 0]
    except InputError as error:
        return name, error
    return name, gray_png.encode(np.rint(pixels).astype(np.uint8))
