"""The build for TensorRT: what the core's builder is for the other backends."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from chexnet_trt import _core
from chexnet_trt.backends import TENSORRT, TENSORRT_PRECISIONS
from chexnet_trt.int8 import QUANTIZED, Int8
from chexnet_trt.progress import Progress
from chexnet_trt.tensorrt import adapter
from chexnet_trt.tensorrt.adapter import Api
from chexnet_trt.tensorrt.config import capability_text, configure
from chexnet_trt.tensorrt.engine import TensorRtEngine
from chexnet_trt.tensorrt.options import Options
from chexnet_trt.tensorrt.plan_builder import build_plan

# TensorRT times kernels and not precisions: those are the caller's, since the network is strongly
# typed; and here is perhaps no GPU to time on.
_TAKEN = "the lowest that is permitted: nothing is timed"
_NOT_TAKEN = "not the lowest that is permitted"


def compile_engine(
    graph: _core.Graph,
    *,
    precisions: Sequence[str] = (),
    obey: bool = False,
    int8: Int8 | None = None,
    ruled_out: Mapping[str, str] | None = None,
    max_batch: int = 1,
    class_activation: bool = False,
    options: Options | None = None,
    progress: Progress | None = None,
) -> TensorRtEngine:
    """Builds an engine with a plan. Of the permitted precisions the lowest is taken, with int8 and
    mixed as the graph's quantise / dequantise pairs, signed.

    Raises InputError when an option does not fit, or TensorRT is not there, and BackendError when
    TensorRT cannot build.
    """
    begin = time.monotonic()
    options = options or Options()
    api = adapter.load(options.module)
    batches = options.batches(max_batch)
    candidates = candidates_of(precisions, obey, int8, ruled_out or {})
    precision = next(row["precision"] for row in candidates if row["chosen"])
    if max_batch > 1 and not any(None in node.shape for node in graph.inputs):
        raise _core.InputError(
            f"max batch {max_batch}: the inputs of this network have no batch; use 1"
        )
    network, passes = _core.optimize(graph)
    if precision in QUANTIZED:
        assert int8 is not None
        kept = set(int8.high_precision)
        network = _core.quantize(network, int8.ranges, kept, signed_only=True)
    if class_activation:
        network = _core.add_class_activation(network)
    plan = build_plan(
        api, network, precision=precision, batches=batches, options=options, progress=progress
    )
    core = _core.ExternalEngine(
        network,
        backend=TENSORRT,
        precision=precision,
        max_batch=max_batch,
        fingerprint=fingerprint(api, options),
        device=capability_text(api, options),
        plan=plan,
    )
    report = {
        "passes": [{"pass": name, "rewrites": rewrites} for name, rewrites in passes],
        "candidates": candidates,
        "slices": [],
        "timing_batch": batches.best,
        "timing_input": None,
        "seconds": time.monotonic() - begin,
        "tensorrt": _facts(api, options, max_batch, len(core.plan)),
    }
    return TensorRtEngine(core, report)


def _facts(api: Api, options: Options, max_batch: int, plan_bytes: int) -> dict[str, Any]:
    """For the manifest."""
    return {
        "module": api.name,
        "version": ".".join(map(str, api.version)),
        "batches": str(options.batches(max_batch)),
        "workspace_mib": options.workspace_mib,
        "optimization_level": options.optimization_level,
        "compute_capabilities": list(options.compute_capabilities),
        "tf32": options.tf32,
        "plan_bytes": plan_bytes,
    }


def check(options: Options, max_batch: int) -> None:
    """Before long work: raises InputError when TensorRT is not there or an option does not fit."""
    api = adapter.load(options.module)
    options.batches(max_batch)
    configure(api, api.create_builder(), options)


def fingerprint(api: Api, options: Options) -> str:
    """What the plan depends on."""
    return f"{api}; {capability_text(api, options)}"


def candidates_of(
    precisions: Sequence[str], obey: bool, int8: Int8 | None, ruled_out: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The precisions that were considered, as rows of a build's report, one of them chosen. Raises
    InputError on a forced one that cannot be built.
    """
    unknown = sorted(set(precisions) - set(TENSORRT_PRECISIONS))
    if unknown:
        raise _core.InputError(f"unknown precision '{unknown[0]}'")
    permitted = [name for name in TENSORRT_PRECISIONS if name in precisions]
    if obey and len(permitted) > 1:
        raise _core.InputError("obeying a precision takes one precision, several are permitted")
    if (not obey and "fp32" not in permitted) or not permitted:
        permitted.insert(0, "fp32")
    reasons = {name: _lacking(name, int8, ruled_out) for name in permitted}
    if obey and reasons[permitted[0]]:
        raise _core.InputError(
            f"cannot build in {permitted[0]}: {reasons[permitted[0]]}; permit it without forcing "
            "it, or use fp32"
        )
    lowest = [name for name in permitted if not reasons[name]][-1]
    words = "forced" if obey else _TAKEN if len(permitted) > 1 else "the only one"
    return [
        {
            "precision": name,
            "median_ms": None,
            "rounds": 0,
            "chosen": name == lowest,
            "reason": reasons[name] or (words if name == lowest else _NOT_TAKEN),
        }
        for name in permitted
    ]


def _lacking(precision: str, int8: Int8 | None, ruled_out: Mapping[str, str]) -> str:
    """Why it is not to be built; empty when it is. What int8 loses mixed loses too."""
    if precision in QUANTIZED and int8 is None:
        return ruled_out.get(precision, "there are no dynamic ranges: calibrate")
    if precision == "mixed" and "int8" in ruled_out:
        return ruled_out.get("mixed", ruled_out["int8"])
    return ruled_out.get(precision, "")
