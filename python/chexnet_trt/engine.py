"""Engines: what every backend's has in common, and loading one from a file."""

from __future__ import annotations

import json
import logging
import math
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from chexnet_trt import _core
from chexnet_trt.bench import BenchOptions
from chexnet_trt.bindings import Array, Bound, bind, dtype_of, shape_of

TIMING_ONLY = "timing only: the int8 ranges are RANDOM, the scores mean nothing"

logger = logging.getLogger("chexnet_trt")
_LEVELS = {"warning": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}


def _forward_log(level: str, message: str) -> None:
    logger.log(_LEVELS[level], message)


_core.set_log_sink(_forward_log)


class Inference(ABC):
    """An inference in flight. It keeps its arrays alive; the outputs are valid after `wait`."""

    def __init__(self, outputs: dict[str, Array]) -> None:
        self._outputs = outputs
        self._lock = threading.Lock()
        self._done = False
        self._error: Exception | None = None

    def wait(self) -> dict[str, Array]:
        """Blocks until done; returns the outputs by name. Raises BackendError if it failed."""
        with self._lock:
            if not self._done:
                try:
                    self._finish()
                except _core.Error as error:
                    self._error = error
                self._done = True
        if self._error is not None:
            raise self._error
        return self._outputs

    def ready(self) -> bool:
        """Whether `wait` would return at once."""
        return self._done or self._is_ready()

    def settle(self) -> None:
        """`wait` for whoever comes next: an error stays with the inference that it belongs to."""
        try:
            self.wait()
        except _core.Error:
            logger.debug("the previous inference failed; its wait() raises the error")

    @abstractmethod
    def _finish(self) -> None:
        """Blocks until the outputs are there."""

    @abstractmethod
    def _is_ready(self) -> bool: ...


class ExecutionContext(Protocol):
    """A queue of inferences, one at a time; several contexts of one engine run side by side.

    Any thread may call it; threads that share a context take turns.
    """

    def enqueue(self, bindings: Array | Mapping[str, Array]) -> Inference:
        """Starts an inference, after waiting for the previous one, and returns.

        `bindings`: an array a named input, or the only input itself; output arrays may be given
        too and are then written in place. Inputs stay unchanged until the inference is done.
        Raises InputError when an array does not fit.
        """

    def layer_times(self) -> list[Any]:
        """Of the last inference, when the engine has profiling: objects with name, milliseconds."""


