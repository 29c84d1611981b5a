from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from chexnet_trt import backends, gate_arguments, labels
from chexnet_trt._core import InputError, write_file
from chexnet_trt.build_arguments import (
    add_network_arguments,
    add_precision_arguments,
    build,
    report_lines,
)
from chexnet_trt.engine import Engine
from chexnet_trt.evaluation import tables
from chexnet_trt.evaluation.assessment import Assessor
from chexnet_trt.evaluation.bootstrap import RESAMPLES
from chexnet_trt.evaluation.candidates import GateError, GateRequest
from chexnet_trt.evaluation.record import accuracy_summary
from chexnet_trt.evaluation.thresholds import Rule
from chexnet_trt.inputs import check_targets, non_negative, positive, target_of
from chexnet_trt.marks import sentences
from chexnet_trt.records import SPLITS
from chexnet_trt.tensorrt_arguments import add_tensorrt_arguments, tensorrt_options

HELP = "a .uff network or a frozen .pb graph to an engine"
EXAMPLE = (
    "  python -m chexnet_trt build chexnet.uff --uffInput input_tensor,3,256,256 \\\n"
    "      --output chexnet_sigmoid_tensor --best --max-batch 32 \\\n"
    "      --preprocess imagenet-tf -o chexnet.engine"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help=".uff or TensorFlow frozen graph .pb")
    parser.add_argument("-o", "--save", metavar="FILE", help="default: the model's name, .engine")
    add_network_arguments(parser)
    add_precision_arguments(parser)
    parser.add_argument(
        "--precision-constraints",
        choices=("permit", "obey"),
        default="permit",
        help="permit (default): take the fastest permitted; obey: force the one given",
    )
    parser.add_argument("--max-batch", type=positive, default=1, metavar="N", help="default 1")
    parser.add_argument(
        "--slice",
        type=non_negative,
        default=0,
        metavar="N",
        help="run larger batches in pieces of N (default: what is fastest at --max-batch)",
    )
    parser.add_argument(
        "--slices-at-once",
        type=positive,
        default=1,
        metavar="N",
        help="with --slice: how many pieces run side by side, each on its share of the threads",
    )
    parser.add_argument("--backend", default="openvino", help="default openvino; see doctor")
    parser.add_argument(
        "--device", type=non_negative, default=0, metavar="N", help="which GPU, from 0 (default)"
    )
    parser.add_argument(
        "--threads", type=non_negative, default=0, metavar="N", help="default: every core"
    )
    parser.add_argument(
        "--timing-cache",
        metavar="FILE",
        help="times of kernels, kept between builds for cuda or tensorrt",
    )
    parser.add_argument(
        "--deterministic",
        action="store_true",
        help="the same bits from every run of the engine: always so with openvino and cuda",
    )
    parser.add_argument("--no-blob", action="store_true", help="leave out the compiled blob")
    parser.add_argument("--u8-input", action="store_true", help="preprocess inside the engine")
    parser.add_argument(
        "--heatmap",
        action="store_true",
        help="an output more, class_activation_maps, for infer --heatmap; scores stay the same",
    )
    parser.add_argument("--labels", metavar="FILE", help="class names, JSON or a line each")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    add_tensorrt_arguments(parser)
    gate = parser.add_argument_group("the gate: only precisions as accurate as fp32")
    gate.add_argument(
        "--gate",
        metavar="DIR",
        help="folder of prepare: compare every precision with fp32 on it, take none that fails; "
        "accuracy and thresholds are kept in the engine",
    )
    gate.add_argument(
        "--gate-split", choices=SPLITS, help="the images to compare on (default test)"
    )
    gate.add_argument(
        "--gate-thresholds",
        type=gate_arguments.rule,
        metavar="RULE",
        help="of the operating thresholds, chosen on the validation images: youden (default), "
        "sensitivity=S or specificity=S",
    )
    gate_arguments.add_gate_arguments(gate)


def run(args: argparse.Namespace) -> int:
    target = target_of(args.model, args.save, ".engine")
    check_targets(target, args.plan, args.timing_cache)
    tensorrt = tensorrt_options(args, args.backend)
    try:
        engine = build(
            args.model,
            args,
            backend=backends.on_device(args.backend, args.device),
            obey=args.precision_constraints == "obey",
            max_batch=args.max_batch,
            slice_size=args.slice,
            slices_at_once=args.slices_at_once,
            threads=args.threads,
            embed_blob=not args.no_blob,
            deterministic=args.deterministic,
            timing_cache=None if tensorrt else args.timing_cache,
            u8_input=args.u8_input,
            class_activation=args.heatmap,
            class_names=labels.read_labels(args.labels) if args.labels else None,
            gate=_gate(args),
            tensorrt=tensorrt,
        )
    except GateError as error:
        _print_failure(error)
        return 1
    engine.save(target)
    if engine.plan is not None and args.plan:
        write_file(args.plan, engine.plan)
    if args.json:
        print(json.dumps({"engine": str(target), **engine.manifest}, indent=1))
    else:
        _print(engine, target)
    return 0


def _gate(args: argparse.Namespace) -> GateRequest | None:
    if args.gate is None:
        own = {"--gate-split": args.gate_split, "--gate-thresholds": args.gate_thresholds}
        for flag in [name for name, value in own.items() if value] + gate_arguments.given(args):
            raise InputError(f"{flag} is for the gate: give --gate DIR")
        return None
    return GateRequest(
        args.gate,
        args.gate_split or "test",
        args.gate_thresholds or Rule(),
        lambda precision: gate_arguments.limits_of(args, precision),
        Assessor(RESAMPLES, 0, args.strict),
    )


def _print_failure(error: GateError) -> None:
    for precision, assessment in error.gated.assessments.items():
        if assessment.verdict is not None and not assessment.passed:
            lines = [f"{precision} against fp32", *tables.assessment_lines(assessment)]
            print("\n".join(lines), file=sys.stderr)
    print(f"chexnet_trt build: error: {error}; no engine was written", file=sys.stderr)


def _print(engine: Engine, target: Path) -> None:
    assert engine.report is not None
    report = dict(engine.report)
    rewrites = ", ".join(f"{row['pass']} {row['rewrites']}" for row in report["passes"])
    print(f"passes     {rewrites}")
    how = f"timed at batch {report['timing_batch']} on random input"
    print(f"precision  {how if report['timing_input'] else 'the lowest permitted, nothing timed'}")
    for line in report_lines(engine):
        print(f"  {line}")
    manifest = engine.manifest
    for line in accuracy_summary(manifest.get("accuracy")):
        print(f"accuracy   {line}")
    for line in sentences(manifest["marks"]):
        print(f"note       {line}")
    names = manifest["labels"]
    print(f"labels     {', '.join(names['names']) if names else 'none'}")
    size = target.stat().st_size
    print(f"wrote {target}: {engine.precision}, {size:,} bytes, {report['seconds']:.1f} s")
    if manifest["preprocess"] is None:
        print("no --preprocess: infer will have to be told", file=sys.stderr)
