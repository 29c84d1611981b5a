"""What the commands `build` and `trtexec` share: arguments of a build, and the build itself."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from chexnet_trt import _core, builder
from chexnet_trt.engine import Engine
from chexnet_trt.inputs import parse_outputs, parse_uff_inputs
from chexnet_trt.progress import ProgressLine

# The attributes of the parsed arguments that the functions below add.
_NETWORK = ("uffInput", "uffNHWC", "output")
_PRECISION = ("fp16", "bf16", "int8", "best")

_Parser = argparse.ArgumentParser | argparse._ArgumentGroup


def add_network_arguments(parser: _Parser) -> None:
    parser.add_argument(
        "--uffInput",
        metavar="NAME,C,H,W",
        action="append",
        default=[],
        help="input and its size without the batch; repeatable (H,W,C with --uffNHWC)",
    )
    parser.add_argument("--uffNHWC", action="store_true", help="inputs are fed as H,W,C")
    parser.add_argument(
        "--output", metavar="NAME[,NAME]", action="append", default=[], help="output; repeatable"
    )


def add_precision_arguments(parser: _Parser) -> None:
    for name in ("fp16", "bf16"):
        parser.add_argument(f"--{name}", action="store_true", help=f"permit {name} beside fp32")
    parser.add_argument("--int8", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--best", action="store_true", help="permit every precision that the device has"
    )


def given(args: argparse.Namespace) -> list[str]:
    """The flags of this module that the command line has."""
    return [f"--{name}" for name in (*_NETWORK, *_PRECISION) if getattr(args, name)]


def build(
    network: str | Path,
    args: argparse.Namespace,
    *,
    backend: str = "openvino",
    **options: Any,  # noqa: ANN401 - those of builder.build that the commands spell differently
) -> Engine:
    """Builds what the arguments of this module ask for, showing progress. Raises as the builder."""
    progress = ProgressLine()
    try:
        return builder.build(
            network,
            inputs=parse_uff_inputs(args.uffInput),
            outputs=parse_outputs(args.output),
            input_order="NHWC" if args.uffNHWC else "NCHW",
            backend=backend,
            precisions=_permitted(args, backend),
            progress=progress,
            **options,
        )
    finally:
        progress.close()


def report_lines(engine: Engine) -> list[str]:
    """What the build of `engine` tried and took."""
    assert engine.report is not None
    lines = []
    for row in engine.report["candidates"]:
        time = "" if row["median_ms"] is None else f"{row['median_ms']:.3f} ms, "
        mark = "*" if row["chosen"] else " "
        lines.append(f"{mark} {row['precision']:<5} {time}{row['reason']}")
    if engine.report["slices"]:
        slices = engine.report["slices"]
        times = ", ".join(f"{row['slice']}: {row['median_ms']:.3f} ms" for row in slices)
        how = f"in slices of {engine.slice}" if engine.slice else "whole"
        lines.append(f"  batch {engine.report['timing_batch']} runs {how} (by slice, {times})")
    return lines


def _permitted(args: argparse.Namespace, backend: str) -> list[str]:
    if args.int8:
        raise _core.InputError(
            "--int8: int8 needs calibration, which this version does not have;"
            " use --bf16, --fp16 or --best"
        )
    names = [name for name in ("fp16", "bf16") if getattr(args, name)]
    if args.best:
        names += [name for name in _core.device_precisions(backend) if name not in ("fp32", "int8")]
    return list(dict.fromkeys(names))
