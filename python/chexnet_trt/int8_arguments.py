"""Arguments of calibration and int8, which `build`, `trtexec` and `calibrate` share."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from numpy.typing import NDArray

from chexnet_trt import _core, feeding
from chexnet_trt import int8 as quantization
from chexnet_trt.accuracy import Agreement
from chexnet_trt.calibration import (
    ALGORITHMS,
    DEFAULT_PERCENTILE,
    Method,
    Progress,
    image_feed,
    obtain_table,
)
from chexnet_trt.inputs import check_targets, positive
from chexnet_trt.int8 import Int8
from chexnet_trt.network import Network
from chexnet_trt.sensitivity import Trial, fewest_high_precision, rank

# The limit of reference "p99 of |difference| of a score" for an int8 engine beside its fp32.
DEFAULT_TARGET = 0.05
CHECK_IMAGES = 32
_CHECK_BATCH = 8

_CALIBRATION = ("calib_data", "calib", "calib_algorithm", "calib_percentile", "calib_images",
                "calib_root", "accept_foreign_cache")  # fmt: skip
_INT8 = ("int8", "random_ranges", "keep_high_precision", "accuracy_target")

_Parser = argparse.ArgumentParser | argparse._ArgumentGroup


def add_calibration_arguments(parser: _Parser) -> None:
    parser.add_argument(
        "--calib-data",
        metavar="PATH",
        help="images to calibrate with: folder, .txt list, .csv table, TFRecords, .npy",
    )
    parser.add_argument(
        "--calib-images", type=positive, metavar="N", help="take the first N images (default all)"
    )
    parser.add_argument("--calib-root", metavar="DIR", help="where the images of a list lie")
    parser.add_argument(
        "--calib-algorithm", choices=ALGORITHMS, help="from activations to ranges (default entropy)"
    )
    parser.add_argument(
        "--calib-percentile",
        type=_percentile,
        metavar="P",
        help=f"of --calib-algorithm percentile (default {DEFAULT_PERCENTILE})",
    )


def add_int8_arguments(parser: _Parser) -> None:
    parser.add_argument("--int8", action="store_true", help="permit int8; needs a calibration")
    add_calibration_arguments(parser)
    parser.add_argument(
        "--calib",
        metavar="FILE",
        help="calibration table: read if it is there and fits, else written from --calib-data",
    )
    parser.add_argument(
        "--accept-foreign-cache",
        action="store_true",
        help="take a --calib table that does not say what it was made from",
    )
    parser.add_argument(
        "--random-ranges",
        action="store_true",
        help="int8 without calibration: an engine for timing only, and marked so",
    )
    parser.add_argument(
        "--keep-high-precision",
        metavar="N|auto|LAYER,...",
        help="layers that stay in floating point: the N most sensitive, as few as the accuracy "
        "target needs, or those named",
    )
    parser.add_argument(
        "--accuracy-target",
        type=_target,
        metavar="D",
        help="int8 is taken only if 99 %% of its scores are within D of fp32's, on the first "
        f"{CHECK_IMAGES} calibration images (default {DEFAULT_TARGET})",
    )


def given(args: argparse.Namespace) -> list[str]:
    """The flags of this module that the command line has."""
    names = (*_INT8, *_CALIBRATION)
    return [f"--{name.replace('_', '-')}" for name in names if getattr(args, name, None)]


def method_of(args: argparse.Namespace) -> Method | None:
    """None when the command line says nothing of it. Raises InputError."""
    if args.calib_percentile is not None and args.calib_algorithm != "percentile":
        raise _core.InputError("--calib-percentile needs --calib-algorithm percentile")
    if args.calib_algorithm is None:
        return None
    return Method(args.calib_algorithm, args.calib_percentile or DEFAULT_PERCENTILE)


@dataclass(frozen=True)
class Prepared:
    """What a build of `precisions` needs for int8. `agreement`: with fp32, where it was checked."""

    int8: Int8 | None = None
    agreement: Agreement | None = None
    ruled_out: dict[str, str] = field(default_factory=dict)


def prepare(
    network: Network,
    args: argparse.Namespace,
    *,
    backend: str,
    threads: int,
    obey: bool,
    progress: Progress,
) -> Prepared:
    """Calibrates, or reads the table, and checks the accuracy, as the arguments ask. Raises
    InputError, also when --int8 has nothing to take its ranges from.
    """
    _check(args)
    if args.random_ranges:
        _refuse_search(args, "--random-ranges is for timing")
        names = _named_layers(args.keep_high_precision)
        return Prepared(quantization.from_random(network).keeping(names))
    source = _source(args)
    if source is not None:
        check_targets(args.calib)
    table = obtain_table(
        network,
        source=source,
        cache=args.calib,
        method=method_of(args),
        accept_foreign=args.accept_foreign_cache,
        backend=backend,
        threads=threads,
        progress=progress,
    )
    if table is None:
        return _without_calibration(args)
    int8 = quantization.from_table(table)
    if source is None:
        _refuse_search(args, "without --calib-data there are no images to measure with")
        return Prepared(int8.keeping(_named_layers(args.keep_high_precision)))
    images = check_batches(network, source)
    trial = Trial(network, int8, images, backend=backend, threads=threads)
    return _checked(trial, args, obey, progress)


def check_batches(network: Network, source: feeding.Source) -> list[NDArray[Any]]:
    """The first images, as arrays for the network's input."""
    feed = image_feed(network, _core.input_infos(network.optimized))
    count = CHECK_IMAGES // _CHECK_BATCH
    return list(islice(feeding.batches(source, feed, _CHECK_BATCH), count))


