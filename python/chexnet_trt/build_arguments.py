"""What the commands `build` and `trtexec` share: arguments of a build, and the build itself."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chexnet_trt import _core, backends, int8_arguments
from chexnet_trt.builder import build_network
from chexnet_trt.engine import Engine
from chexnet_trt.evaluation.candidates import Gated, GateError, GateImages, GateRequest, hold_gate
from chexnet_trt.inputs import parse_outputs, parse_uff_inputs
from chexnet_trt.int8_arguments import Prepared, add_int8_arguments
from chexnet_trt.manifest import calibration_lines
from chexnet_trt.network import Network, read
from chexnet_trt.preprocess import PRESETS
from chexnet_trt.progress import ProgressLine
from chexnet_trt.tensorrt.options import Options as TensorRtOptions

# The attributes of the parsed arguments that the functions below add.
_NETWORK = ("uffInput", "uffNHWC", "output", "preprocess")
_PRECISION = ("fp16", "bf16", "best")

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
    parser.add_argument(
        "--preprocess",
        choices=PRESETS,
        help="from pixels to the input's values; kept in the engine for infer (default: the one "
        "that the network's file says it was trained with, as those of train do)",
    )


def add_precision_arguments(parser: _Parser) -> None:
    for name in ("fp16", "bf16"):
        parser.add_argument(f"--{name}", action="store_true", help=f"permit {name} beside fp32")
    parser.add_argument(
        "--best", action="store_true", help="permit every precision that the device has"
    )
    add_int8_arguments(parser)


def given(args: argparse.Namespace) -> list[str]:
    """The flags of this module that the command line has."""
    own = [f"--{name}" for name in (*_NETWORK, *_PRECISION) if getattr(args, name)]
    return own + int8_arguments.given(args)


def read_network(
    path: str | Path,
    args: argparse.Namespace,
    *,
    u8_input: bool = False,
) -> Network:
    """The network that the arguments of this module name. Raises InputError."""
    return read(
        path,
        inputs=parse_uff_inputs(args.uffInput),
        outputs=parse_outputs(args.output),
        input_order="NHWC" if args.uffNHWC else "NCHW",
        preprocessing=args.preprocess,
        u8_input=u8_input,
    )


def build(
    path: str | Path,
    args: argparse.Namespace,
    *,
    backend: str = "openvino",
    threads: int = 0,
    obey: bool = False,
    u8_input: bool = False,
    class_activation: bool = False,
    max_batch: int = 1,
    class_names: Sequence[str] | None = None,
    gate: GateRequest | None = None,
    tensorrt: TensorRtOptions | None = None,
    **options: Any,  # noqa: ANN401 - those of build_network that the commands spell differently
) -> Engine:
    """Builds what the arguments of this module ask for, showing progress. `gate`: precisions that
    fail it are not taken. Raises as the builder, and GateError when a forced one fails.
    """
    progress = ProgressLine()
    measuring = backends.measuring(backend)
    try:
        if tensorrt is not None:
            from chexnet_trt.tensorrt.compile import check

            check(tensorrt, max_batch)
        network = read_network(path, args, u8_input=u8_input)
        if class_activation:  # So that a network without maps is refused before its calibration.
            _core.add_class_activation(network.optimized)
        images = _gate_images(gate, network, args, progress)
        precisions = _permitted(args, backend)
        _check_forced(precisions, obey)
        prepared = int8_arguments.prepare(
            network,
            args,
            precisions=precisions,
            backend=measuring,
            threads=threads,
            obey=obey,
            held_out=images.compared.source if images else None,
            progress=progress,
            signed_only=backend == backends.TENSORRT,
        )
        ruled_out = dict(prepared.ruled_out)
        gated = None
        if gate is not None and images is not None:
            gated = hold_gate(
                gate,
                images,
                network,
                precisions if obey else _buildable(precisions, prepared, measuring),
                int8=prepared.int8,
                backend=measuring,
                threads=threads,
                max_batch=max_batch,
                class_names=class_names,
                progress=progress,
            )
            if obey and gated.ruled_out:
                raise GateError(gated)
            if measuring != backend:
                ruled_out = _not_gated(precisions, gated) | ruled_out
            ruled_out |= gated.ruled_out
        engine = build_network(
            network,
            backend=backend,
            threads=threads,
            obey=obey,
            precisions=precisions,
            int8=prepared.int8,
            agreements=prepared.agreements,
            class_activation=class_activation,
            ruled_out=ruled_out,
            max_batch=max_batch,
            class_names=class_names,
            tensorrt=tensorrt,
            progress=progress,
            **options,
        )
        if gated is not None:
            gated.describe(engine)
        return engine
    finally:
        progress.close()


def _gate_images(
    gate: GateRequest | None, network: Network, args: argparse.Namespace, progress: ProgressLine
) -> GateImages | None:
    """Before the long work of calibrating. Raises InputError, also for random ranges."""
    if gate is None:
        return None
    if args.random_ranges:
        raise _core.InputError("the gate compares scores, and with --random-ranges they mean none")
    return gate.open(network, progress)


def _buildable(precisions: Sequence[str], prepared: Prepared, backend: str) -> list[str]:
    """Those that the builder would try, on the backend that measures them."""
    present = _core.device_precisions(backend)
    return [name for name in precisions if name in present and name not in prepared.ruled_out]


def _not_gated(precisions: Sequence[str], gated: Gated) -> dict[str, str]:
    """Precisions that the engine's device has and the CPU, which holds the gate, does not."""
    reason = "the gate cannot score it: this CPU does not compute it"
    return {name: reason for name in precisions if name not in gated.assessments}


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
        times = ", ".join(
            f"{_slices(row['slice'], row['at_once'])}: {row['median_ms']:.3f} ms" for row in slices
        )
        how = f"in slices of {_slices(engine.slice, engine.slices_at_once)}"
        lines.append(
            f"  batch {engine.report['timing_batch']} runs {how if engine.slice else 'whole'} "
            f"(by slice, {times})"
        )
    return lines + [f"  {line}" for line in calibration_lines(engine.manifest["calibration"])]


def _slices(size: int, at_once: int) -> str:
    return f"{size} ({at_once} at once)" if at_once > 1 else str(size)


def _permitted(args: argparse.Namespace, backend: str) -> list[str]:
    names = [name for name in ("fp16", "bf16", "int8") if getattr(args, name)]
    if args.int8 and args.bf16:
        names.append("mixed")
    if args.best:
        names += [name for name in backends.precisions(backend) if name != "fp32"]
    return list(dict.fromkeys(names))


def _check_forced(precisions: Sequence[str], obey: bool) -> None:
    """Before calibrating, what the builder would say only after it."""
    if obey and len(precisions) > 1:
        names = ", ".join(precisions)
        raise _core.InputError(
            f"obeying a precision takes one precision, several are permitted: {names}"
        )
