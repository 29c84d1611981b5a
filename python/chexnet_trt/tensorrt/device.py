"""CUDA by way of cuda-python: memory, streams, events, captured graphs. Nothing of TensorRT."""

from __future__ import annotations

import ctypes
import importlib
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from chexnet_trt._core import BackendError

_NO_DEVICE = 100
_NOT_READY = 600


class Device:
    """The first CUDA device that is visible, by `api`: cuda.bindings.runtime.

    Raises BackendError saying why there is none, and when a call fails.
    """

    def __init__(self, api: Any) -> None:  # noqa: ANN401 - a module
        self.api = api
        status, count = api.cudaGetDeviceCount()
        if int(status) or not count:
            raise BackendError(self._absence(int(status)))
        attributes = api.cudaDeviceAttr
        self.capability: tuple[int, int] = (
            self._attribute(attributes.cudaDevAttrComputeCapabilityMajor),
            self._attribute(attributes.cudaDevAttrComputeCapabilityMinor),
        )
        (properties,) = self.call("cudaGetDeviceProperties", 0)
        self.name = bytes(properties.name).split(b"\0")[0].decode()

    def __str__(self) -> str:
        return f"{self.name}, compute capability {self.capability_text}"

    @property
    def capability_text(self) -> str:
        """ "8.9" """
        return ".".join(map(str, self.capability))

    def call(self, name: str, *arguments: Any) -> Sequence[Any]:  # noqa: ANN401 - as CUDA has them
        """The results of a function of the API without its status."""
        results: Sequence[Any]
        status, *results = getattr(self.api, name)(*arguments)
        if int(status):
            raise BackendError(f"CUDA: {name} fails: {self._text(status)}")
        return results

    def on_release(self, owner: object, name: str, *arguments: Any) -> None:  # noqa: ANN401
        """Calls a function when `owner` is no more; it may fail, as CUDA may be gone by then."""
        weakref.finalize(owner, getattr(self.api, name), *arguments)

    def _attribute(self, attribute: Any) -> int:  # noqa: ANN401 - an enumerator
        (value,) = self.call("cudaDeviceGetAttribute", attribute, 0)
        return int(value)

    def _absence(self, status: int) -> str:
        _, driver = self.api.cudaDriverGetVersion()
        if not driver:
            return "no NVIDIA driver here, so no GPU to run on; install the driver of your GPU"
        if status in (0, _NO_DEVICE):
            return "no GPU is visible to CUDA; look at nvidia-smi and CUDA_VISIBLE_DEVICES"
        _, needed = self.api.cudaRuntimeGetVersion()
        return (
            f"the NVIDIA driver is for CUDA {_version(driver)} and cuda-python for "
            f"{_version(needed)} ({self._text(status)}); install a newer driver or an older "
            "cuda-python"
        )

    def _text(self, status: Any) -> str:  # noqa: ANN401 - an enumerator or its number
        _, text = self.api.cudaGetErrorString(self.api.cudaError_t(int(status)))
        return bytes(text).decode()


def open_device() -> Device:
    """Raises BackendError saying why there is none that can be used."""
    try:
        runtime = importlib.import_module("cuda.bindings.runtime")
    except ImportError as error:
        raise BackendError(f"no cuda-python ({error}): pip install cuda-python") from None
    return Device(runtime)


class DeviceMemory:
    """`address`: of `size` bytes in the device."""

    def __init__(self, device: Device, size: int) -> None:
        (address,) = device.call("cudaMalloc", size)
        self.address = int(address)
        self.size = size
        device.on_release(self, "cudaFree", self.address)


class PinnedArray:
    """Page-locked memory of the host, zero at first. `array` must not outlive this object."""

    def __init__(self, device: Device, shape: Sequence[int], dtype: DTypeLike) -> None:
        self.size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        (address,) = device.call("cudaHostAlloc", self.size, 0)
        self.address = int(address)
        device.on_release(self, "cudaFreeHost", self.address)
        memory = memoryview((ctypes.c_byte * self.size).from_address(self.address)).cast("B")
        self.array: NDArray[Any] = np.frombuffer(memory, dtype).reshape(shape)
        self.array[...] = 0


class Stream:
    """A queue of work for the device. `address`: its handle, as TensorRT takes it."""

    def __init__(self, device: Device) -> None:
        self.device = device
        flags = device.api.cudaStreamNonBlocking
        (self.handle,) = device.call("cudaStreamCreateWithFlags", flags)
        self.address = int(self.handle)
        device.on_release(self, "cudaStreamDestroy", self.handle)

    def copy_in(self, target: DeviceMemory, source: PinnedArray) -> None:
        kind = self.device.api.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._copy(target.address, source.address, source.size, kind)

    def copy_out(self, target: PinnedArray, source: DeviceMemory) -> None:
        kind = self.device.api.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._copy(target.address, source.address, target.size, kind)

    def synchronize(self) -> None:
        self.device.call("cudaStreamSynchronize", self.handle)

    def capture(self, work: Callable[[], None]) -> CapturedGraph:
        """What `work` enqueues here, to be launched at once and again; nothing of it runs now.

        Raises BackendError when it cannot be captured.
        """
        mode = self.device.api.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self.device.call("cudaStreamBeginCapture", self.handle, mode)
        try:
            work()
        except BaseException:
            self.device.api.cudaStreamEndCapture(self.handle)
            raise
        (graph,) = self.device.call("cudaStreamEndCapture", self.handle)
        return CapturedGraph(self.device, graph)

    def _copy(self, target: int, source: int, size: int, kind: Any) -> None:  # noqa: ANN401
        self.device.call("cudaMemcpyAsync", target, source, size, kind, self.handle)


class CapturedGraph:
    """Takes `graph` over."""

    def __init__(self, device: Device, graph: Any) -> None:  # noqa: ANN401 - a handle
        self._device = device
        try:
            (self._executable,) = device.call("cudaGraphInstantiate", graph, 0)
        finally:
            device.call("cudaGraphDestroy", graph)
        device.on_release(self, "cudaGraphExecDestroy", self._executable)

    def launch(self, stream: Stream) -> None:
        self._device.call("cudaGraphLaunch", self._executable, stream.handle)


class Event:
    """A point in a stream."""

    def __init__(self, device: Device) -> None:
        self._device = device
        (self._handle,) = device.call("cudaEventCreate")
        device.on_release(self, "cudaEventDestroy", self._handle)

    def record(self, stream: Stream) -> None:
        self._device.call("cudaEventRecord", self._handle, stream.handle)

    def synchronize(self) -> None:
        self._device.call("cudaEventSynchronize", self._handle)

    def ready(self) -> bool:
        """Whether `synchronize` would return at once; also where the work before it failed."""
        (status,) = self._device.api.cudaEventQuery(self._handle)
        return int(status) != _NOT_READY

    def milliseconds_until(self, later: Event) -> float:
        (milliseconds,) = self._device.call("cudaEventElapsedTime", self._handle, later._handle)
        return float(milliseconds)


def _version(number: int) -> str:
    """13010 -> 13.1"""
    return f"{number // 1000}.{number % 1000 // 10}"
