"""Arguments of `infer` that ask for pictures of class activation, and their drawing."""

from __future__ import annotations

import argparse
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from chexnet_trt._core import InputError, write_file
from chexnet_trt.heatmap import CAVEAT, ClassActivation, Film, draw_figure, draw_heatmap
from chexnet_trt.inputs import check_targets, make_folder, positive
from chexnet_trt.labels import canonical_names
from chexnet_trt.scoring import Scored

DEFAULT_TOP = 3


def add_heatmap_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "pictures",
        "Class activation maps of an engine from build --heatmap: what each cell of a film adds\n"
        "to the logit of a class, the sigmoid of which is the score. They show where a score\n"
        "comes from, not where disease is.",
    )
    group.add_argument(
        "--heatmap", metavar="DIR", help="write a picture FILM.CLASS.png a film and class to DIR"
    )
    group.add_argument(
        "--figure", metavar="FILE", help="write a PNG of the one film, its scores and heat maps"
    )
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--heatmap-top",
        type=positive,
        metavar="K",
        help=f"of the K classes with the highest scores (default {DEFAULT_TOP})",
    )
    which.add_argument(
        "--heatmap-class", metavar="NAME", action="append", help="of this class; repeatable"
    )


def wants_pictures(args: argparse.Namespace) -> bool:
    """Raises InputError for a choice of classes without a picture to draw."""
    wanted = bool(args.heatmap or args.figure)
    for name in ("heatmap_top", "heatmap_class"):
        if getattr(args, name) and not wanted:
            flag = f"--{name.replace('_', '-')}"
            raise InputError(f"{flag} needs --heatmap DIR or --figure FILE")
    return wanted


@dataclass(frozen=True)
class Written:
    """The files of one film; its heat maps by class."""

    heatmaps: Mapping[str, str] = field(default_factory=dict)
    figure: str | None = None


class Pictures:
    """Draws the pictures that the arguments ask for.

    `files`: all films, `labels`: the names of their scores, `notes`: on the engine, the first of
    which the pictures show. Raises InputError when the arguments do not fit them or there is no
    place to write to.
    """

    def __init__(
        self,
        args: argparse.Namespace,
        files: Sequence[Path],
        labels: Sequence[str],
        notes: Sequence[str] = (),
    ) -> None:
        self._caveat = notes[0] if notes else CAVEAT
        self._labels = labels
        self._top = args.heatmap_top or DEFAULT_TOP
        self._chosen = _indices(args.heatmap_class, labels) if args.heatmap_class else None
        self._folder = Path(args.heatmap) if args.heatmap else None
        self._figure = Path(args.figure) if args.figure else None
        self._films = {file.resolve() for file in files}
        if self._figure and len(files) != 1:
            raise InputError(f"--figure shows one film; {len(files)} are given")
        check_targets(self._figure)
        if self._folder:
            make_folder(self._folder)
        distinct_files = list(dict.fromkeys(files))
        stems = _file_names(file.stem for file in distinct_files)
        self._stems = dict(zip(distinct_files, stems, strict=True))
        self._suffixes = _file_names(labels)

    def write(self, scored: Scored) -> Written:
        """Draws those of one film; nothing where it has no scores."""
        if scored.scores is None or scored.maps is None:
            return Written()
        film = Film.read(scored.path, scored.path.name)
        try:
            activation = ClassActivation(scored.maps)
        except InputError as error:
            raise InputError(f"'{scored.path}': {error}") from None
        scores = [float(score) for score in scored.scores]
        classes = self._classes(scores)
        heatmaps: dict[str, str] = {}
        for index in classes if self._folder else ():
            picture = draw_heatmap(
                film, activation, index, self._labels[index], scores[index], self._caveat
            )
            heatmaps[self._labels[index]] = self._save(picture, self._target(scored.path, index))
        figure = None
        if self._figure:
            picture = draw_figure(film, activation, self._labels, scores, classes, self._caveat)
            figure = self._save(picture, self._figure)
        return Written(heatmaps, figure)

    def _target(self, film: Path, index: int) -> Path:
        assert self._folder is not None
        return self._folder / f"{self._stems[film]}.{self._suffixes[index]}.png"

    def _classes(self, scores: Sequence[float]) -> list[int]:
        if self._chosen is not None:
            return self._chosen
        return [int(index) for index in np.argsort(-np.asarray(scores), kind="stable")[: self._top]]

    def _save(self, picture: Image.Image, path: Path) -> str:
        if path.resolve() in self._films:
            raise InputError(f"'{path}' is one of the films; write the pictures elsewhere")
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        write_file(str(path), stream.getvalue())
        return str(path)


def _indices(names: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Positions of classes, each once, in the order in which they are given."""
    known = {label.casefold(): index for index, label in enumerate(labels)}
    indices = []
    for name in names:
        (canonical,) = canonical_names([name])
        if canonical.casefold() not in known:
            raise InputError(
                f"--heatmap-class {name}: no such class; the engine has {', '.join(labels)}"
            )
        indices.append(known[canonical.casefold()])
    return list(dict.fromkeys(indices))


def _file_names(names: Iterable[str]) -> list[str]:
    """Parts of file names, one a name and no two alike, letter case aside."""
    taken: set[str] = set()
    result = []
    for name in names:
        safe = re.sub(r"[^\w.\- ]", "_", name)
        distinct, count = safe, 1
        while distinct.casefold() in taken:
            count += 1
            distinct = f"{safe}-{count}"
        taken.add(distinct.casefold())
        result.append(distinct)
    return result
