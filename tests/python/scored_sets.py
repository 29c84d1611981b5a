"""Drawn labels and scores of patients, without any image or engine."""

from __future__ import annotations

import numpy as np

from chexnet_trt.evaluation.truth import Truth
from chexnet_trt.labels import LABELS


def draw(
    images: int = 2000, *, share: float = 0.2, classes: int = 14, seed: int = 0
) -> tuple[Truth, np.ndarray]:
    """Two images a patient, `share` of them positive for each class; scores of an AUROC about 0.85,
    float32 [images, classes]."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((images, classes), np.uint8)
    for column in labels.T:
        column[rng.choice(images, round(share * images), replace=False)] = 1
    logits = rng.normal(-1, 1, labels.shape) + 1.5 * labels
    patients = tuple(str(k // 2) for k in range(images))
    return Truth(LABELS[:classes], labels, patients, "test", False), sigmoid(logits)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def noisy(scores: np.ndarray, deviation: float, seed: int = 1) -> np.ndarray:
    """With normal noise on the logits, as quantisation makes it."""
    logits = np.log(scores / (1 - scores))
    return sigmoid(logits + np.random.default_rng(seed).normal(0, deviation, scores.shape))
