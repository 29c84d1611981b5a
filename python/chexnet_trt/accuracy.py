"""How far an engine's scores are from another's on the same images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt._core import InputError
from chexnet_trt.engine import Engine

Array = NDArray[Any]

# 32 images of 14 scores leave 4 scores beyond the 99th percentile. The largest of a million normal
# differences is twice their 99th percentile, that of int8 networks was seen to be up to 2.6 times:
# what is further than this many targets is no rounding.
FURTHEST = 3


@dataclass(frozen=True)
class Agreement:
    """Absolute differences over all images and scores (inf where a score is no number), and the
    power of the reference scores over that of the differences, in dB (inf: no difference).
    """

    images: int
    mean: float
    p99: float
    largest: float
    sqnr_db: float

    def miss(self, target: float) -> str:
        """In words, what is wrong; empty when 99 % of the scores are within `target` and none is
        beyond FURTHEST times it.
        """
        if not self.p99 <= target:
            return (
                f"99th percentile of the score difference {self.p99:.2g}, above the accuracy "
                f"target {target:g}"
            )
        if not self.largest <= FURTHEST * target:
            return (
                f"largest score difference {self.largest:.2g}, above {FURTHEST} times the accuracy "
                f"target {target:g}"
            )
        return ""

    def to_json(self) -> dict[str, Any]:
        """JSON has no infinity: None stands for it."""
        fields = asdict(self).items()
        return {name: value if math.isfinite(value) else None for name, value in fields}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Agreement:
        values: dict[str, Any] = {
            name: math.inf if value is None else value for name, value in fields.items()
        }
        if fields["sqnr_db"] is None and fields["largest"] != 0:
            values["sqnr_db"] = -math.inf
        return cls(**values)

    def __str__(self) -> str:
        return (
            f"score difference mean {self.mean:.2g}, 99th percentile {self.p99:.2g}, largest "
            f"{self.largest:.2g}; SQNR {self.sqnr_db:.1f} dB ({self.images} images)"
        )


def scores_of(engine: Engine, batches: Sequence[Array]) -> Array:
    """All floating-point outputs for all images: float64 [images, numbers an image]."""
    rows = []
    for batch in batches:
        outputs = engine.infer(batch)
        floating = [values for values in outputs.values() if values.dtype.kind == "f"]
        if not floating:
            raise InputError("the network has no floating-point output to compare")
        rows.append(np.concatenate([v.reshape(len(batch), -1) for v in floating], axis=1))
    return np.concatenate(rows).astype(np.float64)


def compare(reference: Array, actual: Array) -> Agreement:
    """Of two results of `scores_of`. Values that are no numbers count as infinitely far."""
    with np.errstate(invalid="ignore"):
        difference = np.abs(actual - reference)
    difference = np.where(np.isfinite(difference), difference, np.inf)
    noise = float(np.mean(difference**2))
    signal = float(np.mean(reference**2))
    return Agreement(
        images=len(reference),
        mean=float(np.mean(difference)),
        p99=float(np.quantile(difference, 0.99, method="higher")),
        largest=float(np.max(difference)),
        sqnr_db=_decibel(signal, noise),
    )


def _decibel(signal: float, noise: float) -> float:
    if noise == 0:
        return math.inf
    if not 0 < signal < math.inf or math.isinf(noise):
        return -math.inf
    return 10 * math.log10(signal / noise)
