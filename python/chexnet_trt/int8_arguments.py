"""Arguments of calibration and int8, which `build`, `trtexec` and `calibrate` share."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from numpy.typing import NDArray

from chexnet_trt import _core, feeding
from chexnet_trt import int8 as quantization
from chexnet_trt.accuracy import FURTHEST, Agreement
from chexnet_trt.calibration import (
    ALGORITHMS,
    DEFAULT_PERCENTILE,
    Method,
    image_feed,
    obtain_table,
)
from chexnet_trt.engine import logger
from chexnet_trt.inputs import check_targets, positive
from chexnet_trt.int8 import QUANTIZED, Int8
from chexnet_trt.network import Network
from chexnet_trt.progress import Progress
from chexnet_trt.sensitivity import Trial, fewest_high_precision, rank

# Of the scores of an int8 engine beside its fp32; see Agreement.miss.
DEFAULT_TARGET = 0.05
AUTO = "auto"
CHECK_IMAGES = 32
_CHECK_BATCH = 8

_CALIBRATION = ("calib_data", "calib", "calib_algorithm", "calib_percentile", "calib_images",
                "calib_root", "accept_foreign_cache")  # fmt: skip
_INT8 = ("int8", "random_ranges", "keep_high_precision", "accuracy_target")
# What an argument is of no use without.
_NEEDS = {"calib_images": "calib_data", "calib_root": "calib_data", "accept_foreign_cache": "calib"}

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
        type=_kept,
        metavar="N|auto|LAYER,...",
        help="layers that stay in floating point: the N most sensitive, as few as the accuracy "
        "target needs, or those named",
    )
    parser.add_argument(
        "--accuracy-target",
        type=_target,
        metavar="D",
        help="int8 is taken only if 99 %% of its scores are within D of fp32's and all within "
        f"{FURTHEST} D, on the first {CHECK_IMAGES} calibration images (default {DEFAULT_TARGET})",
    )


def given(args: argparse.Namespace) -> list[str]:
    """The flags of this module that the command line has."""
    return _given(args, (*_INT8, *_CALIBRATION))


def method_of(args: argparse.Namespace) -> Method | None:
    """None when the command line says nothing of it. Raises InputError."""
    if args.calib_percentile is not None and args.calib_algorithm != "percentile":
        raise _core.InputError("--calib-percentile needs --calib-algorithm percentile")
    if args.calib_algorithm is None:
        return None
    return Method(args.calib_algorithm, args.calib_percentile or DEFAULT_PERCENTILE)


@dataclass(frozen=True)
class Prepared:
    """What a build needs for int8. `agreements`: with fp32, by precision, where it was checked."""

    int8: Int8 | None = None
    agreements: dict[str, Agreement] = field(default_factory=dict)
    ruled_out: dict[str, str] = field(default_factory=dict)


def prepare(
    network: Network,
    args: argparse.Namespace,
    *,
    precisions: Collection[str],
    backend: str,
    threads: int,
    obey: bool,
    held_out: feeding.Source | None = None,
    progress: Progress,
    signed_only: bool = False,
) -> Prepared:
    """Calibrates, or reads the table, and checks the accuracy of those of `precisions` that compute
    in int8, as the arguments ask. `held_out`: images that are not to be calibrated with. `backend`:
    where to measure; `signed_only`: what is built for has no uint8. Raises InputError, also when
    --int8 has nothing to take its ranges from.
    """
    _check(args)
    if args.random_ranges:
        int8 = quantization.from_random(network, signed_only=signed_only)
        return _unchecked(network, int8, args, "ranges are random")
    source = _source(args)
    if source is not None:
        check_targets(args.calib)
        if held_out is not None:
            feeding.check_apart(source, held_out)
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
    int8 = quantization.from_table(table, signed_only=signed_only)
    if source is None:
        return _unchecked(network, int8, args, "there is no --calib-data to measure with")
    present = QUANTIZED.intersection(precisions, _core.device_precisions(backend))
    if not present:
        return Prepared(int8)  # The builder says why it is of no use.
    images = check_batches(network, source)
    trial = Trial(network, int8, images, backend=backend, threads=threads)
    names = _layers_to_keep(trial, args, progress)
    return _checked(trial, names, sorted(present), args, obey, progress)


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
    unused = [flag for flag in given(args) if flag != "--int8"]
    if unused and not (args.int8 or args.best):
        raise _core.InputError(f"{unused[0]} is for int8: add --int8 or --best")
    calibration = _given(args, _CALIBRATION)
    if args.random_ranges and calibration:
        raise _core.InputError(f"give {calibration[0]} or --random-ranges, not both")
    for name, needed in _NEEDS.items():
        if getattr(args, name) and not getattr(args, needed):
            raise _core.InputError(f"{_flag(name)} needs {_flag(needed)}")


def _given(args: argparse.Namespace, names: Iterable[str]) -> list[str]:
    return [_flag(name) for name in names if getattr(args, name, None)]


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _without_calibration(args: argparse.Namespace) -> Prepared:
    if given(args):
        raise _core.InputError(
            f"{given(args)[0]} needs a calibration: give --calib-data=PATH (images) or "
            "--calib=FILE (a table); --random-ranges builds an engine for timing only"
        )
    reason = "no calibration: give --calib-data or --calib"
    return Prepared(ruled_out={"int8": reason, "mixed": reason})


def _unchecked(network: Network, int8: Int8, args: argparse.Namespace, why: str) -> Prepared:
    """Without images to measure with: only named layers can be kept."""
    kept = args.keep_high_precision
    if kept == AUTO or isinstance(kept, int):
        raise _core.InputError(f"--keep-high-precision {kept}: {why}; name the layers")
    if args.accuracy_target is not None:
        raise _core.InputError(f"--accuracy-target: {why}")
    return Prepared(quantization.keep_layers(network, int8, kept or ()))


def _layers_to_keep(trial: Trial, args: argparse.Namespace, progress: Progress) -> tuple[str, ...]:
    kept = args.keep_high_precision
    if kept == AUTO:
        target = args.accuracy_target or DEFAULT_TARGET
        return fewest_high_precision(trial, target, progress).high_precision
    if isinstance(kept, int):
        if kept >= len(trial.layers):
            raise _core.InputError(
                f"--keep-high-precision {kept} leaves nothing in int8: the network has "
                f"{len(trial.layers)} layers"
            )
        return tuple(row.layer for row in rank(trial, progress)[:kept])
    return quantization.keep_layers(trial.network, trial.int8, kept or ()).high_precision


def _checked(
    trial: Trial,
    names: tuple[str, ...],
    precisions: Sequence[str],
    args: argparse.Namespace,
    obey: bool,
    progress: Progress,
) -> Prepared:
    """Rules out the precisions whose scores with the layers `names` kept miss the target; a forced
    one is built all the same, with a warning.
    """
    target = args.accuracy_target or DEFAULT_TARGET
    int8 = trial.int8.keeping(names)
    if len(names) == len(trial.layers):
        reason = f"the accuracy target {target:g} holds only with every layer in floating point"
        return Prepared(int8, ruled_out=dict.fromkeys(precisions, reason))
    agreements, ruled_out = {}, {}
    for done, precision in enumerate(precisions):
        progress("check accuracy", done, len(precisions))
        agreement = agreements[precision] = trial.agreement(names, precision)
        missed = agreement.miss(target)
        if not missed:
            continue
        if obey:
            logger.warning("%s: %s; built because it is forced", precision, missed)
        else:
            ruled_out[precision] = missed + ("" if names else "; try --keep-high-precision auto")
    return Prepared(int8, agreements, ruled_out)


def _kept(text: str) -> int | str | tuple[str, ...]:
    """argparse type: a number of layers, AUTO, or names of layers."""
    if text == AUTO:
        return AUTO
    if text.isdecimal():
        return positive(text)
    names = tuple(text.split(","))
    if not all(names):
        raise argparse.ArgumentTypeError(f"'{text}' is neither a number, nor auto, nor LAYER,...")
    return names


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
