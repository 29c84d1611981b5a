"""Random images of 8x8 with labels that a network of networks.py predicts; they show nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import chexnet_trt as ct
import record_files
from chexnet_trt.records import Example
from networks import MAX_BATCH, SCORES, SIZE


def pixels(count: int, seed: int = 0) -> np.ndarray:
    """Uint8 [count, 8, 8], of differing brightness."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(40, 215, (count, 1, 1))
    return np.clip(level + rng.normal(0, 60, (count, SIZE, SIZE)), 0, 255).astype(np.uint8)


def scores_of(engine: ct.Engine, images: np.ndarray) -> np.ndarray:
    """Of an engine that was built with the preprocessing `unit`."""
    values = np.repeat(images[:, None].astype(np.float32) / np.float32(255), 3, axis=1)
    parts = [values[at : at + MAX_BATCH] for at in range(0, len(values), MAX_BATCH)]
    return np.concatenate([engine.infer(part)[SCORES] for part in parts])


def labels_like(scores: np.ndarray, share: float = 0.3, noise: float = 0.5) -> np.ndarray:
    """Uint8 [images, classes] that the scores predict well, `share` of each class positive."""
    rng = np.random.default_rng(1)
    spread = scores + rng.normal(0, noise, scores.shape) * scores.std(0)
    return (spread > np.quantile(spread, 1 - share, axis=0)).astype(np.uint8)


def examples(split: str, images: np.ndarray, labels: np.ndarray) -> list[Example]:
    """Two images a patient."""
    return [
        Example(
            f"{split}_{k}.png", record_files.png(image), labels[k], f"{split} {k // 2}", "PA", 0
        )
        for k, image in enumerate(images)
    ]


def write_records(
    folder: Path, engine: ct.Engine, *, validation: int = 100, test: int = 400
) -> Path:
    """A records folder, marked as synthetic, whose labels `engine` predicts."""
    rows = {}
    for seed, (split, count) in enumerate((("validation", validation), ("test", test))):
        images = pixels(count, seed)
        rows[split] = examples(split, images, labels_like(scores_of(engine, images)))
    record_files.write_records(folder, (0, 0, 0), size=SIZE, **rows)
    return folder
