"""From a network to an engine: optimise, quantise, compile, describe."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chexnet_trt import _core, labels, machine, manifest
from chexnet_trt import int8 as quantization
from chexnet_trt.accuracy import Agreement
from chexnet_trt.backends import NATIVE, TENSORRT
from chexnet_trt.calibration import check_table, read_table
from chexnet_trt.engine import Engine, logger
from chexnet_trt.int8 import QUANTIZED, Int8
from chexnet_trt.native_engine import NativeEngine
from chexnet_trt.network import Network, read
from chexnet_trt.progress import Progress
from chexnet_trt.tensorrt.options import Options as TensorRtOptions

# Of compile_core, with their defaults: what means nothing to TensorRT.
_CORE_ONLY = {
    "timing_batch": None,
    "slice_size": 0,
    "slices_at_once": 1,
    "streams": 1,
    "profiling": False,
    "embed_blob": True,
    "timing_budget_ms": 1000.0,
    "timing_cache": None,
}


def build(
    source: str | os.PathLike[str] | _core.Graph,
    *,
    inputs: Mapping[str, Sequence[int]] | None = None,
    outputs: Sequence[str] = (),
    input_order: str = "NCHW",
    backend: str = "openvino",
    precisions: Sequence[str] = (),
    obey: bool = False,
    calibration: _core.CalibrationTable | str | os.PathLike[str] | None = None,
    accept_foreign_table: bool = False,
    random_ranges: bool = False,
    high_precision: Sequence[str] = (),
    max_batch: int = 1,
    timing_batch: int | None = None,
    slice_size: int = 0,
    slices_at_once: int = 1,
    threads: int = 0,
    streams: int = 1,
    profiling: bool = False,
    embed_blob: bool = True,
    class_activation: bool = False,
    timing_budget_ms: float = 1000.0,
    timing_cache: str | os.PathLike[str] | None = None,
    preprocessing: str | None = None,
    u8_input: bool = False,
    class_names: Sequence[str] | None = None,
    deterministic: bool = False,
    tensorrt: TensorRtOptions | None = None,
    progress: Progress | None = None,
) -> Engine:
    """Builds an engine from a `.uff` file, a TensorFlow frozen graph (`.pb`) or a Graph.

    `inputs`: size of each input without the batch, in `input_order` (NCHW: C, H, W; NHWC: H, W, C).
    `outputs`: node names; none: those that the file marks. `backend`: "openvino", "cuda" ("cuda:1"
    for the second GPU) or "tensorrt". `precisions` (fp16, bf16, int8, mixed) are permitted besides
    fp32: each is timed at `timing_batch` (the maximum) on random input and the fastest is taken;
    with `obey` the one given is forced. int8 and mixed need `calibration`, a table of
    `chexnet_trt.calibrate` or its file (of another tool: `accept_foreign_table`), or
    `random_ranges`, whose engine is good for timing only; `high_precision` names convolutions and
    matmuls that keep floating point. `slice_size`: larger batches run in pieces of at most this
    size, `slices_at_once` side by side, each on its share of the threads; 0: what is fastest at
    `timing_batch`. `threads`: 0 for every core. `class_activation`: the engine has the output
    `class_activation_maps` too (`chexnet_trt.heatmap`), which changes no score. `preprocessing`:
    the preset that the engine is to remember, by default the one that the file says it was trained
    with; with `u8_input` its scale and offset move into the engine, which then takes uint8 pixels.
    `class_names`: names of the scores, in order. `timing_cache`: a file of kernel times, for a
    backend that times kernels (cuda); read first, so that none is timed again, and written last.
    `deterministic`: only kernels that give the same bits in every run of one engine, as all of
    openvino and cuda do; two builds may still take different ones. `progress(stage, done, total)`.

    With the backend "cuda" on a machine without a GPU nothing is timed: of the permitted precisions
    the lowest is taken, and the GPU that loads the engine times its kernels first.

    With the backend "tensorrt", which `tensorrt` is for, the engine holds a plan, made without a
    GPU: of the permitted precisions the lowest is taken, and nothing is timed. int8 is calibrated
    and measured on the CPU. `timing_batch`, `slice_size`, `slices_at_once`, `streams`, `profiling`,
    `embed_blob`, `timing_budget_ms` and `timing_cache` are for the other backends.

    Raises InputError on bad files, sizes, names and options, BackendError when compiling fails.
    """
    network = read(
        source,
        inputs=inputs,
        outputs=outputs,
        input_order=input_order,
        preprocessing=preprocessing,
        u8_input=u8_input,
    )
    int8 = _int8(network, precisions, calibration, accept_foreign_table, random_ranges)
    if int8 is not None and backend == TENSORRT:
        int8 = replace(int8, signed_only=True)
    if high_precision:
        if int8 is None:
            raise _core.InputError("high_precision is for int8: permit int8 or mixed")
        int8 = quantization.keep_layers(network, int8, high_precision)
    return build_network(
        network,
        backend=backend,
        precisions=precisions,
        obey=obey,
        int8=int8,
        max_batch=max_batch,
        timing_batch=timing_batch,
        slice_size=slice_size,
        slices_at_once=slices_at_once,
        threads=threads,
        streams=streams,
        profiling=profiling,
        embed_blob=embed_blob,
        class_activation=class_activation,
        timing_budget_ms=timing_budget_ms,
        timing_cache=timing_cache,
        class_names=class_names,
        deterministic=deterministic,
        tensorrt=tensorrt,
        progress=progress,
    )


def build_network(
    network: Network,
    *,
    backend: str = NATIVE,
    tensorrt: TensorRtOptions | None = None,
    precisions: Sequence[str] = (),
    obey: bool = False,
    int8: Int8 | None = None,
    agreements: Mapping[str, Agreement] | None = None,
    class_names: Sequence[str] | None = None,
    deterministic: bool = False,
    max_batch: int = 1,
    **options: Any,  # noqa: ANN401 - those of compile_core
) -> Engine:
    """`build` for a network that is read. `agreements`: with fp32, by precision, where measured."""
    _check_memory(network.graph, max_batch)
    if deterministic and backend == TENSORRT:
        raise _core.InputError(
            "deterministic: TensorRT promises no equal bits from run to run; build for another "
            "backend"
        )
    options |= {"precisions": precisions, "obey": obey, "int8": int8, "max_batch": max_batch}
    if backend == TENSORRT:
        engine = _compile_tensorrt(network.graph, tensorrt, **options)
    elif tensorrt is not None:
        raise _core.InputError(f"options of TensorRT mean nothing to the backend '{backend}'")
    else:
        engine = NativeEngine(*compile_core(network.graph, backend=backend, **options))
    _log(network.graph, engine)
    engine.manifest = manifest.compose(
        engine,
        network=network,
        asked=precisions,
        obey=obey,
        int8=int8,
        agreement=(agreements or {}).get(engine.precision),
        deterministic=deterministic,
        class_names=class_names_of(engine, class_names),
    )
    return engine


def _compile_tensorrt(
    graph: _core.Graph,
    tensorrt: TensorRtOptions | None,
    *,
    threads: int = 0,
    **options: Any,  # noqa: ANN401 - those of compile_core
) -> Engine:
    """`threads`: of calibrating, which is done."""
    from chexnet_trt.tensorrt.compile import compile_engine

    for name, default in _CORE_ONLY.items():
        if options.pop(name, default) != default:
            raise _core.InputError(f"{name} means nothing to the backend '{TENSORRT}'")
    return compile_engine(graph, options=tensorrt, **options)


def compile_core(
    graph: _core.Graph,
    *,
    backend: str = "openvino",
    precisions: Sequence[str] = (),
    obey: bool = False,
    int8: Int8 | None = None,
    ruled_out: Mapping[str, str] | None = None,
    max_batch: int = 1,
    timing_batch: int | None = None,
    slice_size: int = 0,
    slices_at_once: int = 1,
    threads: int = 0,
    streams: int = 1,
    profiling: bool = False,
    embed_blob: bool = True,
    class_activation: bool = False,
    timing_budget_ms: float = 1000.0,
    timing_cache: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> tuple[_core.Engine, Mapping[str, Any]]:
    """The native build and its report. `ruled_out`: precisions not to take, and why."""
    return _core.build_engine(
        graph,
        backend=backend,
        precisions=list(precisions),
        obey=obey,
        ranges=dict(int8.ranges) if int8 else None,
        high_precision=set(int8.high_precision if int8 else ()),
        signed_only=int8.signed_only if int8 else False,
        ruled_out=dict(ruled_out or {}),
        max_batch=max_batch,
        timing_batch=timing_batch or 0,
        slice=slice_size,
        slices_at_once=slices_at_once,
        threads=threads,
        streams=streams,
        profiling=profiling,
        embed_blob=embed_blob,
        class_activation=class_activation,
        timing_budget_ms=timing_budget_ms,
        timing_cache=os.fspath(timing_cache or ""),
        progress=progress,
    )


def _int8(
    network: Network,
    precisions: Sequence[str],
    calibration: _core.CalibrationTable | str | os.PathLike[str] | None,
    accept_foreign: bool,
    random_ranges: bool,
) -> Int8 | None:
    """The ranges for the permitted precisions; None when none of them is quantised."""
    if calibration is not None and random_ranges:
        raise _core.InputError("give a calibration or random ranges, not both")
    given, needed = random_ranges or calibration is not None, bool(QUANTIZED & set(precisions))
    if given and not needed:
        raise _core.InputError("ranges are for int8: permit int8 or mixed")
    if needed and not given:
        raise _core.InputError(
            "int8 needs a calibration: give calibration=TABLE; random_ranges=True builds an engine "
            "for timing only"
        )
    if random_ranges:
        return quantization.from_random(network)
    if calibration is None:
        return None
    if isinstance(calibration, _core.CalibrationTable):
        check_table(calibration, network, "given", foreign=accept_foreign)
        return quantization.from_table(calibration)
    return quantization.from_table(read_table(calibration, network, accept_foreign=accept_foreign))


def _log(graph: _core.Graph, engine: Engine) -> None:
    assert engine.report is not None
    for row in engine.report["passes"]:
        logger.info("pass %s: %d rewrites", row["pass"], row["rewrites"])
    logger.info("graph: %d nodes imported, %d left", len(graph), len(engine.graph))
    if logger.isEnabledFor(logging.DEBUG):
        logger.debug("optimised graph:\n%s", engine.graph.to_text())


def _check_memory(graph: _core.Graph, max_batch: int) -> None:
    """Refuses a batch whose largest single value, at 4 bytes a number, exceeds the memory."""
    largest = max(graph.nodes, key=lambda node: _numbers(node, max_batch), default=None)
    if largest is None:
        return
    needed, present = 4 * _numbers(largest, max_batch), machine.memory_bytes()
    if needed > present:
        raise _core.InputError(
            f"max batch {max_batch}: '{largest.name}' alone would take {needed / 2**30:,.0f} GiB of"
            f" the {present / 2**30:,.0f} GiB of this machine; build with a smaller one"
        )


def _numbers(node: _core.Node, max_batch: int) -> int:
    return math.prod(max_batch if extent is None else extent for extent in node.shape)


def class_names_of(engine: Engine, given: Sequence[str] | None) -> tuple[str, ...] | None:
    """Those given, else the 14 findings for the output that the whitepaper defines with them."""
    sizes = {info.name: list(info.shape)[1:] for info in engine.outputs}
    if given is None:
        return labels.LABELS if sizes.get(manifest.SCORES) == [len(labels.LABELS)] else None
    names = labels.canonical_names(given)
    if [len(names)] not in sizes.values():
        raise _core.InputError(f"{len(names)} labels, but the outputs have {sizes}")
    return names
