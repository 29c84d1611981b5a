"""infer: named scores of images by an engine."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from chexnet_trt._core import InputError, printable, write_file
from chexnet_trt.heatmap_arguments import (
    Pictures,
    Written,
    add_heatmap_arguments,
    wants_pictures,
)
from chexnet_trt.image_lists import image_files
from chexnet_trt.inputs import check_targets, non_negative
from chexnet_trt.labels import read_labels
from chexnet_trt.marks import sentences
from chexnet_trt.preprocess import PRESETS
from chexnet_trt.scoring import Engine, Scored, Scorer, score_names

HELP = "score images with an engine"
EXAMPLE = (
    "  python -m chexnet_trt infer chexnet.engine xray.png --top 3\n"
    "  python -m chexnet_trt infer chexnet.engine films/ --heatmap heatmaps/ --csv scores.csv"
)
BAR = 30
DEFAULT_BATCH = 8

_Result: TypeAlias = tuple[Scored, Written]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Scores of every image as a table. An image that cannot be read is reported on the error "
        "stream, the others are scored, and the exit code is 1."
    )
    parser.add_argument("engine", help="engine file")
    parser.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help="image (PNG, JPEG, DICOM ...), folder, .txt with a path a line, or .csv table",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON instead of the table")
    form.add_argument("--csv", metavar="FILE", help="write CSV instead of the table; - prints it")
    parser.add_argument(
        "--batch",
        type=int,
        metavar="N",
        help=f"images a run (default: {DEFAULT_BATCH}, or the engine's maximum if that is less)",
    )
    parser.add_argument("--top", type=int, metavar="K", help="only the K highest, highest first")
    parser.add_argument("--labels", metavar="FILE", help="names of the scores: JSON or text")
    parser.add_argument(
        "--preprocess",
        choices=PRESETS,
        help="from pixels to values (default: what the engine's manifest says)",
    )
    parser.add_argument("--output", metavar="NAME", help="output tensor with the scores")
    parser.add_argument(
        "--device", type=non_negative, default=0, metavar="N", help="which GPU, from 0 (default)"
    )
    parser.add_argument(
        "--require-exact-device",
        action="store_true",
        help="refuse an engine of another device; default: compile it again, with a warning",
    )
    add_heatmap_arguments(parser)


def run(args: argparse.Namespace) -> int:
    import chexnet_trt
    from chexnet_trt.engine import TIMING_ONLY

    engine = chexnet_trt.load(
        args.engine, device=args.device, require_exact_device=args.require_exact_device
    )
    if engine.timing_only:
        raise InputError(f"'{args.engine}' is for {TIMING_ONLY}; build it with a calibration")
    return run_engine(engine, args)


def run_engine(engine: Engine, args: argparse.Namespace) -> int:
    """`run` with an engine that is already there. 0, or 1 when an image could not be scored."""
    _check(args, engine.max_batch)
    files = image_files(args.images)
    drawing = wants_pictures(args)
    scorer = Scorer(engine, preprocessing=args.preprocess, output=args.output, maps=drawing)
    names = _names(args.labels, engine, scorer)
    pictures = Pictures(args, files, names, _notes(engine)) if drawing else None
    batch = args.batch or min(DEFAULT_BATCH, engine.max_batch)
    results = _with_pictures(scorer.score(files, batch), pictures)
    if args.csv or args.json:
        return _write_report(args, scorer, names, _notes(engine), list(results))
    failed = False
    for note in _notes(engine):
        sys.stdout.write(f"{note}\n\n")
    for scored, written in results:
        if scored.scores is None:
            _report_error(scored)
            failed = True
        else:
            sys.stdout.write(_table(scored, names, args.top, written))
    return int(failed)


def _with_pictures(results: Iterable[Scored], pictures: Pictures | None) -> Iterator[_Result]:
    for scored in results:
        yield scored, pictures.write(scored) if pictures else Written()


def _check(args: argparse.Namespace, max_batch: int) -> None:
    if args.top is not None and args.top < 1:
        raise InputError(f"--top {args.top}: give 1 or more")
    if args.top is not None and args.csv:
        raise InputError("--top does not go with --csv, which has a column for every score")
    if args.batch is not None and not 1 <= args.batch <= max_batch:
        raise InputError(f"--batch {args.batch}: this engine takes 1 to {max_batch} images a run")
    check_targets(None if args.csv == "-" else args.csv)


def _notes(engine: Engine) -> list[str]:
    """What whoever reads its scores has to know."""
    return sentences(engine.manifest.get("marks", ()))


def _names(path: str | None, engine: Engine, scorer: Scorer) -> tuple[str, ...]:
    if path is None:
        return score_names(engine.manifest, scorer.num_scores)
    names = read_labels(path)
    if len(names) != scorer.num_scores:
        raise InputError(
            f"label file '{path}' has {len(names)} labels, but the output '{scorer.output}' has "
            f"{scorer.num_scores} scores"
        )
    return names


def _write_report(
    args: argparse.Namespace,
    scorer: Scorer,
    names: Sequence[str],
    notes: Sequence[str],
    results: Sequence[_Result],
) -> int:
    all_scored = [scored for scored, _ in results]
    for scored in all_scored:
        _report_error(scored)
    if args.json:
        content = {
            "engine": args.engine,
            "output": scorer.output,
            "preprocess": scorer.preprocessing.to_json(),
            "notes": list(notes),
            "images": [_entry(scored, names, args.top, files) for scored, files in results],
        }
        sys.stdout.write(json.dumps(content, indent=2) + "\n")
    else:
        for note in notes:  # A table of numbers has no place for it.
            sys.stderr.write(f"{note}\n")
        _write_csv(args.csv, _csv(all_scored, names))
    return int(any(scored.scores is None for scored in all_scored))


def _write_csv(path: str, text: str) -> None:
    if path == "-":
        sys.stdout.write(text)
    else:
        write_file(path, text.encode())


def _report_error(result: Scored) -> None:
    if result.scores is None:
        sys.stderr.write(f"skipped: {printable(result.error)}\n")


def _ranked(result: Scored, names: Sequence[str], top: int | None) -> list[tuple[str, float]]:
    """Names and scores in the engine's order, or the highest `top` of them."""
    values = [] if result.scores is None else [float(score) for score in result.scores]
    pairs = list(zip(names, values, strict=bool(values)))
    if top is None:
        return pairs
    return sorted(pairs, key=lambda pair: -pair[1])[:top]


def _table(result: Scored, names: Sequence[str], top: int | None, written: Written) -> str:
    width = max(map(len, names))
    lines = [f"{result.path}"]
    for name, score in _ranked(result, names, top):
        bar = "#" * round(BAR * min(max(score, 0.0), 1.0))
        lines.append(f"  {name:<{width}}  {score:7.4f}  {bar}".rstrip())
    lines += [f"  heat map of {name}: {file}" for name, file in written.heatmaps.items()]
    if written.figure:
        lines.append(f"  figure: {written.figure}")
    return "\n".join(lines) + "\n\n"


def _entry(
    result: Scored, names: Sequence[str], top: int | None, written: Written
) -> dict[str, object]:
    if result.scores is None:
        return {"image": str(result.path), "error": result.error}
    entry: dict[str, object] = {
        "image": str(result.path),
        "scores": dict(_ranked(result, names, top)),
    }
    if written.heatmaps:
        entry["heatmaps"] = dict(written.heatmaps)
    if written.figure:
        entry["figure"] = written.figure
    return entry


def _csv(results: Iterable[Scored], names: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", *names])
    for result in results:
        if result.scores is not None:
            writer.writerow([result.path, *(f"{score:.9g}" for score in result.scores)])
    return text.getvalue()
