"""Inferences by TensorRT."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from chexnet_trt import _core
from chexnet_trt.bindings import Array, Bound
from chexnet_trt.engine import Engine, Inference
from chexnet_trt.tensorrt.device import Event, Stream
from chexnet_trt.tensorrt.profiling import LayerTimes
from chexnet_trt.tensorrt.runtime import BatchRun, LoadedPlan

# Of a context; each batch size holds memory of the device.
_KEPT_BATCHES = 8


class TensorRtInference(Inference):
    """engine.Inference."""

    def __init__(self, run: BatchRun, bound: Bound, done: Event) -> None:
        super().__init__(bound.outputs)
        self._run = run
        self._bound = bound
        self._event = done

    def _finish(self) -> None:
        self._event.synchronize()
        for name, array in self._bound.outputs.items():
            array[...] = self._run.outputs[name].rows(self._bound.batch)

    def _is_ready(self) -> bool:
        return self._event.ready()


class TensorRtContext:
    """engine.ExecutionContext. `profiling`: times the layers of every inference."""

    def __init__(self, engine: Engine, plan: LoadedPlan, *, profiling: bool = False) -> None:
        self._engine = engine
        self._plan = plan
        self._stream = Stream(plan.device)
        self._done = Event(plan.device)
        self._times = LayerTimes(plan.api) if profiling else None
        self._runs: OrderedDict[int, BatchRun] = OrderedDict()
        self._lock = threading.Lock()
        self._previous: TensorRtInference | None = None
        self._last: BatchRun | None = None

    def enqueue(self, bindings: Array | Mapping[str, Array]) -> TensorRtInference:
        bound = self._engine.bind(bindings)
        _check_writeable(bound.outputs)
        with self._lock:
            if self._previous is not None:
                self._previous.settle()
            run = self._run_of(bound.batch)
            for name, array in bound.inputs.items():
                run.inputs[name].rows(bound.batch)[...] = array
            run.copy_in()
            run.compute()
            run.copy_out()
            self._done.record(self._stream)
            self._last = run
            self._previous = TensorRtInference(run, bound, self._done)
            return self._previous

    def layer_times(self) -> list[Any]:
        with self._lock:
            if self._times is None or self._last is None:
                return []
            self._stream.synchronize()
            return self._times.collect(self._last.context)

    def _run_of(self, batch: int) -> BatchRun:
        size = self._plan.batch_for(batch)
        if size not in self._runs:
            sink = self._times.sink if self._times else None
            self._runs[size] = BatchRun(self._plan, self._stream, size, sink)
            if len(self._runs) > _KEPT_BATCHES:
                self._runs.popitem(last=False)
        self._runs.move_to_end(size)
        return self._runs[size]


def _check_writeable(outputs: Mapping[str, Array]) -> None:
    for name, array in outputs.items():
        if not array.flags.writeable:
            raise _core.InputError(f"the array for '{name}' must be writeable, as an output is")
