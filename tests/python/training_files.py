"""A tiny network and tiny records for tests of training: easy to learn, and of no patient."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from chexnet_trt.labels import LABELS
from chexnet_trt.models import NETWORKS, Network
from chexnet_trt.records import Dataset, DatasetWriter, Example

SIZE = 32
TINY = "tiny"


def tiny_logits(layers, images, num_classes):
    """Two convolutions under the scope tiny/."""
    x = layers.to_data_format("tiny/transpose", images)
    x = layers.conv2d("tiny/conv2d", x, 8, 5, 4, "SAME")
    x = layers.batch_norm("tiny/batch_normalization", x, 1.001e-5)
    x = layers.relu("tiny/Relu", x)
    x = layers.conv2d("tiny/conv2d_1", x, 16, 3, 2, "SAME")
    x = layers.batch_norm("tiny/batch_normalization_1", x, 1.001e-5)
    x = layers.relu("tiny/Relu_1", x)
    x = layers.spatial_mean("tiny/Mean", x, keep_dims=False)
    return layers.dense("tiny/dense", x, num_classes)


def register_tiny() -> None:
    NETWORKS[TINY] = Network(TINY, tiny_logits, "torch", 0.99, "glorot_uniform")


def example(index: int, size: int = SIZE) -> Example:
    """A gray square; bit k of its index decides finding k and what can be seen of it."""
    rng = np.random.default_rng(index)
    labels = (rng.random(len(LABELS)) < 0.4).astype(np.uint8)
    pixels = rng.normal(90, 4, (size, size))
    pixels += 60 * labels[0]
    pixels[:, ::2] += 60 * labels[1]
    pixels[::4] -= 60 * labels[2]
    content = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(content, "PNG")
    return Example(f"{index:08}_000.png", content.getvalue(), labels, f"{index}", "PA", 0)


def write_records(
    folder: Path, *, train: int = 40, validation: int = 16, size: int = SIZE, shards: int = 4
) -> Dataset:
    """Synthetic records whose first three findings can be learned."""
    examples = [example(index, size) for index in range(train + validation + 8)]
    parts = {
        "train": examples[:train],
        "validation": examples[train : train + validation],
        "test": examples[train + validation :],
    }
    order = {split: [e.name for e in part] for split, part in parts.items()}
    with DatasetWriter(
        folder,
        order,
        image_size=size,
        synthetic=True,
        source={"entries": "none", "entries_sha256": "0" * 64, "split": "random", "seed": 0},
        shards=shards,
    ) as writer:
        for split, part in parts.items():
            for item in part:
                writer.add(split, item)
        return writer.finish()
