from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from chexnet_trt import labels
from chexnet_trt.build_arguments import (
    add_network_arguments,
    add_precision_arguments,
    build,
    report_lines,
)
from chexnet_trt.engine import Engine
from chexnet_trt.inputs import check_targets, non_negative, positive, target_of

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
    parser.add_argument("--backend", default="openvino", help="default openvino; see doctor")
    parser.add_argument(
        "--threads", type=non_negative, default=0, metavar="N", help="default: every core"
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


def run(args: argparse.Namespace) -> int:
    target = target_of(args.model, args.save, ".engine")
    check_targets(target)
    engine = build(
        args.model,
        args,
        backend=args.backend,
        obey=args.precision_constraints == "obey",
        max_batch=args.max_batch,
        slice_size=args.slice,
        threads=args.threads,
        embed_blob=not args.no_blob,
        u8_input=args.u8_input,
        class_activation=args.heatmap,
        class_names=labels.read_labels(args.labels) if args.labels else None,
    )
    engine.save(target)
    if args.json:
        print(json.dumps({"engine": str(target), **engine.manifest}, indent=1))
    else:
        _print(engine, target)
    return 0


def _print(engine: Engine, target: Path) -> None:
    assert engine.report is not None
    report = dict(engine.report)
    rewrites = ", ".join(f"{row['pass']} {row['rewrites']}" for row in report["passes"])
    print(f"passes     {rewrites}")
    print(f"precision  timed at batch {report['timing_batch']} on random input")
    for line in report_lines(engine):
        print(f"  {line}")
    names = engine.manifest["labels"]
    print(f"labels     {', '.join(names['names']) if names else 'none'}")
    size = target.stat().st_size
    print(f"wrote {target}: {engine.precision}, {size:,} bytes, {report['seconds']:.1f} s")
    if engine.manifest["preprocess"] is None:
        print("no --preprocess: infer will have to be told", file=sys.stderr)
