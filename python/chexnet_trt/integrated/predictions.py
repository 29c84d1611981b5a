"""The highest scores by name, as the whitepaper's script printed them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt._core import InputError
from chexnet_trt.labels import LABELS, read_labels

LABELS_FILE = "labellist_chest_x_ray.json"


class ScoreNames:
    """Names of a row of scores. one_indexed: the names begin with a background class that the
    scores lack.
    """

    def __init__(self, names: Sequence[str], one_indexed: bool = False) -> None:
        self.names = tuple(names)
        self._first = int(one_indexed)

    def of(self, count: int) -> tuple[str, ...]:
        """For `count` scores. Raises InputError when there are not as many names."""
        if len(self.names) - self._first != count:
            background = " and a background (--ids_are_one_indexed)" if self._first else ""
            raise InputError(
                f"{len(self.names)} labels do not name {count} scores{background}: give their "
                "--labels_file"
            )
        return self.names[self._first :]


def score_names(
    labels_file: str | None, known: Sequence[str] | None, one_indexed: bool
) -> ScoreNames:
    """Those of the file, of LABELS_FILE in the current folder, those `known` of the model, or the
    14 findings. Raises InputError for a file that is none.
    """
    path = labels_file or (LABELS_FILE if Path(LABELS_FILE).is_file() else None)
    names = read_labels(path, distinct=False) if path else known or LABELS
    return ScoreNames(names, one_indexed)


def top_predictions(scores: NDArray[Any], names: Sequence[str], count: int) -> list[str]:
    """Of one image, highest first; of equal scores the last comes first, as in the script."""
    return [names[index] for index in np.argsort(scores, kind="stable")[::-1][:count]]
