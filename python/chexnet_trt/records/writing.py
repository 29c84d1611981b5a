"""Writing a records folder: shards whose records come in any order, dataset.json last."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import chexnet_trt
from chexnet_trt._core import InputError, write_file
from chexnet_trt.labels import LABELS
from chexnet_trt.records.dataset import Dataset, open_dataset
from chexnet_trt.records.description import (
    DESCRIPTION_FILE,
    SPLITS,
    Description,
    Shard,
    Split,
)
from chexnet_trt.records.labelled import Example
from chexnet_trt.records.tfrecord import framed, require_packages

_UNFINISHED = ".unfinished"
_RECORDS_A_SHARD = 1000
_FEWEST_SHARDS, _MOST_SHARDS = 4, 64


class DatasetWriter:
    """Takes every image of `order` once, in whatever order, and writes them in that one, so that
    the files do not depend on how the images were read.

    A context manager: leaving it without `finish` removes what was written. `order`: the names of
    each split's images. `shards`: of each split (default: about 1,000 images in each, from 4 to
    64), no more than it has images. Raises InputError for a folder with anything in it.
    """

    def __init__(
        self,
        folder: str | Path,
        order: Mapping[str, Sequence[str]],
        *,
        image_size: int,
        synthetic: bool,
        source: Mapping[str, Any],
        shards: int | None = None,
    ) -> None:
        require_packages("writing TFRecords")
        self._folder = Path(folder)
        self._image_size = image_size
        self._synthetic = synthetic
        self._source = source
        self._splits = {
            split: _SplitWriter(self._folder, split, order[split], shards) for split in SPLITS
        }
        self._created = _claim(self._folder)
        self._finished = False

    def __enter__(self) -> DatasetWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._finished:
            for writer in self._splits.values():
                writer.discard()
            if self._created:
                with suppress(OSError):  # Somebody else put something there.
                    self._folder.rmdir()

    def add(self, split: str, example: Example) -> None:
        """Raises InputError when the disk is full and the like."""
        with _writing(self._folder):
            self._splits[split].add(example, self._image_size)

    def finish(self) -> Dataset:
        """Puts the records into order and writes dataset.json. Raises InputError like `add`."""
        with _writing(self._folder):
            splits = {split: writer.finish() for split, writer in self._splits.items()}
        description = Description(
            tool_version=chexnet_trt.__version__,
            synthetic=self._synthetic,
            image_size=self._image_size,
            source=self._source,
            splits=splits,
        )
        content = json.dumps(description.to_json(), indent=1) + "\n"
        write_file(str(self._folder / DESCRIPTION_FILE), content.encode())
        self._finished = True
        return open_dataset(self._folder)


class _SplitWriter:
    def __init__(self, folder: Path, split: str, order: Sequence[str], shards: int | None) -> None:
        count = min(len(order), shards or _shards(len(order)))
        self._shards: list[_ShardWriter] = []
        self._home: dict[str, _ShardWriter] = {}
        for index in range(count):
            names = order[len(order) * index // count : len(order) * (index + 1) // count]
            shard = _ShardWriter(folder / f"{split}-{index:05}-of-{count:05}.tfrecord", names)
            self._shards.append(shard)
            self._home.update(dict.fromkeys(names, shard))
        self._patients: set[str] = set()
        self._positives: Counter[str] = Counter()

    def add(self, example: Example, image_size: int) -> None:
        self._home[example.name].add(example.name, framed(example.serialise(image_size)))
        self._patients.add(example.patient)
        self._positives.update(example.positives())

    def finish(self) -> Split:
        return Split(
            images=len(self._home),
            patients=len(self._patients),
            positives={label: self._positives[label] for label in LABELS},
            shards=tuple(shard.finish() for shard in self._shards),
        )

    def discard(self) -> None:
        for shard in self._shards:
            shard.discard()


class _ShardWriter:
    """Appends records to a file of another name as they come, and orders them at the end."""

    def __init__(self, path: Path, order: Sequence[str]) -> None:
        self._path = path
        self._unordered = path.with_name(path.name + _UNFINISHED)
        self._order = order
        self._places: dict[str, slice] = {}
        self._size = 0

    def add(self, name: str, record: bytes) -> None:
        with self._unordered.open("ab") as file:
            file.write(record)
        self._places[name] = slice(self._size, self._size + len(record))
        self._size += len(record)

    def finish(self) -> Shard:
        unordered = memoryview(self._unordered.read_bytes())
        content = b"".join(unordered[self._places[name]] for name in self._order)
        write_file(str(self._path), content)
        self._unordered.unlink()
        return Shard(self._path.name, len(self._order), hashlib.sha256(content).hexdigest())

    def discard(self) -> None:
        self._unordered.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)


def _shards(images: int) -> int:
    return min(max(-(-images // _RECORDS_A_SHARD), _FEWEST_SHARDS), _MOST_SHARDS)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write to '{folder}': {error.strerror}") from None


def check_empty(folder: Path) -> None:
    """Raises InputError when there is anything in the folder, or it is none."""
    try:
        empty = not folder.exists() or not any(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot write to '{folder}': {error.strerror}") from None
    if not empty:
        raise InputError(f"'{folder}' is not empty; remove what is in it or give another folder")


def _claim(folder: Path) -> bool:
    """Whether the folder was made here."""
    check_empty(folder)
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return False
    except OSError as error:
        raise InputError(f"cannot make the folder '{folder}': {error.strerror}") from None
    return True
