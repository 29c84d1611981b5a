"""Labelled images with an engine's scores."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt._core import InputError
from chexnet_trt.engine import logger
from chexnet_trt.evaluation.data import LabelledImages
from chexnet_trt.evaluation.truth import Truth
from chexnet_trt.progress import Progress
from chexnet_trt.scoring import Engine, Scorer, score_names

Array = NDArray[Any]

BATCH = 8


@dataclass(frozen=True)
class ScoredImages:
    """`scores` [images, classes], in the engine's order of its classes, which is that of `images`
    here too.
    """

    images: LabelledImages
    scores: NDArray[np.float32]

    @property
    def truth(self) -> Truth:
        return self.images.truth

    def like(self, other: ScoredImages) -> ScoredImages:
        """The same with the classes of `other`, in its order. Raises InputError for a lack."""
        known, wanted = self.truth.classes, other.truth.classes
        missing = [name for name in wanted if name not in known]
        if missing:
            raise InputError(f"the reference has no score for {', '.join(missing)}")
        columns = [known.index(name) for name in wanted]
        return ScoredImages(other.images, self.scores[:, columns])

    def as_reference(self, name: str) -> ScoredImages:
        """Itself. Raises InputError for a score that is no number, which nothing is measured by."""
        count = int((~np.isfinite(self.scores)).sum())
        if count:
            raise InputError(f"{count} scores of {name} are infinite or no number: no reference")
        return self


def score(
    engine: Engine,
    images: LabelledImages,
    *,
    class_names: Sequence[str] | None = None,
    preprocessing: str | None = None,
    output: str | None = None,
    batch: int | None = None,
    progress: Progress | None = None,
) -> ScoredImages:
    """Scores all images. `class_names`: of the scores, else those of the manifest; `preprocessing`
    and `output` as for `Scorer`. Classes without labels, and labels without scores, are left out
    with a warning. Raises InputError, also when no class is left.
    """
    scorer = Scorer(engine, preprocessing=preprocessing, output=output)
    names = class_names or score_names(engine.manifest, scorer.num_scores)
    if len(names) != scorer.num_scores:
        raise InputError(
            f"{len(names)} labels, but the output '{scorer.output}' has {scorer.num_scores} scores"
        )
    if batch is not None and batch > engine.max_batch:
        raise InputError(f"--batch {batch}: the engine takes 1 to {engine.max_batch} images a run")
    columns = _common(names, images.truth.classes)
    scores = scorer.score_all(images.source, batch or min(BATCH, engine.max_batch), progress)
    return ScoredImages(images.of_classes([names[k] for k in columns]), scores[:, columns])


def scores_csv(scored: ScoredImages, reference: ScoredImages | None = None) -> str:
    """A row an image: its name, a score a class, and with the prefixes `label:` and, where there is
    a reference, `reference:` the labels and its scores.
    """
    classes = scored.truth.classes
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    header = ["image", *classes, *(f"label:{name}" for name in classes)]
    if reference is not None:
        header += [f"reference:{name}" for name in classes]
    writer.writerow(header)
    for row, name in enumerate(scored.images.names):
        cells = [name, *_numbers(scored.scores[row]), *scored.truth.labels[row].tolist()]
        if reference is not None:
            cells += _numbers(reference.scores[row])
        writer.writerow(cells)
    return text.getvalue()


def _common(names: Sequence[str], known: Sequence[str]) -> list[int]:
    """The columns of the scores that have labels."""
    columns = [k for k, name in enumerate(names) if name in known]
    if not columns:
        raise InputError(
            f"none of the engine's scores ({', '.join(names)}) is a class of the data; name them "
            "with --labels FILE"
        )
    for what, left in (
        ("scores without labels", [name for name in names if name not in known]),
        ("labels without scores", [name for name in known if name not in names]),
    ):
        if left:
            logger.warning("not evaluated, %s: %s", what, ", ".join(left))
    return columns


def _numbers(scores: NDArray[np.float32]) -> list[str]:
    return [f"{score:.9g}" for score in scores]