def _source(args: argparse.Namespace) -> feeding.Source | None:
    if not args.calib_data:
        return None
    return feeding.open_source(
        args.calib_data, images_root=args.calib_root, limit=args.calib_images
    )


def _check(args: argparse.Namespace) -> None:
    if args.random_ranges and (args.calib_data or args.calib):
        raise _core.InputError("give a calibration or --random-ranges, not both")
    unused = [flag for flag in given(args) if flag != "--int8"]
    if unused and not (args.int8 or args.best):
        raise _core.InputError(f"{unused[0]} is for int8: add --int8 or --best")


def _without_calibration(args: argparse.Namespace) -> Prepared:
    if args.int8:
        raise _core.InputError(
            "--int8 needs a calibration: give --calib-data=PATH (images) or --calib=FILE (a "
            "table); --random-ranges builds an engine for timing only"
        )
    reason = "no calibration: give --calib-data or --calib"
    return Prepared(ruled_out={"int8": reason, "mixed": reason})


def _checked(trial: Trial, args: argparse.Namespace, obey: bool, progress: Progress) -> Prepared:
    target = args.accuracy_target or DEFAULT_TARGET
    kept = args.keep_high_precision
    if kept == "auto":
        decision = fewest_high_precision(trial, target, progress)
        return Prepared(trial.int8.keeping(decision.high_precision), decision.agreement)
    if kept is not None and kept.isdecimal():
        names = tuple(row.layer for row in rank(trial, progress)[: int(kept)])
    else:
        names = _named_layers(kept)
    agreement = trial.agreement(names)
    prepared = Prepared(trial.int8.keeping(names), agreement)
    if agreement.p99 <= target or obey:
        return prepared
    reason = (
        f"99th percentile of the score difference {agreement.p99:.2g}, above the accuracy target "
        f"{target:g}; try --keep-high-precision auto"
    )
    return Prepared(prepared.int8, agreement, {"int8": reason, "mixed": reason})


def _named_layers(text: str | None) -> tuple[str, ...]:
    return tuple(name for name in (text or "").split(",") if name)


def _refuse_search(args: argparse.Namespace, why: str) -> None:
    kept = args.keep_high_precision
    if kept is not None and (kept == "auto" or kept.isdecimal()):
        raise _core.InputError(f"--keep-high-precision {kept}: {why}; name the layers")
    if args.accuracy_target is not None:
        raise _core.InputError(f"--accuracy-target: {why}")


def _percentile(text: str) -> float:
    value = _number(text)
    if not 0 < value <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not a percentile above 0, at most 100")
    return value


def _target(text: str) -> float:
    value = _number(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a score difference above 0, at most 1")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0
