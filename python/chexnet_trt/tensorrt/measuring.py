"""Measures as trtexec does: latencies by events of the device, host times by its clock."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from chexnet_trt import _core
from chexnet_trt.bench import BenchOptions
from chexnet_trt.bindings import Array
from chexnet_trt.tensorrt.device import Event, Stream
from chexnet_trt.tensorrt.profiling import LayerTimes
from chexnet_trt.tensorrt.runtime import BatchRun, LoadedPlan

_PROGRESS_S = 0.05
_SEED = 1


class _Clock:
    """Milliseconds since the start, of the host and of the device alike."""

    def __init__(self, stream: Stream) -> None:
        self.zero = Event(stream.device)
        self.zero.record(stream)
        self.zero.synchronize()
        self._start = time.perf_counter()

    def now(self) -> float:
        return (time.perf_counter() - self._start) * 1e3


class _Queries:
    """The queries of one stream, one in flight."""

    def __init__(self, plan: LoadedPlan, options: BenchOptions) -> None:
        self._options = options
        self.run = BatchRun(plan, Stream(plan.device), options.batch)
        self._events = [Event(plan.device) for _ in range(4)]
        self._enqueued: tuple[float, float] | None = None
        self.traces: list[_core.Trace] = []
        self.warm_up = 0
        fill(self.run, options)

    def enqueue(self, clock: _Clock) -> float:
        """When it began."""
        run, (before_in, before, after, after_out) = self.run, self._events
        begin = clock.now()
        before_in.record(run.stream)
        run.copy_in()
        before.record(run.stream)
        run.compute()
        after.record(run.stream)
        run.copy_out()
        after_out.record(run.stream)
        self._enqueued = begin, clock.now()
        return begin

    def synchronize(self, clock: _Clock) -> None:
        """Ends the query in flight, if there is one."""
        if self._enqueued is None:
            return
        begin, end = self._enqueued
        self._enqueued = None
        before_in, before, after, after_out = self._events
        after_out.synchronize()
        start = clock.zero.milliseconds_until(before)
        if start < self._options.warm_up_ms:
            self.warm_up += 1
            return
        # Differences of neighbours: those to the far zero have less precision.
        trace = _core.Trace(
            begin,
            end,
            start,
            start + before.milliseconds_until(after),
            before_in.milliseconds_until(before),
            after.milliseconds_until(after_out),
        )
        self.traces.append(trace)

    @property
    def count(self) -> int:
        return len(self.traces) + self.warm_up


def measure(plan: LoadedPlan, options: BenchOptions) -> _core.BenchResult:
    """Raises InputError on options that do not fit."""
    _check(plan, options)
    streams = [_Queries(plan, options) for _ in range(options.streams)]
    time.sleep(options.sleep_ms / 1e3)
    clock = _Clock(streams[0].run.stream)
    _drive(streams, options, clock)
    traces = sorted(
        (trace for stream in streams for trace in stream.traces),
        key=lambda trace: trace.start_compute,
    )
    outputs = [tensor.rows(options.batch) for tensor in streams[0].run.outputs.values()]
    return _core.BenchResult(
        traces,
        sum(stream.warm_up for stream in streams),
        not options.inputs,
        [array.tobytes() for array in outputs],
    )


def _drive(streams: Sequence[_Queries], options: BenchOptions, clock: _Clock) -> None:
    """As the core's runner: until enough were kept for long enough, or `progress` stops it."""
    end = options.warm_up_ms + options.duration_s * 1e3
    reported = time.perf_counter()
    while True:
        begin = 0.0
        for stream in streams:
            stream.synchronize(clock)
            begin = stream.enqueue(clock)
        kept = sum(len(stream.traces) for stream in streams)
        if options.duration_s >= 0 and kept >= options.iterations and begin >= end:
            break
        if options.progress and time.perf_counter() - reported >= _PROGRESS_S:
            reported = time.perf_counter()
            if not options.progress(clock.now(), sum(stream.count for stream in streams)):
                break
        if begin >= options.warm_up_ms and options.idle_ms:
            time.sleep(options.idle_ms / 1e3)
    for stream in streams:
        stream.synchronize(clock)


def profile(plan: LoadedPlan, batch: int, iterations: int) -> list[_core.LayerProfile]:
    """The times of the layers over `iterations` runs on random input, after one that is dropped."""
    times = LayerTimes(plan.api)
    run = BatchRun(plan, Stream(plan.device), batch, times.sink)
    fill(run, BenchOptions(batch=batch))
    runs = []
    for _ in range(iterations + 1):
        run.copy_in()
        run.compute()
        run.stream.synchronize()
        layers = times.collect(run.context)
        runs.append([(layer.name, layer.milliseconds) for layer in layers])
    return list(_core.summarize_layers(runs[1:]))


def fill(run: BatchRun, options: BenchOptions) -> None:
    """Puts the given arrays, or random numbers, where the inputs are copied from."""
    if options.inputs and len(options.inputs) != len(run.inputs):
        raise _core.InputError(
            f"the engine has {len(run.inputs)} inputs, got data for {len(options.inputs)}"
        )
    rng = np.random.default_rng(_SEED)
    for index, tensor in enumerate(run.inputs.values()):
        rows = tensor.rows(options.batch)
        rows[...] = options.inputs[index] if options.inputs else _random(rng, rows)


def _random(rng: np.random.Generator, like: Array) -> Array:
    """As trtexec's: -1 ... 1, and the whole range of 8-bit integers."""
    if np.issubdtype(like.dtype, np.floating):
        return rng.uniform(-1, 1, like.shape)
    limits = np.iinfo(np.int8 if like.dtype.itemsize > 1 else like.dtype)
    return rng.integers(limits.min, limits.max, like.shape, endpoint=True)


def _check(plan: LoadedPlan, options: BenchOptions) -> None:
    size = plan.batch_for(options.batch)
    if size != options.batch:
        raise _core.InputError(f"batch {options.batch}: the plan runs it as {size}; measure that")
    if options.threads:
        raise _core.InputError("one host thread drives all streams of a GPU; leave threads out")
    if options.iterations < 1 or options.streams < 1:
        raise _core.InputError("iterations and streams must be 1 or more")
    if min(options.warm_up_ms, options.idle_ms, options.sleep_ms) < 0:
        raise _core.InputError("warm-up, idle and sleep times must not be negative")
    if options.duration_s < 0 and not options.progress:
        raise _core.InputError("a run without end needs a progress callback that stops it")
