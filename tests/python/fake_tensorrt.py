"""A stand-in for NVIDIA's module: engines that compute with a function, in FakeCuda's memory."""

from __future__ import annotations

import ctypes
import enum
import json
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from chexnet_trt.tensorrt.adapter import Api
from chexnet_trt.tensorrt.log import Log
from fake_cuda import FakeCuda

Compute = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]


class Logger:
    """trt.ILogger."""

    Severity = SimpleNamespace(VERBOSE=0, INFO=1, WARNING=2, ERROR=3)

    def __init__(self) -> None:
        pass


class DataType(enum.Enum):
    FLOAT = np.float32
    INT64 = np.int64
    UINT8 = np.uint8


class FakeTensorRt:
    """`tensors`: name -> (is an input, shape with -1 for the batch, NumPy type)."""

    ILogger = Logger
    IProfiler = Logger
    LayerInformationFormat = SimpleNamespace(JSON="json")

    def __init__(
        self, cuda: FakeCuda, tensors: Mapping[str, tuple[bool, tuple[int, ...], Any]],
        compute: Compute,
    ) -> None:  # fmt: skip
        self.cuda = cuda
        self.tensors = tensors
        self.compute = compute
        self.log: Any = None
        self.refusal = ""
        self.least, self.most = 1, 8
        self.contexts: list[FakeContext] = []

    def api(self, name: str = "tensorrt", version: tuple[int, ...] = (11, 1, 0, 106)) -> Api:
        return Api(self, name, version, Log(self))

    def Runtime(self, log: Any) -> FakeTensorRt:  # noqa: N802 - NVIDIA's name
        self.log = log
        return self

    def deserialize_cuda_engine(self, plan: Any) -> FakeEngine | None:
        if self.refusal:
            self.log.log(Logger.Severity.ERROR, self.refusal)
            return None
        return FakeEngine(self)

    @staticmethod
    def nptype(kind: DataType) -> Any:
        return kind.value


class FakeEngine:
    """trt.ICudaEngine."""

    def __init__(self, trt: FakeTensorRt) -> None:
        self.trt = trt

    @property
    def num_io_tensors(self) -> int:
        return len(self.trt.tensors)

    def get_tensor_name(self, index: int) -> str:
        return list(self.trt.tensors)[index]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self.trt.tensors[name][1]

    def get_tensor_dtype(self, name: str) -> DataType:
        return DataType(self.trt.tensors[name][2])

    def get_tensor_profile_shape(self, name: str, profile: int) -> list[tuple[int, ...]]:
        shape = self.trt.tensors[name][1]
        return [(size, *shape[1:]) for size in (self.trt.least, self.trt.most, self.trt.most)]

    def create_execution_context(self) -> FakeContext:
        self.trt.contexts.append(FakeContext(self.trt))
        return self.trt.contexts[-1]

    def create_engine_inspector(self) -> Any:
        layers = [
            "one",
            {"Name": "two", "LayerType": "gemm", "TacticName": "fast",
             "Outputs": [{"Format/Datatype": "Row major linear FP16"}]},
            {"Name": "three", "LayerType": "conv", "TacticName": "x",
             "Outputs": [{"Format": "Row major", "Datatype": "Int8"}]},
        ]  # fmt: skip
        text = json.dumps({"Layers": layers})
        return SimpleNamespace(get_engine_information=lambda kind: text, execution_context=None)


class FakeContext:
    """trt.IExecutionContext."""

    def __init__(self, trt: FakeTensorRt) -> None:
        self.trt = trt
        self.shapes: dict[str, Sequence[int]] = {}
        self.addresses: dict[str, int] = {}
        self.profiler: Any = None
        self.enqueue_emits_profile = True
        self.broken = False

    def set_input_shape(self, name: str, shape: Sequence[int]) -> bool:
        self.shapes[name] = shape
        if shape[0] > self.trt.most:
            self.trt.log.log(Logger.Severity.ERROR, "outside the optimization profile")
            return False
        return True

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = address
        return True

    def execute_async_v3(self, stream_handle: int) -> bool:
        if self.broken:
            self.trt.log.log(Logger.Severity.ERROR, "an illegal memory access")
            return False
        self.trt.cuda.enqueue("kernels", self._compute)
        return True

    def report_to_profiler(self) -> bool:
        assert not self.enqueue_emits_profile
        for name, milliseconds in (("conv", 2.0), ("relu", 0.5)):
            self.profiler.report_layer_time(name, milliseconds)
        return True

    def _compute(self) -> None:
        batch = next(iter(self.shapes.values()))[0]
        arrays = {
            name: self._array(name, [batch if n == -1 else n for n in shape], kind)
            for name, (_, shape, kind) in self.trt.tensors.items()
        }
        inputs = {name: arrays[name] for name in self.shapes}
        for name, value in self.trt.compute(inputs).items():
            arrays[name][...] = value

    def _array(self, name: str, shape: Sequence[int], kind: Any) -> np.ndarray:
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        address = self.addresses[name]
        assert size <= len(self.trt.cuda.memory[address])
        memory = (ctypes.c_byte * size).from_address(address)
        return np.frombuffer(memory, kind).reshape(shape)
