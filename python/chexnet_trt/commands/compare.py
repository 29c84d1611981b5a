"""compare: times a network in every mode that this machine has."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from pathlib import Path
from typing import Any

from chexnet_trt._core import InputError
from chexnet_trt.compare import modes
from chexnet_trt.compare.comparison import compare
from chexnet_trt.compare.plan import Plan
from chexnet_trt.inputs import check_targets, positive
from chexnet_trt.models.networks import NETWORKS
from chexnet_trt.preprocess import PRESETS
from chexnet_trt.progress import ProgressLine

HELP = "time a network in every mode that this machine has, side by side"
EXAMPLE = (
    "  python -m chexnet_trt compare chexnet.pb -o results/chexnet.json\n"
    "  python -m chexnet_trt report results/chexnet.json -o chexnet.html\n"
    "  python -m chexnet_trt compare resnet50_v2 --quick -o quick.json"
)

BATCHES = (1, 2, 4, 8, 16, 32)
# What --quick sets; each can still be given.
QUICK: dict[str, Any] = {
    "batches": [1, 2],
    "rounds": 2,
    "round_seconds": 0.02,
    "scenario_seconds": 0.1,
}
QUICK_IMAGE_SIZE, QUICK_QUERIES = 64, 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Each mode runs in a process of its own on the same cores, and rounds are interleaved. The "
        "result is one JSON file for `report`, written after every round: the same command again "
        "goes on where it was stopped. Modes that this machine lacks are in it with the reason."
    )
    parser.add_argument(
        "model",
        help=f"frozen graph (.pb), or {' or '.join(NETWORKS)}: that network with RANDOM weights",
    )
    parser.add_argument("-o", "--output", metavar="FILE.json", required=True)
    parser.add_argument(
        "--modes", metavar="MODE[,MODE]", help=f"default: all of {', '.join(modes.BY_NAME)}"
    )
    parser.add_argument("--batches", type=_numbers, metavar="N,N", help="default: 1,2,4,8,16,32")
    parser.add_argument(
        "--engine",
        metavar="FILE",
        action="append",
        default=[],
        help="an engine of this network, timed in place of the one that would be built; the gate's "
        "record in it (build --gate) goes beside its speed; repeatable",
    )
    parser.add_argument(
        "--no-stock",
        action="store_true",
        help="without the stock ResNet-50 v2 of 1000 classes beside the network",
    )
    _add_data(parser.add_argument_group("input"))
    _add_measuring(parser.add_argument_group("measuring"))


def _add_data(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--data", metavar="PATH", help="films for input and int8 ranges; default: RANDOM clouds"
    )
    group.add_argument("--film", metavar="FILE", help="for file to score; default: a drawn film")
    group.add_argument("--preprocess", choices=PRESETS, help="default: what fits the network")
    group.add_argument("--image-size", type=positive, metavar="N", help="of a network by name")


def _add_measuring(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--rounds",
        type=positive,
        metavar="N",
        help="a batch size (default 6); from 10 on in several passes through the batch sizes",
    )
    group.add_argument(
        "--round-seconds", type=_seconds, metavar="S", help="of a mode in a round (default 0.25)"
    )
    group.add_argument(
        "--scenario-seconds",
        type=_seconds,
        metavar="S",
        help="of offline, and of each trial of the server (default 3)",
    )
    group.add_argument(
        "--threads",
        type=positive,
        metavar="N",
        help="CPUs, of different physical cores as far as there are; default: all",
    )
    group.add_argument(
        "--latency-target", type=_seconds, default=7.0, metavar="MS", help="of table 8 (default 7)"
    )
    group.add_argument(
        "--server-limit",
        type=_seconds,
        default=15.0,
        metavar="MS",
        help="for the 99th percentile of the server scenario (default 15, MLPerf's for ResNet-50)",
    )
    group.add_argument(
        "--quick", action="store_true", help="a look in seconds: the figures mean little"
    )
    group.add_argument("--work", metavar="DIR", help="of what is made (default: beside the output)")


def run(args: argparse.Namespace) -> int:
    check_targets(args.output)
    _defaults(args)
    output = Path(args.output)
    plan = _plan(args)
    progress = ProgressLine()
    try:
        result = compare(plan, output, Path(args.work or output.with_suffix(".work")), progress)
    finally:
        progress.close()
    sys.stdout.write(_digest(result) + f"wrote {output}\n")
    return 0


def _defaults(args: argparse.Namespace) -> None:
    usual = {"batches": list(BATCHES), "rounds": 6, "round_seconds": 0.25, "scenario_seconds": 3.0}
    for name, value in (QUICK if args.quick else usual).items():
        if getattr(args, name) is None:
            setattr(args, name, value)


def _plan(args: argparse.Namespace) -> Plan:
    quick_size = args.quick and args.model in NETWORKS
    plan = Plan(
        model=args.model,
        modes=tuple(modes.select(args.modes and args.modes.split(","))),
        batches=tuple(sorted(set(args.batches))),
        rounds=args.rounds,
        round_seconds=args.round_seconds,
        scenario_seconds=args.scenario_seconds,
        threads=args.threads or len(os.sched_getaffinity(0)),
        latency_target_ms=args.latency_target,
        server_limit_ms=args.server_limit,
        stock=not args.no_stock,
        image_size=args.image_size or (QUICK_IMAGE_SIZE if quick_size else None),
        preset=args.preprocess,
        data=args.data,
        film=args.film,
        engines=tuple(args.engine),
    )
    if args.film and not Path(args.film).is_file():
        raise InputError(f"--film {args.film}: there is no such file")
    return dataclasses.replace(plan, least_queries=QUICK_QUERIES) if args.quick else plan


def _digest(result: dict[str, Any]) -> str:
    """Batch 1 and the best throughput of each mode."""
    titles = {row["key"]: row["title"] for row in result["entries"]}
    width = max(map(len, titles.values()))
    lines = []
    for row in result["entries"]:
        cells = [cell for cell in result["summary"]["cells"] if cell["entry"] == row["key"]]
        measured = [cell for cell in cells if "median" in cell]
        name = f"{row['model']:<7} {titles[row['key']]:<{width}}"
        if not measured:
            lines.append(f"{name}  {cells[0]['missing']}")
            continue
        first, best = measured[0], max(measured, key=lambda cell: float(cell["images_per_s"]))
        noisy = "  noisy" if any(cell["noisy"] for cell in measured) else ""
        lines.append(
            f"{name}  batch {first['batch']}: {first['median']:.4g} ms, "
            f"batch {best['batch']}: {best['images_per_s']:.4g} images/s{noisy}"
        )
    return "\n".join(lines) + "\n"


def _numbers(text: str) -> list[int]:
    """argparse type: whole numbers of at least 1, with commas."""
    return [positive(part) for part in text.split(",")]


def _seconds(text: str) -> float:
    """argparse type: a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value
