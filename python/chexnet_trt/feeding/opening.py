"""From what a user names as data to a source of images."""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chexnet_trt._core import InputError
from chexnet_trt.feeding.sources import ArraySource, FileSource, RecordSource, Source
from chexnet_trt.image_lists import EXTENSIONS, image_files
from chexnet_trt.records.dataset import open_dataset
from chexnet_trt.records.description import DESCRIPTION_FILE
from chexnet_trt.records.tfrecord import is_tfrecord, records

Array: TypeAlias = NDArray[Any]
Data: TypeAlias = "str | os.PathLike[str] | Array | Iterable[str | os.PathLike[str] | Array]"


def open_source(
    data: Data, *, images_root: str | Path | None = None, limit: int | None = None
) -> Source:
    """A source of at least one image.

    `data`: a path (an image, a folder, a .txt list, a .csv table, a TFRecord, a folder or glob of
    TFRecords, a folder of `prepare` for its training images, .npy, .npz), several paths, or arrays
    from Python. An array of integers is
    images of pixels, [N, H, W] or [N, H, W, 1 or 3]; one of floats is N preprocessed images in an
    input's layout. An iterable gives one image an item, or batches of the same with four axes; an
    iterator is read into memory. `images_root`: where the images of lists are searched for.
    `limit`: takes the first so many; the digest is of those alone.

    Raises InputError for what is none of these, does not exist or holds no image.
    """
    source = _open(data, images_root, limit)
    if not len(source):
        raise InputError("the data holds no image")
    return source


def _open(data: Data, images_root: str | Path | None, limit: int | None) -> Source:
    if isinstance(data, np.ndarray):
        return _arrays("the array", data, limit)
    if isinstance(data, str | os.PathLike):
        return _from_paths([Path(data)], images_root, limit)
    images = itertools.chain.from_iterable(map(_rows, data))
    items = list(itertools.islice(images, limit))
    if all(isinstance(item, np.ndarray) for item in items):
        return ArraySource("item", items)
    if all(isinstance(item, str | os.PathLike) for item in items):
        return _from_paths(list(map(Path, items)), images_root, limit)
    raise InputError("data from Python is arrays, or paths of images")


def _rows(item: Any) -> Iterable[Any]:  # noqa: ANN401 - whatever was given, checked afterwards
    return item if isinstance(item, np.ndarray) and item.ndim == 4 else (item,)


def _from_paths(paths: list[Path], images_root: str | Path | None, limit: int | None) -> Source:
    if len(paths) == 1 and paths[0].suffix.lower() in (".npy", ".npz"):
        return _arrays(str(paths[0]), _load(paths[0]), limit)
    files = list(itertools.chain.from_iterable(map(_expanded, paths)))
    tfrecords = [file for file in files if is_tfrecord(file)]
    if not tfrecords:
        return FileSource(image_files(files, images_root)[:limit])
    if len(tfrecords) < len(files):
        raise InputError(f"'{paths[0]}' holds TFRecords and images; give one of them")
    found = itertools.chain.from_iterable(map(records, tfrecords))
    return RecordSource(list(itertools.islice(found, limit)))


def _expanded(path: Path) -> Sequence[Path]:
    """A glob's files; the training shards of what `prepare` wrote; another folder's files if there
    are TFRecords among them; else the path itself."""
    if glob.has_magic(str(path)) and not path.exists():
        # Path.glob refuses some patterns.
        names = glob.glob(str(path), recursive=True)  # noqa: PTH207
        if not names:
            raise InputError(f"no file matches '{path}'")
        return list(map(Path, sorted(names)))
    if (path / DESCRIPTION_FILE).exists():
        return open_dataset(path).shards("train")
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        if any(map(is_tfrecord, files)):
            return [f for f in files if is_tfrecord(f) or f.suffix.lower() in EXTENSIONS]
    return [path]


def _load(path: Path) -> Array:
    try:
        if path.suffix.lower() == ".npy":
            return np.lib.format.open_memmap(path, mode="r")
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return content
            if len(content.files) != 1:
                names = ", ".join(content.files) or "none"
                raise InputError(f"'{path}' must hold one array; it holds {names}")
            return np.asarray(content[content.files[0]])
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror or error}") from None
    except (InputError, MemoryError):
        raise
    except Exception as error:  # NumPy and zipfile raise nearly anything on damaged files.
        reason = " ".join(str(error).split())
        raise InputError(f"'{path}' is not a NumPy file of numbers: {reason}") from None


def _arrays(name: str, images: Array, limit: int | None) -> Source:
    shape = list(images.shape)
    if images.dtype not in (np.uint8, np.uint16) and images.dtype.kind != "f":
        raise InputError(f"{name} holds {images.dtype}; pixels are uint8 or uint16, values floats")
    one_image = images.ndim == 2 or (images.ndim == 3 and shape[-1] in (1, 3))
    if images.ndim < 2 or (images.dtype.kind != "f" and one_image):
        raise InputError(f"{name} of shape {shape} is not several images; the first axis is theirs")
    return ArraySource(name, images[:limit])
