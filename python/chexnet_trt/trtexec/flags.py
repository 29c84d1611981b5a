"""trtexec's flags: those that work, those that are always so here, those that cannot apply."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from chexnet_trt._core import InputError
from chexnet_trt.build_arguments import add_network_arguments, add_precision_arguments
from chexnet_trt.inputs import LARGEST, positive

_NO_GPU = "the engine runs on the CPU"
_NO_DLA = "there is no DLA on a CPU"
_NO_TRANSFERS = "bindings are read and written in place on a CPU, nothing is transferred"
_TENSORRT_BUILDER = "it steers TensorRT's own builder, which does not build this engine"
_TENSORRT_RUNTIME = "it steers TensorRT's own runtime, which does not run this engine"
_NO_LIMIT = "the CPU backend takes what memory a network needs and knows no limit"
_NO_PLUGINS = "engines hold no plugins"
_OTHER_PARSER = "networks come from UFF; the command convert makes it from a frozen graph"
_STATIC = "each batch size has an executable of its own; give --batch and --maxBatch"
_ONE_TABLE = "a calibration table serves every batch size; give --calib=FILE or --calib-data=PATH"

# Flags of trtexec 5 to 11 that cannot apply, each with the reason.
REFUSED: dict[str, str] = {
    "--calibProfile": _ONE_TABLE,
    "--minShapesCalib": _ONE_TABLE,
    "--optShapesCalib": _ONE_TABLE,
    "--maxShapesCalib": _ONE_TABLE,
    "--fp8": "CPUs have no fp8 kernels",
    "--int4": "CPUs have no int4 convolution kernels",
    "--onnx": _OTHER_PARSER,
    "--deploy": _OTHER_PARSER,
    "--model": _OTHER_PARSER,
    "--shapes": _STATIC,
    "--minShapes": _STATIC,
    "--optShapes": _STATIC,
    "--maxShapes": _STATIC,
    "--profile": _STATIC,
    "--useProfile": _STATIC,
    "--dumpOptimizationProfile": _STATIC,
    "--workspace": _NO_LIMIT,
    "--memPoolSize": _NO_LIMIT,
    "--useDLACore": _NO_DLA,
    "--allowGPUFallback": _NO_DLA,
    "--buildDLAStandalone": _NO_DLA,
    "--reportCapabilityDLA": _NO_DLA,
    "--adjustForDLA": _NO_DLA,
    "--uint8AsymmetricQuantizationDLA": _NO_DLA,
    "--layerDeviceTypes": _NO_DLA,
    "--includeDataTransfers": _NO_TRANSFERS,
    "--exposeDMA": _NO_TRANSFERS,
    "--useManagedMemory": _NO_GPU,
    "--useCudaGraph": _NO_GPU,
    "--persistentCacheRatio": _NO_GPU,
    "--hardwareCompatibilityLevel": _NO_GPU,
    "--tacticSources": _TENSORRT_BUILDER,
    "--timingCacheFile": _TENSORRT_BUILDER,
    "--errorOnTimingCacheMiss": _TENSORRT_BUILDER,
    "--builderOptimizationLevel": _TENSORRT_BUILDER,
    "--avgTiming": _TENSORRT_BUILDER,
    "--minTiming": _TENSORRT_BUILDER,
    "--heuristic": _TENSORRT_BUILDER,
    "--preview": _TENSORRT_BUILDER,
    "--maxAuxStreams": _TENSORRT_BUILDER,
    "--maxTactics": _TENSORRT_BUILDER,
    "--tilingOptimizationLevel": _TENSORRT_BUILDER,
    "--l2LimitForTiling": _TENSORRT_BUILDER,
    "--sparsity": _TENSORRT_BUILDER,
    "--directIO": _TENSORRT_BUILDER,
    "--inputIOFormats": _TENSORRT_BUILDER,
    "--outputIOFormats": _TENSORRT_BUILDER,
    "--layerPrecisions": "precision is chosen for the whole network in this version",
    "--layerOutputTypes": "precision is chosen for the whole network in this version",
    "--profilingVerbosity": "layer names and kernels are always kept",
    "--refit": "weights live in the engine's graph; build again from the changed .uff",
    "--refitFromOnnx": _OTHER_PARSER,
    "--stripWeights": "the graph in the engine needs its weights",
    "--stripAllWeights": "the graph in the engine needs its weights",
    "--weightless": "the graph in the engine needs its weights",
    "--allowWeightStreaming": _NO_GPU,
    "--weightStreamingBudget": _NO_GPU,
    "--versionCompatible": "every engine is: a blob that does not fit is rebuilt from the graph",
    "--vc": "every engine is: a blob that does not fit is rebuilt from the graph",
    "--excludeLeanRuntime": _TENSORRT_RUNTIME,
    "--useRuntime": _TENSORRT_RUNTIME,
    "--leanDLLPath": _TENSORRT_RUNTIME,
    "--allocationStrategy": _TENSORRT_RUNTIME,
    "--asyncFileReader": _TENSORRT_RUNTIME,
    "--plugins": _NO_PLUGINS,
    "--staticPlugins": _NO_PLUGINS,
    "--dynamicPlugins": _NO_PLUGINS,
    "--setPluginsToSerialize": _NO_PLUGINS,
    "--ignoreParsedPluginLibs": _NO_PLUGINS,
    "--safe": "there is no safety runtime",
    "--restricted": "there is no safety runtime",
    "--consistency": "there is no safety runtime",
    "--markDebug": "debug tensors are outputs here: name them with --output",
    "--saveDebugTensors": "debug tensors are outputs here: name them with --output",
    "--saveAllDebugTensors": "debug tensors are outputs here: name them with --output",
    "--loadRefOutputs": "compare the files of --exportOutput instead",
    "--dumpRefit": "weights live in the engine's graph; build again from the changed .uff",
    "--dumpRawBindingsToFile": "use --exportOutput",
    "--getPlanVersionOnly": "use the command inspect",
    "--monitorMemory": "the build prints no memory report in this version",
}

# Flags whose effect is always in force here.
ALWAYS_SO: dict[str, str] = {
    "--explicitBatch": "networks have an explicit batch dimension",
    "--noTF32": "fp32 is computed in full",
    "--noDataTransfers": _NO_TRANSFERS,
    "--separateProfileRun": "profiles come from a run of their own",
    "--noCudaGraph": _NO_GPU,
    "--useSpinWait": _NO_GPU,
    "--noSpinWait": _NO_GPU,
    "--stronglyTyped": "a network's types are those of its graph",
    "--distributiveIndependence": "a batch is computed by one executable of its size",
}


_GRAPHS = "kernels are launched as a CUDA graph wherever TensorRT permits it"
_SPINS = "the host spins while it waits for the device"
_APART = "transfers are always measured, and shown apart from the computation"

_BUILT = "the plan is built; the command build has TensorRT's options"
_LEFT = "it is left as TensorRT has it"
_REASONS_ON_TENSORRT = {
    _TENSORRT_BUILDER: _BUILT,
    _NO_LIMIT: _BUILT,
    _TENSORRT_RUNTIME: _LEFT,
    _NO_GPU: _LEFT,
    _NO_TRANSFERS: "inputs are copied from pinned memory of the host, outputs to it",
    _NO_DLA: "engines are for GPUs",
    _STATIC: "the plan's profile has the batch sizes; give --batch",
}

# What differs where TensorRT runs the engine, on a GPU.
REFUSED_ON_TENSORRT: dict[str, str] = {
    "--noCudaGraph": _GRAPHS,
    "--noSpinWait": _SPINS,
    "--noDataTransfers": _APART,
    "--versionCompatible": "a plan is for one release of TensorRT, and built again for another",
    "--vc": "a plan is for one release of TensorRT, and built again for another",
    "--noTF32": "whether TF32 is permitted was decided when the plan was built",
    "--distributiveIndependence": "that was decided when the plan was built",
}
ALWAYS_SO_ON_TENSORRT: dict[str, str] = {
    "--useCudaGraph": _GRAPHS,
    "--useSpinWait": _SPINS,
    "--includeDataTransfers": _APART,
}


def explain(given: Sequence[str], *, on_tensorrt: bool) -> tuple[list[str], list[str]]:
    """`flag: reason` of the flags without effect: those that cannot apply, those always so."""
    refused, always = dict(REFUSED), dict(ALWAYS_SO)
    if on_tensorrt:
        for flag in ALWAYS_SO_ON_TENSORRT:
            refused.pop(flag, None)
        for flag in REFUSED_ON_TENSORRT:
            always.pop(flag, None)
        refused = {
            flag: _REASONS_ON_TENSORRT.get(reason, reason) for flag, reason in refused.items()
        }
        refused |= REFUSED_ON_TENSORRT
        always |= ALWAYS_SO_ON_TENSORRT
    return (
        [f"{flag}: {refused[flag]}" for flag in given if flag in refused],
        [f"{flag}: {always[flag]}" for flag in given if flag in always],
    )


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
    """Declares the flags of trtexec 5 to 11. `without_effect` collects those `explain` is for."""
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
    add_precision_arguments(build)
    build.add_argument(
        "--precisionConstraints",
        choices=("none", "prefer", "obey"),
        default="none",
        help="obey: force the one given precision; none and prefer: take the fastest permitted",
    )
    build.add_argument("--skipInference", "--buildOnly", action="store_true", help="build and stop")

    run = parser.add_argument_group("inference")
    run.add_argument("--device", type=int, default=0, metavar="N", help="device number; a CPU is 0")
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
