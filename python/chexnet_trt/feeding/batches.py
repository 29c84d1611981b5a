"""Batches of a source's images, decoded ahead by threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt._core import InputError
from chexnet_trt.feeding.sources import Source
from chexnet_trt.image_feed import ImageFeed, is_preprocessed
from chexnet_trt.images import Readable
from chexnet_trt.parallel import map_ahead


def batches(
    source: Source, feed: ImageFeed, batch: int, threads: int | None = None
) -> Iterator[NDArray[Any]]:
    """Arrays of `batch` rows for the input of `feed`, the last one of what is left, in the
    source's order; `threads` (default: one a core) decode up to two batches ahead.

    Raises InputError that names every image which cannot be used: from the first of them on no
    batch comes any more, and the rest is only looked through.
    """
    rows: list[NDArray[Any]] = []
    bad: list[str] = []
    for result in _decoded(source, feed, 2 * batch, threads or len(os.sched_getaffinity(0))):
        if isinstance(result, InputError):
            bad.append(str(result))
        elif not bad:
            rows.append(result)
            if len(rows) == batch:
                yield np.stack(rows)
                rows = []
    if bad:
        raise InputError(_explain(bad, len(source)))
    if rows:
        yield np.stack(rows)


def _decoded(
    source: Source, feed: ImageFeed, ahead: int, threads: int
) -> Iterator[NDArray[Any] | InputError]:
    """Each image's values, or why it has none."""

    def checked() -> Iterator[tuple[str, Readable]]:
        for name, image in source:
            if feed.preprocessing is None and not is_preprocessed(image):
                feed.values(image)  # Raises, once and not for every image.
            yield name, image

    return map_ahead(partial(_values, feed), checked(), threads=threads, ahead=ahead)


def _values(feed: ImageFeed, named: tuple[str, Readable]) -> NDArray[Any] | InputError:
    name, image = named
    try:
        return feed.values(image)
    except InputError as error:
        return InputError(f"{name}: {error}") if isinstance(image, np.ndarray) else error


def _explain(bad: list[str], count: int) -> str:
    if len(bad) == 1:
        return f"one of {count} images cannot be used: {bad[0]}"
    return "\n  ".join((f"{len(bad)} of {count} images cannot be used:", *bad))
