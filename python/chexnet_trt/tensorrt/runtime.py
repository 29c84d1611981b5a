"""A plan in the device, and what runs one batch size of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from chexnet_trt import _core
from chexnet_trt.bindings import Array, dtype_of, shape_of
from chexnet_trt.tensorrt.adapter import REFUSED_BY_RTX, Api
from chexnet_trt.tensorrt.device import CapturedGraph, Device, DeviceMemory, PinnedArray, Stream

logger = logging.getLogger("chexnet_trt.tensorrt")


class LoadedPlan:
    """Raises BackendError with TensorRT's words when it does not take the plan, and InputError when
    the plan does not have these inputs and outputs.
    """

    def __init__(
        self,
        api: Api,
        device: Device,
        plan: bytes | memoryview,
        inputs: Sequence[_core.TensorInfo],
        outputs: Sequence[_core.TensorInfo],
    ) -> None:
        self.api = api
        self.device = device
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        api.log.clear()
        self._runtime = api.trt.Runtime(api.log.sink)
        self.engine = self._runtime.deserialize_cuda_engine(plan)
        if self.engine is None:
            raise _core.BackendError(self._refusal())
        self._check_tensors()

    def create_context(self, batch: int) -> Any:  # noqa: ANN401 - an IExecutionContext
        """For one batch size. Raises BackendError when it is outside the plan's profile."""
        self.api.log.clear()
        context = self.engine.create_execution_context()
        if context is None:
            raise self.failure("create an execution context")
        for info in self.inputs:
            if not context.set_input_shape(info.name, shape_of(info, batch)):
                raise self.failure(f"run batch {batch}")
        return context

    def batch_for(self, batch: int) -> int:
        """The batch size to run for so many images: more where the plan runs no smaller one."""
        for info in self.inputs:
            if -1 in info.shape:
                extent = int(self.engine.get_tensor_shape(info.name)[0])
                if extent != -1:
                    return extent
                least = self.engine.get_tensor_profile_shape(info.name, 0)[0]
                return max(batch, int(least[0]))
        return batch

    def failure(self, what: str) -> _core.BackendError:
        words = "; ".join(self.api.log.errors()) or "it does not say why"
        return _core.BackendError(f"{self.api} cannot {what} on {self.device}: {words}")

    def _refusal(self) -> str:
        text = str(self.failure("load the plan"))
        if self.api.is_rtx and self.device.capability_text in REFUSED_BY_RTX:
            text += (
                "; GPUs like this one need the other TensorRT: build it there with "
                "--tensorrt tensorrt"
            )
        return text

    def _check_tensors(self) -> None:
        """A file whose plan was made from another graph than it holds would read wild memory."""
        count = self.engine.num_io_tensors
        found = {self.engine.get_tensor_name(index) for index in range(count)}
        known = {info.name for info in (*self.inputs, *self.outputs)}
        if found != known:
            raise _core.InputError(
                f"the plan has the inputs and outputs {', '.join(sorted(found))}, the engine file "
                f"{', '.join(sorted(known))}; build it again"
            )
        for info in (*self.inputs, *self.outputs):
            shape = tuple(self.engine.get_tensor_shape(info.name))
            element = self.api.trt.nptype(self.engine.get_tensor_dtype(info.name))
            if not _fits(shape, info.shape) or dtype_of(info) != element:
                raise _core.InputError(
                    f"'{info.name}' is {element.__name__} {list(shape)} in the plan and "
                    f"{info.element} {list(info.shape)} in the engine file; build it again"
                )


def _fits(shape: Sequence[int], known: Sequence[int]) -> bool:
    """A static plan has a number where the engine has a batch."""
    return len(shape) == len(known) and all(
        theirs == ours or ours == -1 for theirs, ours in zip(shape, known, strict=True)
    )


class Tensor:
    """One input or output: in the device, and pinned in the host."""

    def __init__(self, device: Device, info: _core.TensorInfo, batch: int) -> None:
        self.host = PinnedArray(device, shape_of(info, batch), dtype_of(info))
        self.memory = DeviceMemory(device, self.host.size)
        self.batched = -1 in info.shape

    def rows(self, batch: int) -> Array:
        """The first images of the host's array; all of it where there is no batch."""
        return self.host.array[:batch] if self.batched else self.host.array


class BatchRun:
    """One batch size on one stream: an execution context of TensorRT, the memory of its tensors,
    and its kernels as a CUDA graph, where that can be had.

    Every batch size has a context of its own: a graph is only good for the context and the shapes
    that it was captured with. `profiler`: an IProfiler, which needs kernels launched one by one.
    """

    def __init__(
        self,
        plan: LoadedPlan,
        stream: Stream,
        batch: int,
        profiler: Any = None,  # noqa: ANN401
    ) -> None:
        self._plan = plan
        self.stream = stream
        self.batch = plan.batch_for(batch)
        self.context = plan.create_context(self.batch)
        self.inputs = self._tensors(plan.inputs)
        self.outputs = self._tensors(plan.outputs)
        self._set_addresses()
        self._graph: CapturedGraph | None = None
        if profiler is not None:
            self.context.profiler = profiler
            self.context.enqueue_emits_profile = False
        self.copy_in()
        self.compute()  # Sets the context up, and compiles what is compiled on the device.
        self.stream.synchronize()
        if profiler is None:
            self._graph = self._captured()

    def copy_in(self) -> None:
        for tensor in self.inputs.values():
            self.stream.copy_in(tensor.memory, tensor.host)

    def compute(self) -> None:
        if self._graph is not None:
            self._graph.launch(self.stream)
            return
        self._plan.api.log.clear()
        if not self.context.execute_async_v3(stream_handle=self.stream.address):
            raise self._plan.failure(f"run batch {self.batch}")

    def copy_out(self) -> None:
        for tensor in self.outputs.values():
            self.stream.copy_out(tensor.host, tensor.memory)

    def _tensors(self, infos: Sequence[_core.TensorInfo]) -> Mapping[str, Tensor]:
        return {info.name: Tensor(self._plan.device, info, self.batch) for info in infos}

    def _set_addresses(self) -> None:
        for name, tensor in {**self.inputs, **self.outputs}.items():
            if not self.context.set_tensor_address(name, tensor.memory.address):
                raise self._plan.failure(f"take memory for '{name}'")

    def _captured(self) -> CapturedGraph | None:
        """None, with a warning, where it cannot be had: what runs is then the same, but slower."""
        capturable = getattr(self.context, "is_stream_capturable", None)
        if capturable is not None and not capturable(self.stream.address):
            logger.info("batch %d: TensorRT does not let its work be captured yet", self.batch)
            return None
        try:
            return self.stream.capture(self.compute)
        except _core.BackendError as error:
            logger.warning("batch %d runs without a CUDA graph: %s", self.batch, error)
            return None
