"""What is known of the images that are evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MIN_POSITIVES = 20


@dataclass(frozen=True)
class Truth:
    """`labels`: 0 or 1 [images, classes]; `patients`: whose each image is; `split`: which part of
    the data they are; `synthetic`: drawn by a program, not films.
    """

    classes: tuple[str, ...]
    labels: NDArray[np.uint8]
    patients: tuple[str, ...]
    split: str
    synthetic: bool

    def __len__(self) -> int:
        return len(self.labels)

    def counted(self) -> NDArray[np.bool_]:
        """The classes [classes] with enough positives and negatives to say something."""
        positives = self.labels.sum(0, np.int64)
        return np.asarray(np.minimum(positives, len(self) - positives) >= MIN_POSITIVES)

    def origin(self) -> dict[str, Any]:
        """What a result of these images says of them."""
        return {
            "split": self.split,
            "n": len(self),
            "patients": len(set(self.patients)),
            "synthetic": self.synthetic,
        }
