"""Small records folders; their images are random and show no patient."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from chexnet_trt.labels import LABELS
from chexnet_trt.records import SPLITS, Dataset, DatasetWriter, Example

SOURCE = {"entries": "made.csv", "entries_sha256": "0" * 64, "split": "random", "seed": 0}


def examples(split: str, patients: int, images: int = 2, size: int = 16) -> list[Example]:
    """Of each patient `images`; the finding of number n is bright in row n of the image, and one
    in three images has it."""
    rng = np.random.default_rng(SPLITS.index(split))
    result = []
    for patient in range(patients):
        for follow_up in range(images):
            labels = (rng.random(len(LABELS)) < 1 / 3).astype(np.uint8)
            pixels = rng.integers(0, 100, (size, size), np.uint8)
            pixels[: len(LABELS)][labels == 1] += 120
            number = 1000 * SPLITS.index(split) + patient
            name = f"{number:08}_{follow_up:03}.png"
            view = ("PA", "AP")[follow_up % 2]
            encoded = png(pixels)
            result.append(Example(name, encoded, labels, str(number), view, follow_up))
    return result


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def write_records(
    folder: Path,
    patients: tuple[int, int, int] = (6, 3, 3),
    *,
    size: int = 16,
    shards: int = 2,
    **rows: list[Example],
) -> Dataset:
    """`patients`: of train, validation and test; `rows` replaces the examples of a split. `size`:
    of the images, 14 or more."""
    splits = {
        split: rows.get(split, examples(split, count, size=size))
        for split, count in zip(SPLITS, patients, strict=True)
    }
    order = {split: [example.name for example in found] for split, found in splits.items()}
    with DatasetWriter(
        folder, order, image_size=size, synthetic=True, source=SOURCE, shards=shards
    ) as writer:
        for split, found in splits.items():
            for example in found:
                writer.add(split, example)
        return writer.finish()
