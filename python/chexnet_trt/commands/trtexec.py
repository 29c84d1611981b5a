from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from chexnet_trt import _core, build_arguments
from chexnet_trt.backends import NATIVE, on_device
from chexnet_trt.bench import BenchOptions
from chexnet_trt.engine import TIMING_ONLY, Engine, load
from chexnet_trt.inputs import check_targets
from chexnet_trt.marks import sentences
from chexnet_trt.progress import ProgressLine
from chexnet_trt.trtexec import flags, report, without_effect

HELP = "build or load an engine and time it, with trtexec's command line"
EXAMPLE = (
    "  python -m chexnet_trt trtexec --uff=chexnet.uff --output=chexnet_sigmoid_tensor \\\n"
    "      --uffInput=input_tensor,3,256,256 --iterations=40 --batch=1 --device=0 --avgRuns=100\n"
    "  python -m chexnet_trt trtexec --loadEngine=chexnet.engine --batch=8 --dumpProfile"
)

_PROFILED_RUNS = 20
_LOADS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    flags.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    _check(args)
    say = (lambda line: None) if args.json else print
    if args.verbose:
        logging.basicConfig(level=logging.DEBUG, format="%(message)s", stream=sys.stderr)
    if args.uff:
        _explain(args, args.backend or NATIVE, say)
    engine = _load(args) if args.loadEngine else _build(args, say)
    if args.loadEngine:
        _explain(args, engine.backend, say)
    batch = args.batch or 1
    if args.saveEngine:
        engine.save(args.saveEngine)
        say(f"wrote {args.saveEngine}")
    say(f"{engine.precision} on {engine.backend}, {engine.device}, batch {batch}")
    if args.timeDeserialize:
        _time_deserialize(args, say)
        return 0
    _report_layers(args, engine, batch)
    if not args.skipInference:
        _measure(args, engine, batch, say)
    return 0


def _check(args: argparse.Namespace) -> None:
    if bool(args.uff) == bool(args.loadEngine):
        raise _core.InputError("give --uff=FILE to build an engine or --loadEngine=FILE to run one")
    if args.uff and not args.uffInput:
        raise _core.InputError("--uff needs --uffInput=NAME,C,H,W")
    if args.uff and not args.output:
        raise _core.InputError("--uff needs --output=NAME")
    if args.loadEngine:
        own = {
            "--maxBatch": args.maxBatch,
            "--backend": args.backend,
            "--timingCacheFile": args.timingCacheFile,
        }
        given = build_arguments.given(args) + [flag for flag, value in own.items() if value]
        if given:
            raise _core.InputError(f"{given[0]} is for building; --loadEngine runs what is built")
    if args.timeDeserialize and not args.loadEngine:
        raise _core.InputError("--timeDeserialize needs --loadEngine=FILE")
    args.percentile = flags.percentiles(args.percentile)
    check_targets(
        args.saveEngine,
        args.timingCacheFile,
        args.exportTimes,
        args.exportOutput,
        args.exportProfile,
        args.exportLayerInfo,
    )


def _explain(args: argparse.Namespace, backend: str, say: Any) -> None:  # noqa: ANN401
    """Of the flags without effect. Raises InputError naming those that cannot apply."""
    refused, always = without_effect.explain(args.without_effect, backend)
    if refused:
        raise _core.InputError(f"cannot apply {'; '.join(refused)}")
    for note in always:
        say(f"note: {note}, always so here")


def _build(args: argparse.Namespace, say: Any) -> Engine:  # noqa: ANN401 - print or nothing
    engine = build_arguments.build(
        args.uff,
        args,
        backend=on_device(args.backend or NATIVE, args.device),
        obey=args.precisionConstraints == "obey",
        max_batch=args.maxBatch or args.batch or 1,
        timing_batch=args.batch or 1,
        threads=args.cpuThreads or 0,
        streams=args.infStreams,
        timing_cache=args.timingCacheFile,
    )
    for line in build_arguments.report_lines(engine):
        say(line)
    return engine


def _load(args: argparse.Namespace, *, profiling: bool | None = None) -> Engine:
    return load(
        args.loadEngine,
        device=args.device,
        threads=args.cpuThreads,
        streams=args.infStreams,
        profiling=profiling,
        require_exact_device=args.require_exact_device,
    )


def _time_deserialize(args: argparse.Namespace, say: Any) -> None:  # noqa: ANN401
    times = []
    for _ in range(_LOADS + 1):
        begin = time.perf_counter()
        _load(args).layers(args.batch or 1)
        times.append((time.perf_counter() - begin) * 1e3)
    say(
        f"Deserialize: first = {times[0]:.3f} ms, then mean of {_LOADS} ="
        f" {sum(times[1:]) / _LOADS:.3f} ms (file, checks and executable of one batch size)"
    )
    if args.json:
        print(json.dumps({"deserialize_ms": times}, indent=1))


