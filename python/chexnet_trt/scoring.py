"""From image files to named scores, by way of an engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from chexnet_trt import feeding
from chexnet_trt._core import CLASS_ACTIVATION_OUTPUT, InputError
from chexnet_trt.image_feed import ImageFeed, TensorSpec, image_size
from chexnet_trt.labels import LABELS, canonical_names
from chexnet_trt.preprocess import Preprocessing, preset
from chexnet_trt.progress import Progress

SCORES = "chexnet_sigmoid_tensor"


class Engine(Protocol):
    @property
    def inputs(self) -> Sequence[TensorSpec]: ...
    @property
    def outputs(self) -> Sequence[TensorSpec]: ...
    @property
    def max_batch(self) -> int: ...
    @property
    def manifest(self) -> Mapping[str, Any]: ...
    def infer(self, batch: NDArray[Any]) -> Mapping[str, NDArray[Any]]: ...


@dataclass(frozen=True)
class Scored:
    """The scores of one image, or why it has none. `maps`: its class activation maps, [classes,
    height, width], where they were asked for.
    """

    path: Path
    scores: NDArray[np.float32] | None = None
    maps: NDArray[np.float32] | None = None
    error: str = ""


class Scorer:
    """Reads, preprocesses and scores image files with an engine of one image input.

    `preprocessing`: a preset's name, or None for the one in the engine's manifest.
    `output`: the scores' tensor, or None for the engine's only one or chexnet_sigmoid_tensor.
    `maps`: give the class activation maps too.
    Raises InputError when the engine and these do not fit together.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        preprocessing: str | None = None,
        output: str | None = None,
        maps: bool = False,
    ) -> None:
        if len(engine.inputs) != 1:
            names = ", ".join(spec.name for spec in engine.inputs)
            raise InputError(f"scoring images needs an engine with one input; this has {names}")
        self._engine = engine
        self.preprocessing = _preprocessing(engine, preprocessing)
        self._feed = ImageFeed(engine.inputs[0], self.preprocessing)
        self.output, self.num_scores = _scores_output(engine, output)
        self._maps = maps
        if maps:
            _check_maps(engine, self.output, self.num_scores)

    def score(self, paths: Iterable[Path], batch: int) -> Iterator[Scored]:
        """Scores `paths` in their order, `batch` images at a time; one that cannot be read, or with
        a score that is no number, gives its error and does not stop the others.
        """
        waiting: list[Path | Scored] = []
        values: list[NDArray[Any]] = []
        for path in paths:
            try:
                values.append(self._feed.values(path))
                waiting.append(path)
            except InputError as error:
                waiting.append(Scored(path, error=str(error)))
            if len(values) == batch:
                yield from self._run(waiting, values)
                waiting, values = [], []
        yield from self._run(waiting, values)

    def score_all(
        self,
        source: feeding.Source,
        batch: int,
        progress: Progress | None = None,
    ) -> NDArray[np.float32]:
        """[images, scores] of every image of `source`, in its order; `batch` at a time, decoded
        ahead by threads. `progress("score", images done, images)`. Raises InputError that names
        every image which cannot be read.
        """
        rows: list[NDArray[np.float32]] = []
        done = 0
        for values in feeding.batches(source, self._feed, batch):
            rows.append(self._scores(self._engine.infer(values)))
            done += len(values)
            if progress:
                progress("score", done, len(source))
        return np.concatenate(rows)

    def _scores(self, outputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """[images, scores]"""
        return np.asarray(outputs[self.output], np.float32).reshape(-1, self.num_scores)

    def _run(
        self, waiting: Sequence[Path | Scored], values: Sequence[NDArray[Any]]
    ) -> Iterator[Scored]:
        outputs = self._engine.infer(np.stack(values)) if values else {}
        scores, maps = iter(()), iter(())
        if values:
            scores = iter(self._scores(outputs))
        if values and self._maps:
            maps = iter(np.asarray(outputs[CLASS_ACTIVATION_OUTPUT], np.float32))
        for item in waiting:
            if isinstance(item, Scored):
                yield item
            else:
                yield _scored(item, next(scores), next(maps, None))


def _scored(path: Path, scores: NDArray[np.float32], maps: NDArray[np.float32] | None) -> Scored:
    if np.isfinite(scores).all():
        return Scored(path, scores, maps)
    return Scored(path, error=f"'{path}': scores that are infinite or no number; build with fp32")


def score_names(manifest: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """The manifest's labels, else the 14 findings for 14 scores; indices where neither fits."""
    labels = manifest.get("labels") or {}
    names = labels.get("names", ()) if isinstance(labels, Mapping) else labels
    if not names and count == len(LABELS):
        return LABELS
    if len(names) == count:
        return canonical_names(str(name) for name in names)
    return tuple(str(index) for index in range(count))


def _preprocessing(engine: Engine, name: str | None) -> Preprocessing:
    if name is not None:
        return preset(name, *image_size(engine.inputs[0]))
    fields = engine.manifest.get("preprocess")
    if not fields:
        raise InputError(
            "the engine does not say how its images are preprocessed; say it with --preprocess"
        )
    return Preprocessing.from_json(fields)


def _scores_output(engine: Engine, name: str | None) -> tuple[str, int]:
    """The output to read, and how many scores it has an image."""
    outputs = {spec.name: spec for spec in engine.outputs if spec.name != CLASS_ACTIVATION_OUTPUT}
    known = ", ".join(outputs)
    if name is None:
        name = SCORES if SCORES in outputs else next(iter(outputs))
        if name != SCORES and len(outputs) > 1:
            raise InputError(f"which output has the scores? Give --output: {known}")
    if name not in outputs:
        raise InputError(f"the engine has no output '{name}'; it has {known}")
    shape = outputs[name].shape
    count = int(np.prod(shape[1:]))
    if len(shape) < 2 or count < 1 or count != max(shape[1:]):
        raise InputError(f"the output '{name}' of shape {list(shape)} is not one score a class")
    return name, count


def _check_maps(engine: Engine, scores: str, count: int) -> None:
    """Whether the engine has a class activation map for each score."""
    shapes = {spec.name: list(spec.shape) for spec in engine.outputs}
    if CLASS_ACTIVATION_OUTPUT not in shapes:
        raise InputError(
            "the engine has no class activation maps; build it again with build --heatmap"
        )
    maps = shapes[CLASS_ACTIVATION_OUTPUT]
    if len(maps) != 4 or maps[1] != count:
        raise InputError(f"class activation maps of shape {maps} are not those of '{scores}'")
