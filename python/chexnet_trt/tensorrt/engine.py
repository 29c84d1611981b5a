"""An engine of TensorRT: our graph and manifest with its plan."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from chexnet_trt import _core
from chexnet_trt.bench import BenchOptions
from chexnet_trt.engine import Engine, ExecutionContext
from chexnet_trt.layer_table import weight_rows
from chexnet_trt.tensorrt.execution import TensorRtContext
from chexnet_trt.tensorrt.loading import load_plan
from chexnet_trt.tensorrt.measuring import measure, profile
from chexnet_trt.tensorrt.plan_header import read_plan_header
from chexnet_trt.tensorrt.profiling import layers_of
from chexnet_trt.tensorrt.runtime import LoadedPlan


class TensorRtEngine(Engine):
    """engine.Engine over a plan. What is in it can be read without TensorRT and without a GPU."""

    core: _core.ExternalEngine

    def __init__(
        self,
        core: _core.ExternalEngine,
        report: Mapping[str, Any] | None = None,
        *,
        profiling: bool = False,
        require_exact_device: bool = False,
    ) -> None:
        super().__init__(core, report)
        self._profiling = profiling
        self._require_exact_device = require_exact_device
        self._lock = threading.Lock()
        self._loaded: LoadedPlan | None = None
        self.plan = core.plan
        self.plan_header = read_plan_header(core.plan)
        self.runtime_version = str(self.plan_header)

    def layers(self, batch: int | None = None) -> list[Any]:
        return list(layers_of(self._loaded_plan(), batch or self.max_batch))

    def layer_precisions(self, batch: int) -> dict[str, str]:
        """As the network asks: what TensorRT makes of it shows on a device alone."""
        return {row.layer: row.precision for row in weight_rows(self.graph, self.precision, {})}

    def bench(self, options: BenchOptions) -> _core.BenchResult:
        return measure(self._loaded_plan(), options)

    def profile(self, batch: int, iterations: int) -> list[_core.LayerProfile]:
        return profile(self._loaded_plan(), batch, iterations)

    def _new_context(self) -> ExecutionContext:
        return TensorRtContext(self, self._loaded_plan(), profiling=self._profiling)

    def _loaded_plan(self) -> LoadedPlan:
        """In the device, from the first use on. Raises BackendError where that cannot be."""
        with self._lock:
            if self._loaded is None:
                self._loaded = load_plan(self.core, rebuild=not self._require_exact_device)
            return self._loaded
