"""Arguments of a build for TensorRT."""

from __future__ import annotations

import argparse

from chexnet_trt._core import InputError
from chexnet_trt.backends import TENSORRT
from chexnet_trt.inputs import non_negative, positive
from chexnet_trt.tensorrt.options import OPTIMIZATION_LEVELS, Options

# Argument to field of Options.
_FIELDS = {
    "tensorrt": "module",
    "min_batch": "min_batch",
    "opt_batch": "opt_batch",
    "static_batch": "static",
    "workspace": "workspace_mib",
    "optimization_level": "optimization_level",
    "timing_cache": "timing_cache",
    "compute_capability": "compute_capabilities",
    "tf32": "tf32",
}
# Those that the command has for other backends too.
_SHARED = {"timing_cache"}


def add_tensorrt_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "--backend tensorrt",
        "The engine holds a plan of TensorRT, built here, with or without a GPU. Of the permitted "
        "precisions the lowest is taken: nothing is timed. int8 keeps the rest in fp32, int8 with "
        "bf16 in bf16. Calibration and its check run on the CPU.",
    )
    group.add_argument(
        "--tensorrt",
        choices=("tensorrt", "tensorrt_rtx"),
        help="which of NVIDIA's modules (default: the one that is installed)",
    )
    group.add_argument("--plan", metavar="FILE", help="write the bare plan too, for trtexec")
    group.add_argument("--min-batch", type=positive, metavar="N", help="default 1")
    group.add_argument(
        "--opt-batch", type=positive, metavar="N", help="tune for this batch (default --max-batch)"
    )
    group.add_argument(
        "--static-batch",
        action="store_true",
        default=None,
        help="for --max-batch alone, no optimisation profile",
    )
    group.add_argument(
        "--workspace", type=positive, metavar="MiB", help="scratch memory (default: the device's)"
    )
    group.add_argument(
        "--optimization-level",
        type=non_negative,
        choices=OPTIMIZATION_LEVELS,
        metavar="0..5",
        help="how long to search for kernels (default 3)",
    )
    group.add_argument(
        "--tf32",
        action="store_true",
        default=None,
        help="allow TF32 in products of fp32: faster, 10 bits of mantissa",
    )
    group.add_argument(
        "--compute-capability",
        type=_capabilities,
        metavar="8.9[,12.0]",
        help="tensorrt_rtx: devices to build for (default: 8.0 and newer, but not 9.0)",
    )


def tensorrt_options(args: argparse.Namespace, backend: str) -> Options | None:
    """None for another backend. Raises InputError on arguments that it has no use for."""
    values = {name: getattr(args, name) for name in _FIELDS}
    given = {name: value for name, value in values.items() if value is not None}
    if backend != TENSORRT:
        own = [name for name in given if name not in _SHARED] + (["plan"] if args.plan else [])
        for name in own:
            raise InputError(f"--{name.replace('_', '-')} is for --backend {TENSORRT}")
        return None
    return Options(**{_FIELDS[name]: value for name, value in given.items()})


def _capabilities(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(","))
    if not all(part.replace(".", "", 1).isdecimal() and "." in part for part in parts):
        raise argparse.ArgumentTypeError(f"{text} is no compute capability, as 8.9 or 8.6,8.9")
    return parts