class Engine(ABC):
    """A network ready to run. Thread-safe."""

    core: _core.Engine | _core.ExternalEngine
    """The native part."""
    inputs: tuple[_core.TensorInfo, ...]
    """Objects with name, element (a NumPy dtype name), shape (-1: batch) and layout."""
    outputs: tuple[_core.TensorInfo, ...]
    max_batch: int
    slice: int = 0
    """Larger batches run in pieces of at most this size; 0: every batch runs whole."""
    slices_at_once: int = 1
    """How many of them run side by side, each on its share of the threads."""
    precision: str
    backend: str
    device: str
    plan: memoryview | None = None
    """TensorRT's own engine, as trtexec and Triton take it; None for other backends."""
    runtime_version: str = ""
    """The TensorRT that made the plan."""
    report: Mapping[str, Any] | None
    """Of the build: passes, candidates, timing_batch, seconds; None for a loaded engine."""

    def __init__(
        self, core: _core.Engine | _core.ExternalEngine, report: Mapping[str, Any] | None
    ) -> None:
        self.core = core
        self.inputs = tuple(core.inputs)
        self.outputs = tuple(core.outputs)
        self.max_batch = int(core.max_batch)
        self.precision = str(core.precision)
        self.backend = str(core.backend)
        self.device = str(core.device)
        self.report = report
        self._idle: list[ExecutionContext] = []
        self._idle_lock = threading.Lock()

    @property
    def manifest(self) -> dict[str, Any]:
        """A copy; assign to change it."""
        try:
            manifest = json.loads(self.core.manifest)
        except (ValueError, RecursionError):  # Text that is not UTF-8 is a ValueError too.
            manifest = None
        if not isinstance(manifest, dict):
            raise _core.InputError("the engine's manifest is not a JSON object; build it again")
        return manifest

    @manifest.setter
    def manifest(self, value: Mapping[str, Any]) -> None:
        self.core.manifest = json.dumps(value, sort_keys=True)

    @property
    def timing_only(self) -> bool:
        """Whether its int8 ranges are random: its times mean something, its scores nothing."""
        return bool((self.manifest.get("calibration") or {}).get("random_ranges"))

    @property
    def graph(self) -> _core.Graph:
        """The optimised network."""
        return self.core.graph

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the engine file, all of it or nothing. Raises InputError when that fails."""
        self.core.save(os.fspath(path))

    @abstractmethod
    def layers(self, batch: int | None = None) -> list[Any]:
        """Objects with name, type, precision and kernel, as the backend runs `batch` (maximum)."""

    def layer_precisions(self, batch: int) -> dict[str, str]:
        """What each layer computes in, by name."""
        return {layer.name: layer.precision for layer in self.layers(batch)}

    @abstractmethod
    def bench(self, options: BenchOptions) -> _core.BenchResult:
        """Measures as trtexec does. Raises InputError on options that do not fit the engine and
        BackendError when an inference fails.
        """

    @abstractmethod
    def profile(self, batch: int, iterations: int) -> list[_core.LayerProfile]:
        """The times of the layers, measured on random input in a run of its own."""

    @abstractmethod
    def _new_context(self) -> ExecutionContext: ...

    def create_context(self) -> ExecutionContext:
        """Logs a warning when the engine is for timing only."""
        if self.timing_only:
            logger.warning(TIMING_ONLY)
        return self._new_context()

    def infer(self, batch: Array | Mapping[str, Array]) -> dict[str, Array]:
        """Runs one batch of 1 ... max_batch: an array a named input, or the only input itself.

        Returns the outputs by name. Raises InputError when an array does not fit and BackendError
        when the inference fails.
        """
        with self._idle_lock:
            context = self._idle.pop() if self._idle else None
        context = context or self.create_context()
        try:
            return context.enqueue(batch).wait()
        finally:
            with self._idle_lock:
                self._idle.append(context)

    def create_buffers(self, batch: int) -> dict[str, Array]:
        """Arrays by name for the inputs and outputs of one inference of `batch` items, zeroed.

        Where there is a choice they lie where the device reads and writes them without the CPU
        (page-locked, for a GPU): bind them instead of arrays of your own to save copying.
        """
        arrays = {}
        for info in (*self.inputs, *self.outputs):
            dtype, shape = dtype_of(info), shape_of(info, batch)
            memory = self._host_memory(math.prod(shape) * dtype.itemsize)
            arrays[info.name] = memory.view(dtype).reshape(shape)
        return arrays

    def _host_memory(self, size: int) -> Array:
        return np.zeros(size, np.uint8)

    def bind(self, bindings: Array | Mapping[str, Array]) -> Bound:
        """The arrays of one inference, checked."""
        return bind(self.inputs, self.outputs, self.max_batch, bindings)


def load(
    path: str | os.PathLike[str],
    *,
    device: int = 0,
    threads: int | None = None,
    streams: int | None = None,
    profiling: bool | None = None,
    require_exact_device: bool = False,
) -> Engine:
    """Reads an engine file, to run on device `device` of its backend; what is None is as the engine
    was built.

    An engine of another device is compiled again with a warning, or refused with
    `require_exact_device`; one of TensorRT when it is first used, and it has no threads or streams
    to set.
    Raises InputError on files that are damaged, foreign or newer.
    """
    core = _core.load_engine(
        os.fspath(path),
        device=device,
        threads=threads,
        streams=streams,
        profiling=profiling,
        require_exact_device=require_exact_device,
    )
    if isinstance(core, _core.ExternalEngine):
        from chexnet_trt.tensorrt.engine import TensorRtEngine

        return TensorRtEngine(
            core, profiling=bool(profiling), require_exact_device=require_exact_device
        )
    from chexnet_trt.native_engine import NativeEngine

    return NativeEngine(core)