def _report_layers(args: argparse.Namespace, engine: Engine, batch: int) -> None:
    if args.dumpLayerInfo:
        for line in report.layer_lines(engine.layers(batch)):
            print(line)
    if args.exportLayerInfo:
        report.write_json(args.exportLayerInfo, report.layers_json(engine.layers(batch)))


def _measure(args: argparse.Namespace, engine: Engine, batch: int, say: Any) -> None:  # noqa: ANN401
    average_runs = args.avgRuns or 10
    iterations, duration, warm_up = _loop(args, average_runs)
    progress = ProgressLine()

    def tick(_elapsed_ms: float, queries: int) -> bool:
        progress(f"{queries} queries", min(queries, iterations), iterations)
        return True

    options = BenchOptions(
        batch=batch,
        iterations=iterations,
        warm_up_ms=warm_up,
        duration_s=duration,
        streams=args.infStreams,
        threads=args.threads,
        idle_ms=args.idleTime,
        sleep_ms=args.sleepTime,
        inputs=_inputs(args.loadInputs, engine, batch),
        progress=tick,
    )
    result = engine.bench(options)
    progress.close()
    if engine.timing_only:
        say(TIMING_ONLY)
    marks = engine.manifest.get("marks", [])
    for line in sentences(marks):
        say(line)
    if result.random_input:
        say("input: RANDOM numbers; give --loadInputs=NAME:FILE for real ones")
    for line in report.average_lines(_core.averages(result.traces, average_runs)):
        say(line)
    summary = _core.summarize(result.traces, batch, args.infStreams, args.percentile)
    for line in report.summary_lines(summary):
        say(line)
    if args.json:
        facts = {"precision": engine.precision, "device": engine.device, "marks": marks}
        random = {"random_input": result.random_input, "random_ranges": engine.timing_only}
        print(json.dumps({**facts, **random, **report.summary_json(summary)}, indent=1))
    if args.exportTimes:
        report.write_json(args.exportTimes, report.times_json(result.traces))
    _report_outputs(args, _outputs(engine, batch, result.outputs))
    if args.dumpProfile or args.exportProfile:
        _profile(args, engine, batch)


def _loop(args: argparse.Namespace, average_runs: int) -> tuple[int, float, float]:
    """(queries, seconds, warm-up in ms).

    TensorRT 5's command line has no duration: --iterations averages over --avgRuns queries each.
    """
    warm_up = 200.0 if args.warmUp is None else args.warmUp
    if args.duration is None and args.iterations is not None and args.avgRuns is not None:
        return args.iterations * average_runs, 0.0, warm_up
    duration = 3.0 if args.duration is None else args.duration
    return args.iterations or 10, duration, warm_up


def _inputs(given: Iterable[str], engine: Engine, batch: int) -> list[np.ndarray[Any, Any]]:
    """The arrays of --loadInputs in the engine's order; all inputs or none."""
    files = {}
    for argument in given:
        name, colon, path = argument.partition(":")
        if not colon:
            raise _core.InputError(f"--loadInputs={argument}: expected NAME:FILE")
        files[name] = path
    if not files:
        return []
    names = [info.name for info in engine.inputs]
    if set(files) != set(names):
        raise _core.InputError(f"--loadInputs must name every input: {', '.join(names)}")
    arrays = []
    for info in engine.inputs:
        shape = [batch if extent == -1 else extent for extent in info.shape]
        dtype = np.dtype(info.element)
        data = report.raw_input(files[info.name], int(np.prod(shape)) * dtype.itemsize)
        arrays.append(np.frombuffer(data, dtype).reshape(shape))
    return arrays


def _outputs(engine: Engine, batch: int, raw: Iterable[bytes]) -> dict[str, np.ndarray[Any, Any]]:
    return {
        info.name: np.frombuffer(data, np.dtype(info.element)).reshape(
            [batch if extent == -1 else extent for extent in info.shape]
        )
        for info, data in zip(engine.outputs, raw, strict=True)
    }


def _report_outputs(args: argparse.Namespace, outputs: dict[str, np.ndarray[Any, Any]]) -> None:
    if args.dumpOutput:
        for name, values in outputs.items():
            print(f"{name} {list(values.shape)}: {np.array2string(values, threshold=200)}")
    if args.exportOutput:
        report.write_json(args.exportOutput, report.outputs_json(outputs))


def _profile(args: argparse.Namespace, engine: Engine, batch: int) -> None:
    """Profiles in a run of its own."""
    profile = engine.profile(batch, _PROFILED_RUNS)
    if args.dumpProfile:
        print(f"=== Profile ({_PROFILED_RUNS} iterations, in a run of its own) ===")
        for line in report.profile_lines(profile):
            print(line)
    if args.exportProfile:
        report.write_json(args.exportProfile, report.profile_json(profile, _PROFILED_RUNS))
