"""evaluate: an engine's AUROC with intervals, and the gate against another engine."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from typing import Any

from chexnet_trt._core import InputError, write_file
from chexnet_trt.engine import TIMING_ONLY, Engine, load
from chexnet_trt.evaluation import tables
from chexnet_trt.evaluation.assessment import Assessment, Assessor
from chexnet_trt.evaluation.data import LabelledImages, has_validation, is_table, open_labelled
from chexnet_trt.evaluation.scored import BATCH, ScoredImages, score, scores_csv
from chexnet_trt.evaluation.thresholds import Rule, Thresholds, choose
from chexnet_trt.gate_arguments import (
    add_bootstrap_arguments,
    add_gate_arguments,
    given,
    limits_of,
    rule,
)
from chexnet_trt.inputs import check_targets, positive
from chexnet_trt.labels import read_labels
from chexnet_trt.marks import sentences
from chexnet_trt.preprocess import PRESETS
from chexnet_trt.progress import ProgressLine
from chexnet_trt.records import SPLITS

HELP = "AUROC of an engine on labelled images, and the gate against a reference engine"
EXAMPLE = (
    "  python -m chexnet_trt evaluate chexnet.engine --data records/ --choose-thresholds youden\n"
    "  python -m chexnet_trt evaluate int8.engine --data records/ --reference fp32.engine"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Exact AUROC and average precision of every finding and their means, with 95 % intervals "
        "from a bootstrap of patients. With --reference also what is lost against it, and whether "
        "that is within the gate's limits: if not, the exit code is 1."
    )
    parser.add_argument("engine", help="engine file")
    parser.add_argument(
        "--data",
        required=True,
        metavar="PATH",
        help="folder of prepare, NIH's folder with its tables, or a .csv of images and labels",
    )
    parser.add_argument("--split", choices=SPLITS, help="of a folder (default test)")
    parser.add_argument("--images-root", metavar="DIR", help="where the images of a .csv lie")
    parser.add_argument("--reference", metavar="ENGINE", help="compare with this engine, say fp32")
    parser.add_argument(
        "--choose-thresholds",
        type=rule,
        metavar="RULE",
        help="choose operating thresholds on the validation images and store them in the engine: "
        "youden, sensitivity=S or specificity=S",
    )
    parser.add_argument("--csv", metavar="FILE", help="write labels and scores of every image")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument(
        "--approximate",
        action="store_true",
        help="show tf.metrics.auc's approximation beside the exact AUROC",
    )
    add_bootstrap_arguments(parser)
    add_gate_arguments(parser.add_argument_group("the gate's limits, with --reference"))
    scoring = parser.add_argument_group("scoring")
    scoring.add_argument(
        "--batch",
        type=positive,
        metavar="N",
        help=f"images a run (default {BATCH}, or the engine's maximum if that is less)",
    )
    scoring.add_argument("--labels", metavar="FILE", help="names of the scores: JSON or text")
    scoring.add_argument(
        "--preprocess", choices=PRESETS, help="default: what the engine's manifest says"
    )
    scoring.add_argument("--output", metavar="NAME", help="output tensor with the scores")


def run(args: argparse.Namespace) -> int:
    check_targets(args.csv)
    if given(args) and not args.reference:
        raise InputError(f"{given(args)[0]} is for the gate: give --reference ENGINE")
    # Rewritten with thresholds, an engine of another device would become one of this.
    engine = _load(args.engine, exact=args.choose_thresholds is not None)
    reference = _load(args.reference) if args.reference else None
    progress = ProgressLine()
    try:
        result = _evaluate(args, engine, reference, progress)
    finally:
        progress.close()
    if args.csv:
        write_file(args.csv, scores_csv(result.scored, result.reference).encode())
    passed = result.assessment.passed
    if passed and args.choose_thresholds and result.thresholds:
        engine.manifest = engine.manifest | {"thresholds": result.thresholds.to_json()}
        engine.save(args.engine)
    if args.json:
        print(json.dumps(_facts(args, engine, result), indent=1))
    else:
        _print(args, engine, result)
    return int(not passed)


@dataclass(frozen=True)
class _Result:
    scored: ScoredImages
    assessment: Assessment
    thresholds: Thresholds | None
    reference: ScoredImages | None
    reference_assessment: Assessment | None


def _load(path: str, *, exact: bool = False) -> Engine:
    engine = load(path, require_exact_device=exact)
    if engine.timing_only:
        raise InputError(f"'{path}' is for {TIMING_ONLY}; build it with a calibration")
    return engine


def _evaluate(
    args: argparse.Namespace, engine: Engine, reference: Engine | None, progress: ProgressLine
) -> _Result:
    images = open_labelled(args.data, args.split, images_root=args.images_root, progress=progress)
    chooser = _chooser(args, engine, reference)
    validation = _validation(args, images, progress) if chooser else images
    scored = _score(args, engine, images, progress)
    other = None
    if reference:
        other = _score(args, reference, images, progress).like(scored).as_reference(args.reference)
    if chooser:
        known = other if other and chooser is reference else scored
        thresholds: Thresholds | None = _chosen(args, chooser, validation, known, progress)
    else:
        thresholds = _stored(engine) or _stored(reference)
    assessor = Assessor(args.resamples, args.seed, args.strict)
    if other is None:
        return _Result(scored, assessor.assess(scored, thresholds), thresholds, None, None)
    limits = limits_of(args, engine.precision)
    return _Result(
        scored,
        assessor.assess(scored, thresholds, other, limits),
        thresholds,
        other,
        assessor.assess(other, thresholds),
    )


def _score(
    args: argparse.Namespace, engine: Engine, images: LabelledImages, progress: ProgressLine
) -> ScoredImages:
    return score(
        engine,
        images,
        class_names=read_labels(args.labels) if args.labels else None,
        preprocessing=args.preprocess,
        output=args.output,
        batch=args.batch,
        progress=progress,
    )


def _chooser(args: argparse.Namespace, engine: Engine, reference: Engine | None) -> Engine | None:
    """Whose scores thresholds are to be chosen by: the engine's if that is asked for, the
    reference's where a gate lacks stored ones.
    """
    if args.choose_thresholds is not None:
        return engine
    return None if _stored(engine) or _stored(reference) else reference


def _validation(
    args: argparse.Namespace, images: LabelledImages, progress: ProgressLine
) -> LabelledImages:
    """The images to choose thresholds on: those that are evaluated of a table, which has no splits,
    and of NIH's folder where it is only for a gate.
    """
    asked = args.choose_thresholds is not None
    if args.split == "validation" or is_table(args.data):
        return images
    if not asked and not has_validation(args.data):
        return images
    return open_labelled(args.data, "validation", progress=progress)


def _chosen(
    args: argparse.Namespace,
    engine: Engine,
    validation: LabelledImages,
    scored: ScoredImages,
    progress: ProgressLine,
) -> Thresholds:
    """By the engine's scores of `validation`, which are `scored` where those are its images."""
    if validation.source is not scored.images.source:
        scored = _score(args, engine, validation, progress)
    return choose(scored.truth, scored.scores, args.choose_thresholds or Rule())


