"""Engines that the native core runs."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from chexnet_trt import _core
from chexnet_trt.bench import BenchOptions
from chexnet_trt.bindings import Array
from chexnet_trt.engine import Engine, Inference


class NativeInference(Inference):
    """engine.Inference."""

    def __init__(self, core: _core.ExecutionContext, outputs: dict[str, Array]) -> None:
        super().__init__(outputs)
        self._core = core

    def _finish(self) -> None:
        self._core.wait()

    def _is_ready(self) -> bool:
        return bool(self._core.ready())


class NativeContext:
    """engine.ExecutionContext."""

    def __init__(self, engine: NativeEngine) -> None:
        self._engine = engine
        self._core = _core.ExecutionContext(engine.core)
        self._lock = threading.Lock()
        self._previous: NativeInference | None = None

    def enqueue(self, bindings: Array | Mapping[str, Array]) -> NativeInference:
        bound = self._engine.bind(bindings)
        with self._lock:
            if self._previous is not None:
                self._previous.settle()
            self._core.enqueue(bound.batch, [*bound.inputs.values(), *bound.outputs.values()])
            self._previous = NativeInference(self._core, bound.outputs)
            return self._previous

    def layer_times(self) -> list[Any]:
        return list(self._core.layer_times())


class NativeEngine(Engine):
    """engine.Engine over the core's."""

    core: _core.Engine

    def __init__(self, core: _core.Engine, report: Mapping[str, Any] | None = None) -> None:
        super().__init__(core, report)
        self.slice = int(core.slice)
        self.slices_at_once = int(core.slices_at_once)

    @property
    def max_cached_batches(self) -> int:
        """How many compiled batch sizes stay in memory; 0, as at first, is all that were used.

        Beyond that the least recently used goes, and compiling it again when it is next used takes
        seconds: for servers short of memory whose batch sizes vary. A context still holds what it
        ran until it meets a size that it has not compiled.
        """
        return int(self.core.max_cached_batches)

    @max_cached_batches.setter
    def max_cached_batches(self, count: int) -> None:
        if count < 0:
            raise _core.InputError(f"max_cached_batches {count}: give 0 (all) or more")
        self.core.max_cached_batches = count

    def layers(self, batch: int | None = None) -> list[Any]:
        return list(self.core.layers(self.max_batch if batch is None else batch))

    def bench(self, options: BenchOptions) -> _core.BenchResult:
        return _core.run_bench(self.core, **{**vars(options), "inputs": list(options.inputs)})

    def profile(self, batch: int, iterations: int) -> list[_core.LayerProfile]:
        """On the same network compiled with profiling."""
        profiled = self.core.with_profiling()
        return list(_core.profile_layers(profiled, batch=batch, iterations=iterations))

    def _host_memory(self, size: int) -> Array:
        return self.core.host_memory(size)

    def _new_context(self) -> NativeContext:
        return NativeContext(self)
