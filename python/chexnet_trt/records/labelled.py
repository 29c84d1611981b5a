"""One labelled image of a records folder, and the tf.train.Example that stores it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chexnet_trt._core import InputError
from chexnet_trt.labels import LABELS
from chexnet_trt.records.example import Value, serialise
from chexnet_trt.records.tfrecord import Record


@dataclass(frozen=True)
class Example:
    """`name`: the file name that the image had; `encoded`: an 8-bit gray PNG; `labels`: uint8
    [14], 0 or 1, in the order of labels.LABELS; `view`: PA or AP."""

    name: str
    encoded: bytes
    labels: NDArray[np.uint8]
    patient: str
    view: str
    follow_up: int

    def positives(self) -> list[str]:
        return [LABELS[index] for index in np.flatnonzero(self.labels)]

    def serialise(self, image_size: int) -> bytes:
        return serialise(
            {
                "follow_up": [self.follow_up],
                "image/class/label": self.labels.tolist(),
                "image/encoded": [self.encoded],
                "image/filename": [self.name.encode()],
                "image/format": [b"png"],
                "image/height": [image_size],
                "image/width": [image_size],
                "patient": [self.patient.encode()],
                "view": [self.view.encode()],
            }
        )


def labels_of(findings: frozenset[str]) -> NDArray[np.uint8]:
    """Canonical names as `Example.labels`."""
    return np.array([label in findings for label in LABELS], np.uint8)


def read_example(record: Record) -> Example:
    """Raises InputError for a damaged record and for one that `Example.serialise` did not write."""
    features = record.features()
    try:
        return _example(features)
    except (KeyError, IndexError, TypeError, ValueError, UnicodeDecodeError):
        known = ", ".join(sorted(features)) or "none"
        raise InputError(
            f"record '{record.name}' is no labelled image of `prepare`; its features: {known}"
        ) from None


def _example(features: Mapping[str, Value]) -> Example:
    labels = np.array(features["image/class/label"], np.int64)
    if labels.shape != (len(LABELS),) or not np.isin(labels, (0, 1)).all():
        raise ValueError
    (follow_up,) = features["follow_up"]
    return Example(
        name=_bytes(features, "image/filename").decode(),
        encoded=_bytes(features, "image/encoded"),
        labels=labels.astype(np.uint8),
        patient=_bytes(features, "patient").decode(),
        view=_bytes(features, "view").decode(),
        follow_up=int(follow_up),
    )


def _bytes(features: Mapping[str, Value], name: str) -> bytes:
    (value,) = features[name]
    if not isinstance(value, bytes):
        raise TypeError
    return value