def _stored(engine: Engine | None) -> Thresholds | None:
    fields = engine and engine.manifest.get("thresholds")
    return Thresholds.from_json(fields) if fields else None


def _facts(args: argparse.Namespace, engine: Engine, result: _Result) -> dict[str, Any]:
    other = result.reference_assessment
    return {
        "engine": args.engine,
        "marks": engine.manifest.get("marks", []),
        "data": args.data,
        **result.assessment.to_json(),
        "thresholds": result.thresholds and result.thresholds.to_json(),
        "reference": other and {"engine": args.reference, **other.to_json()},
    }


def _print(args: argparse.Namespace, engine: Engine, result: _Result) -> None:
    assessment = result.assessment
    print(f"{args.engine} ({engine.precision}) on {args.data}")
    lines = sentences(engine.manifest.get("marks", ()))
    lines += tables.evaluation_lines(assessment.evaluation, approximate=args.approximate)
    if result.thresholds is not None:
        lines.append(f"thresholds: {result.thresholds.provenance()}")
    if assessment.verdict is not None:
        lines += ["", f"against {args.reference}"]
    lines += tables.assessment_lines(assessment)
    print("\n".join(lines))
    if args.csv:
        print(f"wrote {args.csv}")
    if args.choose_thresholds:
        done = "stored the thresholds" if assessment.passed else "the gate failed: no thresholds"
        print(f"{done} in {args.engine}")
