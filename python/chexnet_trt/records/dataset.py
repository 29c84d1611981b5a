"""Reading a records folder: its description, its examples, and whether it is whole."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from chexnet_trt._core import InputError
from chexnet_trt.labels import LABELS
from chexnet_trt.progress import Progress
from chexnet_trt.records.description import SPLITS, Description, Shard, Split, read_description
from chexnet_trt.records.labelled import Example, read_example
from chexnet_trt.records.leakage import check_leakage
from chexnet_trt.records.tfrecord import is_tfrecord, records


@dataclass(frozen=True)
class Dataset:
    """`sha256`: of dataset.json, and so of everything that it lists."""

    folder: Path
    description: Description
    sha256: str

    @property
    def labels(self) -> tuple[str, ...]:
        return LABELS

    @property
    def synthetic(self) -> bool:
        return self.description.synthetic

    @property
    def image_size(self) -> int:
        return self.description.image_size

    @property
    def splits(self) -> Mapping[str, Split]:
        return self.description.splits

    def shards(self, split: str) -> list[Path]:
        """Its files. Raises InputError when one is missing and when there is one too many."""
        listed = [shard.file for shard in self._split(split).shards]
        found = {
            path.name
            for path in self.folder.glob(f"{split}-*")
            if path.is_file() and is_tfrecord(path)
        }
        for file in listed:
            if file not in found:
                raise InputError(f"'{self.folder}' lacks the shard '{file}' of its dataset.json")
        for file in sorted(found.difference(listed)):
            raise InputError(f"'{self.folder / file}' is no shard of its folder's dataset.json")
        return [self.folder / file for file in listed]

    def examples(self, split: str) -> Iterator[Example]:
        """In the order of the shards. Raises InputError for a damaged record and for a shard with
        fewer or more of them than dataset.json says.
        """
        for path, shard in zip(self.shards(split), self._split(split).shards, strict=True):
            count = 0
            for count, record in enumerate(records(path), start=1):  # noqa: B007
                yield read_example(record)
            _check_count(path, shard, count)

    def verify(self, splits: Iterable[str] | None = None, progress: Progress | None = None) -> None:
        """Reads all of the splits (default: every one) and compares with dataset.json: shards,
        their records and sha256, images, patients, positives; and no leakage between them.

        Raises InputError that names the shard or the split. `progress`: like ProgressLine, called
        with ("verifying", records done, all records).
        """
        names = list(SPLITS if splits is None else splits)
        total = sum(self._split(name).images for name in names)
        members: dict[str, list[tuple[str, str]]] = {}
        done = 0
        for name in names:
            members[name] = []
            positives: Counter[str] = Counter()
            for path, shard in zip(self.shards(name), self._split(name).shards, strict=True):
                for example in _verified(path, shard):
                    members[name].append((example.name, example.patient))
                    positives.update(example.positives())
                done += shard.records
                if progress:
                    progress("verifying", done, total)
            self._check_tally(name, members[name], positives)
        check_leakage(members)

    def _split(self, name: str) -> Split:
        if name not in self.splits:
            raise InputError(f"there is no split '{name}'; there are {', '.join(SPLITS)}")
        return self.splits[name]

    def _check_tally(
        self, name: str, members: list[tuple[str, str]], positives: Counter[str]
    ) -> None:
        split = self._split(name)
        patients = len({patient for _, patient in members})
        if patients != split.patients:
            raise InputError(
                f"{name} of '{self.folder}' has {patients} patients; its dataset.json says "
                f"{split.patients}"
            )
        for label, count in split.positives.items():
            if positives[label] != count:
                raise InputError(
                    f"{name} of '{self.folder}' has {positives[label]} images with {label}; its "
                    f"dataset.json says {count}"
                )


def open_dataset(folder: str | Path) -> Dataset:
    """A folder that `prepare` wrote. Reads dataset.json alone; see `Dataset.verify`.

    Raises InputError for a folder without it and for one that is malformed.
    """
    description, content = read_description(Path(folder))
    return Dataset(Path(folder), description, hashlib.sha256(content).hexdigest())


def _verified(path: Path, shard: Shard) -> Iterator[Example]:
    found = list(records(path))
    _check_count(path, shard, len(found))
    if _sha256(path) != shard.sha256:
        raise InputError(f"'{path}' has changed since it was written: its sha256 is another")
    yield from map(read_example, found)


def _check_count(path: Path, shard: Shard, count: int) -> None:
    if count != shard.records:
        raise InputError(f"'{path}' has {count} records; its dataset.json says {shard.records}")


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from None
