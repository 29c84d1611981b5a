"""trtexec's flags as arguments."""

from __future__ import annotations

import argparse

from chexnet_trt._core import InputError
from chexnet_trt.backends import NATIVE, NATIVES
from chexnet_trt.build_arguments import add_network_arguments, add_precision_arguments
from chexnet_trt.inputs import LARGEST, non_negative, positive
from chexnet_trt.trtexec.without_effect import ALWAYS_SO, REFUSED


class _Collect(argparse.Action):
    """Collects flags under `dest`, whatever values they have."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), option_string])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the flags of trtexec 5 to 11. `without_effect` collects those that have none."""
    parser.set_defaults(without_effect=[])
    for flag in (*REFUSED, *ALWAYS_SO):
        parser.add_argument(
            flag, dest="without_effect", action=_Collect, nargs="?", help=argparse.SUPPRESS
        )
    model = parser.add_argument_group("model")
    model.add_argument("--uff", metavar="FILE", help="UFF network to build")
    add_network_arguments(model)
    model.add_argument("--loadEngine", metavar="FILE", help="engine to run instead of building one")
    model.add_argument("--saveEngine", "--engine", metavar="FILE", help="write the built engine")
    model.add_argument(
        "--require-exact-device",
        action="store_true",
        help="refuse an engine of another device instead of compiling it again with a warning",
    )

    build = parser.add_argument_group("build")
    build.add_argument("--batch", type=positive, metavar="N", help="batch size (default 1)")
    build.add_argument(
        "--maxBatch", type=positive, metavar="N", help="largest batch (default --batch)"
    )
    build.add_argument("--backend", choices=NATIVES, help=f"default {NATIVE}; see doctor")
    add_precision_arguments(build)
    build.add_argument(
        "--precisionConstraints",
        choices=("none", "prefer", "obey"),
        default="none",
        help="obey: force the one given precision; none and prefer: take the fastest permitted",
    )
    build.add_argument(
        "--timingCacheFile",
        metavar="FILE",
        help="kernel times that the cuda backend need not measure again; read and written",
    )
    build.add_argument("--skipInference", "--buildOnly", action="store_true", help="build and stop")

    run = parser.add_argument_group("inference")
    run.add_argument(
        "--device", type=non_negative, default=0, metavar="N", help="which GPU, from 0; a CPU is 0"
    )
    run.add_argument("--cpuThreads", type=positive, metavar="N", help="CPU threads (default: all)")
    run.add_argument(
        "--iterations",
        type=positive,
        metavar="N",
        help="at least N queries in --duration; with --avgRuns and without --duration, N averages",
    )
    run.add_argument(
        "--avgRuns", type=positive, metavar="N", help="queries in an average (default 10)"
    )
    run.add_argument("--warmUp", type=time, metavar="MS", help="warm-up (default 200 ms)")
    run.add_argument("--duration", type=time, metavar="S", help="least duration (default 3 s)")
    run.add_argument(
        "--infStreams",
        "--streams",
        type=positive,
        default=1,
        metavar="N",
        help="contexts in flight",
    )
    run.add_argument("--threads", action="store_true", help="a host thread for each stream")
    run.add_argument("--sleepTime", type=time, default=0, metavar="MS", help="wait before the run")
    run.add_argument("--idleTime", type=time, default=0, metavar="MS", help="wait between queries")
    run.add_argument(
        "--loadInputs",
        metavar="NAME:FILE",
        action="append",
        default=[],
        help="raw little-endian bytes",
    )
    run.add_argument(
        "--timeDeserialize", action="store_true", help="time loading the engine, and stop"
    )

    report = parser.add_argument_group("report")
    report.add_argument(
        "--percentile", metavar="P,...", default="90,95,99", help="default 90,95,99"
    )
    report.add_argument("--verbose", action="store_true", help="log the build in detail")
    report.add_argument("--dumpOutput", action="store_true", help="print the last outputs")
    report.add_argument("--dumpProfile", action="store_true", help="print the time of each layer")
    report.add_argument("--dumpLayerInfo", action="store_true", help="print layers and kernels")
    for name, what in (
        ("Times", "the times of every query"),
        ("Output", "the last outputs"),
        ("Profile", "the time of each layer"),
        ("LayerInfo", "layers and kernels"),
    ):
        report.add_argument(f"--export{name}", metavar="FILE", help=f"write {what} as JSON")
    report.add_argument("--json", action="store_true", help="print the summary as JSON")


def percentiles(text: str) -> list[float]:
    """Parses "90,95,99"; each lies in 0..100."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = [-1.0]
    if not all(0 <= value <= 100 for value in values):
        raise InputError(f"--percentile={text}: expected numbers from 0 to 100 separated by commas")
    return values


def time(text: str) -> float:
    """argparse type: a finite number of at least 0."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= LARGEST:
        raise argparse.ArgumentTypeError(f"{text} is not a time of 0 or more")
    return value
