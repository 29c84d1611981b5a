"""What tools/bench_gpu.py times on a GPU: our CUDA engine, PyTorch, and the ceilings of the device.

Every inference is a CUDA graph, replayed with its input in device memory; an event in the graph
before its first kernel and one behind its last say how long it took.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from chexnet_trt import _core
from chexnet_trt.compare.runtimes import Array
from chexnet_trt.roofline import Ceilings

_WARM_UP = 3
_SIDE, _COPY_BYTES, _REPEATS = 8192, 2**30, 20
_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

# Peers at their best: cuDNN tries its algorithms, as our builder tries its tiles.
torch.backends.cudnn.benchmark = True


class Engine:
    """Ours, for one batch size, fed float32 images in NCHW order as `build` makes it."""

    def __init__(self, core: _core.Engine, images: Array) -> None:
        batch = len(images)
        scores = torch.empty((batch, core.outputs[0].shape[-1]), device="cuda")
        self._batch = batch
        self._arrays = [torch.from_numpy(images).cuda(), scores]
        torch.cuda.synchronize()
        self._context = _core.ExecutionContext(core)
        for _ in range(_WARM_UP):
            self.run()

    def run(self) -> float:
        """Milliseconds of one inference."""
        self._context.enqueue(self._batch, self._arrays)
        self._context.wait()
        times = self._context.device_times()
        assert times is not None
        return times.compute

    def scores(self) -> Array:
        return self._arrays[1].cpu().numpy()


class Replay:
    """A network of PyTorch for one batch size, fed fp16 images in channels_last order."""

    def __init__(self, network: Callable[[Tensor], Tensor], images: Array) -> None:
        self._input = torch.from_numpy(images).cuda().half()
        self._input = self._input.to(memory_format=torch.channels_last)
        self._start, self._end = (
            torch.cuda.Event(enable_timing=True, external=True) for _ in range(2)
        )
        self._graph = torch.cuda.CUDAGraph()
        with torch.no_grad():
            self._warm_up(network)
            with torch.cuda.graph(self._graph):
                self._start.record()
                self._output = network(self._input)
                self._end.record()
        for _ in range(_WARM_UP):
            self.run()

    def _warm_up(self, network: Callable[[Tensor], Tensor]) -> None:
        """On a stream of its own, as capturing wants it."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP):
                network(self._input)
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()

    def run(self) -> float:
        """Milliseconds of one inference."""
        self._graph.replay()
        self._end.synchronize()
        return float(self._start.elapsed_time(self._end))

    def scores(self) -> Array:
        return self._output.float().cpu().numpy()


def compiled(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """By torch.compile, for the one batch size that it is then called with."""
    torch.compiler.reset()
    return torch.compile(network, fullgraph=True, dynamic=False)


def reference_scores(network: nn.Module, images: Array) -> Array:
    """Of an fp32 network on the CPU."""
    with torch.no_grad():
        scores: Array = network(torch.from_numpy(images)).numpy()
    return scores


def measured_ceilings(precisions: set[str]) -> Ceilings:
    """Of matrix products of 8192 x 8192 and of copying a gibibyte; the medians. int8's is twice
    fp16's, as on tensor cores of compute capability 8.0 to 9.0: PyTorch's product of int8 is slower
    than layers of an engine, so no ceiling.
    """
    source = torch.zeros(_COPY_BYTES, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    copying = _median_s(lambda: target.copy_(source))
    floating = sorted(precisions - {"int8"} | {"fp16"})
    operations = {name: 2 * _SIDE**3 / _median_s(_product(name)) for name in floating}
    if "int8" in precisions:
        operations["int8"] = 2 * operations["fp16"]
    return Ceilings(2 * _COPY_BYTES / copying, operations)


def _product(precision: str) -> Callable[[], object]:
    x, y = (torch.randn(_SIDE, _SIDE, device="cuda").to(_TYPES[precision]) for _ in range(2))
    return lambda: x @ y


def _median_s(work: Callable[[], object]) -> float:
    times = []
    for _ in range(_WARM_UP):
        work()
    for _ in range(_REPEATS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return statistics.median(times)


def versions() -> str:
    found: dict[str, Any] = {
        "PyTorch": torch.__version__,
        "CUDA": torch.version.cuda,
        "cuDNN": torch.backends.cudnn.version(),
    }
    return ", ".join(f"{name} {version}" for name, version in found.items())


def release() -> None:
    """Gives the memory of what is gone back to the device."""
    torch.cuda.empty_cache()
