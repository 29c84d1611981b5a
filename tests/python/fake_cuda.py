"""A stand-in for cuda.bindings.runtime: device memory is the host's, streams work at once, calls
are recorded. Nothing of it says how fast a GPU is.
"""

# ruff: noqa: N802, N815 - the names are CUDA's.

from __future__ import annotations

import ctypes
import enum
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np


class Status(enum.IntEnum):
    SUCCESS = 0
    OUT_OF_MEMORY = 2
    INSUFFICIENT_DRIVER = 35
    NO_DEVICE = 100
    NOT_READY = 600
    CAPTURE_INVALIDATED = 901


class FakeCuda:
    """`calls`: names in order; `failing`: what fails, by name."""

    cudaStreamNonBlocking = 1
    cudaMemcpyKind = SimpleNamespace(cudaMemcpyHostToDevice="in", cudaMemcpyDeviceToHost="out")
    cudaStreamCaptureMode = SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)
    cudaDeviceAttr = SimpleNamespace(
        cudaDevAttrComputeCapabilityMajor=75, cudaDevAttrComputeCapabilityMinor=76
    )
    cudaError_t = Status

    def __init__(self, capability: tuple[int, int] = (8, 9)) -> None:
        self.calls: list[str] = []
        self.failing: dict[str, Status] = {}
        self.driver = 13000
        self.capability = capability
        self.memory: dict[int, np.ndarray] = {}
        self.captured: list[Callable[[], None]] | None = None
        self.ticks = 0.0
        self._handles = 0

    def recorded(self, *names: str) -> list[str]:
        """The calls of these names, in order, which are then forgotten with all others."""
        calls = [call for call in self.calls if call in names]
        self.calls.clear()
        return calls

    def enqueue(self, name: str, work: Callable[[], None]) -> None:
        """What a kernel does: at once, or when a graph with it is launched."""
        self.calls.append(name)
        if self.captured is None:
            work()
        else:
            self.captured.append(work)

    def _status(self, name: str) -> Status:
        self.calls.append(name)
        return self.failing.get(name, Status.SUCCESS)

    def _handle(self) -> int:
        self._handles += 1
        return self._handles

    # The device.

    def cudaGetDeviceCount(self) -> tuple[Any, ...]:
        return self._status("cudaGetDeviceCount"), 1

    def cudaDriverGetVersion(self) -> tuple[Any, ...]:
        return Status.SUCCESS, self.driver

    def cudaRuntimeGetVersion(self) -> tuple[Any, ...]:
        return Status.SUCCESS, 13010

    def cudaGetErrorString(self, status: Status) -> tuple[Any, ...]:
        return Status.SUCCESS, status.name.encode()

    def cudaDeviceGetAttribute(self, attribute: int, device: int) -> tuple[Any, ...]:
        return Status.SUCCESS, self.capability[attribute - 75]

    def cudaGetDeviceProperties(self, device: int) -> tuple[Any, ...]:
        return Status.SUCCESS, SimpleNamespace(name=b"Fake GPU\0\0")

    # Memory.

    def cudaMalloc(self, size: int) -> tuple[Any, ...]:
        return self._allocate("cudaMalloc", size)

    def cudaHostAlloc(self, size: int, flags: int) -> tuple[Any, ...]:
        return self._allocate("cudaHostAlloc", size)

    def cudaFree(self, address: int) -> tuple[Any, ...]:
        del self.memory[address]
        return (self._status("cudaFree"),)

    def cudaFreeHost(self, address: int) -> tuple[Any, ...]:
        del self.memory[address]
        return (self._status("cudaFreeHost"),)

    def cudaMemcpyAsync(self, *arguments: Any) -> tuple[Any, ...]:
        target, source, size, kind, _ = arguments
        for address in (target, source):
            assert size <= len(self.memory[address]), "beyond the memory that was allocated"
        self.enqueue(f"copy {kind}", lambda: ctypes.memmove(target, source, size))
        return (self._status("cudaMemcpyAsync"),)

    def _allocate(self, name: str, size: int) -> tuple[Any, ...]:
        array = np.full(size, 0xCD, np.uint8)  # What new memory holds is nobody's to rely on.
        self.memory[array.ctypes.data] = array
        return self._status(name), array.ctypes.data

    # Streams and graphs.

    def cudaStreamCreateWithFlags(self, flags: int) -> tuple[Any, ...]:
        return self._status("cudaStreamCreateWithFlags"), self._handle()

    def cudaStreamDestroy(self, stream: int) -> tuple[Any, ...]:
        return (self._status("cudaStreamDestroy"),)

    def cudaStreamSynchronize(self, stream: int) -> tuple[Any, ...]:
        return (self._status("cudaStreamSynchronize"),)

    def cudaStreamBeginCapture(self, stream: int, mode: int) -> tuple[Any, ...]:
        self.captured = []
        return (self._status("cudaStreamBeginCapture"),)

    def cudaStreamEndCapture(self, stream: int) -> tuple[Any, ...]:
        graph, self.captured = self.captured, None
        return self._status("cudaStreamEndCapture"), graph

    def cudaGraphInstantiate(self, graph: Any, flags: int) -> tuple[Any, ...]:
        return self._status("cudaGraphInstantiate"), list(graph)

    def cudaGraphDestroy(self, graph: Any) -> tuple[Any, ...]:
        return (self._status("cudaGraphDestroy"),)

    def cudaGraphExecDestroy(self, graph: Any) -> tuple[Any, ...]:
        return (self._status("cudaGraphExecDestroy"),)

    def cudaGraphLaunch(self, graph: Any, stream: int) -> tuple[Any, ...]:
        for work in graph:
            work()
        return (self._status("cudaGraphLaunch"),)

    # Events: one millisecond passes from each to the next.

    def cudaEventCreate(self) -> tuple[Any, ...]:
        return self._status("cudaEventCreate"), SimpleNamespace(time=None)

    def cudaEventDestroy(self, event: Any) -> tuple[Any, ...]:
        return (self._status("cudaEventDestroy"),)

    def cudaEventRecord(self, event: Any, stream: int) -> tuple[Any, ...]:
        self.ticks += 1
        event.time = self.ticks
        return (self._status("cudaEventRecord"),)

    def cudaEventSynchronize(self, event: Any) -> tuple[Any, ...]:
        return (self._status("cudaEventSynchronize"),)

    def cudaEventQuery(self, event: Any) -> tuple[Any, ...]:
        return (self._status("cudaEventQuery"),)

    def cudaEventElapsedTime(self, start: Any, end: Any) -> tuple[Any, ...]:
        return self._status("cudaEventElapsedTime"), end.time - start.time
