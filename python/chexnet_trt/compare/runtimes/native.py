"""Our engine, of any backend: one for every batch size, as `build --max-batch` makes it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from chexnet_trt import build, load
from chexnet_trt.backends import TENSORRT
from chexnet_trt.bench import BenchOptions
from chexnet_trt.compare import files
from chexnet_trt.compare.modes import Mode
from chexnet_trt.compare.runtimes import Array
from chexnet_trt.compare.runtimes.devices import require
from chexnet_trt.compare.setting import INPUT, OUTPUT, Setting
from chexnet_trt.engine import Engine
from chexnet_trt.native_engine import NativeEngine


class _Bound:
    """`apart`: the device has a clock of its own."""

    def __init__(self, engine: Engine, batch: int, apart: bool) -> None:
        self._buffers = engine.create_buffers(batch)
        self._engine = engine
        self._batch = batch
        self._apart = apart
        self._context = engine.create_context()

    @property
    def input(self) -> Array:
        return self._buffers[INPUT]

    def run(self) -> Array:
        return self._context.enqueue(self._buffers).wait()[OUTPUT]

    def device_times(self, count: int) -> list[float]:
        """None of a GPU that runs the batch in slices, whose copies and kernels overlap."""
        if self._apart and 0 < self._engine.slice < self._batch:
            return []
        options = BenchOptions(self._batch, count, warm_up_ms=0, duration_s=0, inputs=[self.input])
        return [trace.compute_ms for trace in self._engine.bench(options).traces]


class _Session:
    layout = "nchw"

    def __init__(self, engine: Engine, largest: int, apart: bool) -> None:
        self._engine = engine
        self._apart = apart
        if isinstance(engine, NativeEngine):
            engine.max_cached_batches = 1  # Bounds hold what they run; many modes share the memory.
        layers = Counter(layer.precision for layer in engine.layers(largest))
        self.facts: dict[str, Any] = {
            "backend": engine.backend,
            "device": engine.device,
            "layers": dict(layers.most_common()),
            "slice": engine.slice,
            "slices_at_once": engine.slices_at_once,
        }

    def bind(self, batch: int) -> _Bound:
        return _Bound(self._engine, batch, self._apart)


def open_session(mode: Mode, setting: Setting) -> _Session:
    if mode.name in setting.engines:
        engine = load(setting.engines[mode.name], threads=setting.threads)
    else:
        engine = _build(mode, setting)
    largest = min(engine.max_batch, setting.max_batch)
    return _Session(engine, largest, apart=mode.device == "GPU")


def _build(mode: Mode, setting: Setting) -> Engine:
    require(mode.backend, mode.precision)
    # A plan of TensorRT is all that its engine holds.
    options: dict[str, Any] = {} if mode.backend == TENSORRT else {"embed_blob": False}
    return build(
        setting.model,
        backend=mode.backend,
        precisions=[mode.precision],
        obey=True,
        calibration=files.path_of("ranges", setting) if mode.file else None,
        max_batch=setting.max_batch,
        threads=setting.threads,
        **options,
        **setting.network,
    )
