"""Sources of images: files, TFRecords, arrays."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt._core import InputError
from chexnet_trt.images import EncodedImage, Readable
from chexnet_trt.records.tfrecord import Record


class Source(ABC):
    """A known number of images, which can be gone through again and again."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __iter__(self) -> Iterator[tuple[str, Readable]]:
        """A name for messages, and an image for ImageFeed.values."""

    def digest(self) -> str:
        """sha256, in hex, of the names without folders and the contents of all images; their
        order does not count, nor whether they lie in a folder, a list or a TFRecord.

        Raises InputError for what cannot be read.
        """
        rows = sorted(f"{content}  {name}" for content, name in self.identities())
        return hashlib.sha256("\n".join(rows).encode(errors="surrogateescape")).hexdigest()

    def identities(self) -> list[tuple[str, str]]:
        """The sha256, in hex, of the content and the name without folders of every image.

        Raises InputError for what cannot be read.
        """
        return [(hashlib.sha256(content).hexdigest(), name) for name, content in self._contents()]

    @abstractmethod
    def _contents(self) -> Iterator[tuple[str, bytes]]:
        """The name that an image has in the digest, and its bytes."""


class FileSource(Source):
    def __init__(self, files: Sequence[Path]) -> None:
        self._files = tuple(files)

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[tuple[str, Path]]:
        return ((str(file), file) for file in self._files)

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        for file in self._files:
            try:
                yield file.name, file.read_bytes()
            except OSError as error:
                raise InputError(f"cannot read the image '{file}': {error.strerror}") from None


class RecordSource(Source):
    """tf.Examples with the keys image/encoded and, for the digest, image/filename."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = tuple(records)

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[tuple[str, EncodedImage]]:
        for record in self._records:
            yield record.name, EncodedImage(record.name, partial(_encoded, record))

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        return (record.image() for record in self._records)


def _encoded(record: Record) -> bytes:
    return record.image()[1]


class ArraySource(Source):
    """Images in memory or in a mapped file: integer pixels, or floats already preprocessed."""

    def __init__(self, name: str, images: Sequence[NDArray[Any]] | NDArray[Any]) -> None:
        self._name = name
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    def __iter__(self) -> Iterator[tuple[str, NDArray[Any]]]:
        return ((f"{self._name}[{index}]", image) for index, image in enumerate(self._images))

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        for image in self._images:
            yield f"{image.dtype.str} {list(image.shape)}", np.ascontiguousarray(image).tobytes()
