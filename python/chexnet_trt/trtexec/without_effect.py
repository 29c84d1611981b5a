"""trtexec's flags that are always so here and those that cannot apply, by the backend that runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chexnet_trt.backends import CUDA, TENSORRT

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
_CUDA_GRAPHS = "kernels are launched as a CUDA graph"
_SPINS = "the host spins while it waits for the device"
_APART = "transfers are always measured, and shown apart from the computation"
_BUILT = "the plan is built; the command build has TensorRT's options"
_LEFT = "it is left as TensorRT has it"
_NO_SUCH = "the cuda backend has no such setting"


@dataclass(frozen=True)
class _Runtime:
    """What differs from the CPU: flags refused and always so, and other words for a reason."""

    refused: Mapping[str, str]
    always_so: Mapping[str, str]
    reasons: Mapping[str, str] = field(default_factory=dict)


_RUNTIMES = {
    TENSORRT: _Runtime(
        refused={
            "--noCudaGraph": _GRAPHS,
            "--noSpinWait": _SPINS,
            "--noDataTransfers": _APART,
            "--versionCompatible": "a plan is for one release of TensorRT, and built again for "
            "another",
            "--vc": "a plan is for one release of TensorRT, and built again for another",
            "--noTF32": "whether TF32 is permitted was decided when the plan was built",
            "--distributiveIndependence": "that was decided when the plan was built",
        },
        always_so={
            "--useCudaGraph": _GRAPHS,
            "--useSpinWait": _SPINS,
            "--includeDataTransfers": _APART,
        },
        reasons={
            _TENSORRT_BUILDER: _BUILT,
            _NO_LIMIT: _BUILT,
            _TENSORRT_RUNTIME: _LEFT,
            _NO_GPU: _LEFT,
            _NO_TRANSFERS: "inputs are copied from pinned memory of the host, outputs to it",
            _NO_DLA: "engines are for GPUs",
            _STATIC: "the plan's profile has the batch sizes; give --batch",
        },
    ),
    CUDA: _Runtime(
        refused={
            "--noCudaGraph": _CUDA_GRAPHS,
            "--noSpinWait": _SPINS,
            "--noDataTransfers": _APART,
            "--fp8": "the cuda backend has no fp8 kernels",
            "--int4": "the cuda backend has no int4 kernels",
        },
        always_so={
            "--useCudaGraph": _CUDA_GRAPHS,
            "--useSpinWait": _SPINS,
            "--includeDataTransfers": _APART,
        },
        reasons={
            _NO_GPU: _NO_SUCH,
            _NO_LIMIT: "a network takes what memory it needs, and says so where there is less",
            _NO_TRANSFERS: "inputs are copied from pinned memory of the host, outputs to it",
            _NO_DLA: "engines are for GPUs",
        },
    ),
}


def explain(given: Sequence[str], backend: str) -> tuple[list[str], list[str]]:
    """`flag: reason` of the flags without effect where `backend` runs the engine: those that cannot
    apply, those always so.
    """
    runtime = _RUNTIMES.get(backend, _Runtime({}, {}))
    refused = {
        flag: runtime.reasons.get(reason, reason)
        for flag, reason in REFUSED.items()
        if flag not in runtime.always_so
    } | dict(runtime.refused)
    always = {
        flag: reason for flag, reason in ALWAYS_SO.items() if flag not in runtime.refused
    } | dict(runtime.always_so)
    return (
        [f"{flag}: {refused[flag]}" for flag in given if flag in refused],
        [f"{flag}: {always[flag]}" for flag in given if flag in always],
    )
