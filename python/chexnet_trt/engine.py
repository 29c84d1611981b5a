"""Engines: load from a file, run, save."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt import _core

Array = NDArray[Any]

TIMING_ONLY = "timing only: the int8 ranges are RANDOM, the scores mean nothing"

logger = logging.getLogger("chexnet_trt")
_LEVELS = {"warning": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}


def _forward_log(level: str, message: str) -> None:
    logger.log(_LEVELS[level], message)


_core.set_log_sink(_forward_log)


class Inference:
    """An inference in flight. It keeps its arrays alive; `outputs` is valid after `wait`."""

    def __init__(self, core: _core.ExecutionContext, outputs: dict[str, Array]) -> None:
        self._core = core
        self._outputs = outputs
        self._lock = threading.Lock()
        self._done = False
        self._error: Exception | None = None

    def wait(self) -> dict[str, Array]:
        """Blocks until done; returns the outputs by name. Raises BackendError if it failed."""
        with self._lock:
            if not self._done:
                try:
                    self._core.wait()
                except _core.Error as error:
                    self._error = error
                self._done = True
        if self._error is not None:
            raise self._error
        return self._outputs

    def ready(self) -> bool:
        """Whether `wait` would return at once."""
        return self._done or bool(self._core.ready())


class ExecutionContext:
    """A queue of inferences, one at a time; several contexts of one engine run side by side.

    Any thread may call it; threads that share a context take turns.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._core = _core.ExecutionContext(engine.core)
        self._lock = threading.Lock()
        self._previous: Inference | None = None

    def enqueue(self, bindings: Array | Mapping[str, Array]) -> Inference:
        """Starts an inference, after waiting for the previous one, and returns.

        `bindings`: an array a named input, or the only input itself; output arrays may be given
        too and are then written in place. Inputs stay unchanged until the inference is done.
        Raises InputError when an array does not fit.
        """
        batch, arrays, outputs = self._engine.bind(bindings)
        with self._lock:
            if self._previous is not None:
                self._settle(self._previous)
            self._core.enqueue(batch, arrays)
            self._previous = Inference(self._core, outputs)
            return self._previous

    def layer_times(self) -> list[Any]:
        """Of the last inference, when the engine has profiling: objects with name, milliseconds."""
        return list(self._core.layer_times())

    @staticmethod
    def _settle(inference: Inference) -> None:
        """An error stays with the inference that it belongs to."""
        try:
            inference.wait()
        except _core.Error:
            logger.debug("the previous inference failed; its wait() raises the error")


class Engine:
    """A network ready to run. Thread-safe."""

    def __init__(self, core: _core.Engine, report: Mapping[str, Any] | None = None) -> None:
        self.core = core
        self.report = report
        """Of the build: passes, candidates, timing_batch, seconds; None for a loaded engine."""
        self.inputs = tuple(core.inputs)
        """Objects with name, element (a NumPy dtype name), shape (-1: batch) and layout."""
        self.outputs = tuple(core.outputs)
        self.max_batch = int(core.max_batch)
        self.slice = int(core.slice)
        """Larger batches run in pieces of this size; 0: every batch runs whole."""
        self.precision = str(core.precision)
        self.backend = str(core.backend)
        self.device = str(core.device)
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

    @property
    def graph(self) -> _core.Graph:
        """The optimised network."""
        return self.core.graph

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the engine file, all of it or nothing. Raises InputError when that fails."""
        self.core.save(os.fspath(path))

    def layers(self, batch: int | None = None) -> list[Any]:
        """Objects with name, type, precision and kernel, as the backend runs `batch` (maximum)."""
        return list(self.core.layers(self.max_batch if batch is None else batch))

    def create_context(self) -> ExecutionContext:
        """Logs a warning when the engine is for timing only."""
        if self.timing_only:
            logger.warning(TIMING_ONLY)
        return ExecutionContext(self)

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

    def bind(
        self, bindings: Array | Mapping[str, Array]
    ) -> tuple[int, list[Array], dict[str, Array]]:
        """(batch, arrays in the engine's order, outputs by name), all checked."""
        given = self._by_name(bindings)
        batch = self._batch_of(given)
        arrays = [np.ascontiguousarray(_checked(info, given, batch)) for info in self.inputs]
        outputs = {}
        for info in self.outputs:
            if info.name in given:
                outputs[info.name] = _checked(info, given, batch)
            else:
                outputs[info.name] = np.empty(_shape(info, batch), _dtype(info))
        return batch, arrays + list(outputs.values()), outputs

    def _by_name(self, bindings: Array | Mapping[str, Array]) -> Mapping[str, Array]:
        if not isinstance(bindings, Mapping):
            if len(self.inputs) != 1:
                names = ", ".join(info.name for info in self.inputs)
                raise _core.InputError(f"the engine has several inputs: give a dict with {names}")
            return {self.inputs[0].name: bindings}
        known = {info.name for info in (*self.inputs, *self.outputs)}
        unknown = sorted(set(bindings) - known)
        if unknown:
            raise _core.InputError(
                f"the engine has no input or output '{unknown[0]}', only {', '.join(sorted(known))}"
            )
        return bindings

    def _batch_of(self, given: Mapping[str, Array]) -> int:
        for info in self.inputs:
            if -1 in info.shape and info.name in given:
                shape = np.shape(given[info.name])
                if len(shape) != len(info.shape):
                    raise _misfit(info, given[info.name])
                batch = int(shape[0])
                if not 1 <= batch <= self.max_batch:
                    raise _core.InputError(
                        f"input '{info.name}' has batch {batch}, the engine takes 1 ... "
                        f"{self.max_batch}; split it, or build with a larger max batch"
                    )
                return batch
        return 1


def load(
    path: str | os.PathLike[str],
    *,
    threads: int | None = None,
    streams: int | None = None,
    profiling: bool | None = None,
    require_exact_device: bool = False,
) -> Engine:
    """Reads an engine file; what is None is as the engine was built.

    An engine of another device is compiled again with a warning, or refused with
    `require_exact_device`. Raises InputError on files that are damaged, foreign or newer.
    """
    core = _core.load_engine(
        os.fspath(path),
        threads=threads,
        streams=streams,
        profiling=profiling,
        require_exact_device=require_exact_device,
    )
    return Engine(core)


def _dtype(info: _core.TensorInfo) -> np.dtype[Any]:
    try:
        return np.dtype(info.element)
    except TypeError:
        raise _core.InputError(f"NumPy has no {info.element}, the type of '{info.name}'") from None


def _shape(info: _core.TensorInfo, batch: int) -> tuple[int, ...]:
    return tuple(batch if extent == -1 else extent for extent in info.shape)


def _checked(info: _core.TensorInfo, given: Mapping[str, Array], batch: int) -> Array:
    if info.name not in given:
        raise _core.InputError(f"no array for the input '{info.name}'")
    array = given[info.name]
    fits = (
        isinstance(array, np.ndarray)
        and array.dtype == _dtype(info)
        and array.shape == _shape(info, batch)
    )
    if not fits:
        raise _misfit(info, array)
    return array


def _misfit(info: _core.TensorInfo, array: object) -> _core.InputError:
    expected = ", ".join("batch" if extent == -1 else str(extent) for extent in info.shape)
    if isinstance(array, np.ndarray):
        got = f"{array.dtype} {list(array.shape)}"
    else:
        got = f"a {type(array).__name__}"
    return _core.InputError(f"'{info.name}' takes {info.element} [{expected}], got {got}")
