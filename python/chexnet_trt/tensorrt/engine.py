"""An engine of TensorRT: our graph and manifest with its plan."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NoReturn

from chexnet_trt import _core
from chexnet_trt.bench import BenchOptions
from chexnet_trt.engine import Engine, ExecutionContext
from chexnet_trt.layer_table import weight_rows
from chexnet_trt.tensorrt.plan_header import read_plan_header


class TensorRtEngine(Engine):
    """engine.Engine over a plan. What is in it can be read without TensorRT and without a GPU."""

    def __init__(self, core: _core.ExternalEngine, report: Mapping[str, Any] | None = None) -> None:
        super().__init__(report)
        self.core = core
        self.plan = core.plan
        self.plan_header = read_plan_header(core.plan)
        self.inputs = tuple(core.inputs)
        self.outputs = tuple(core.outputs)
        self.max_batch = int(core.max_batch)
        self.precision = str(core.precision)
        self.backend = str(core.backend)
        self.device = str(core.device)

    @property
    def graph(self) -> _core.Graph:
        return self.core.graph

    def save(self, path: str | os.PathLike[str]) -> None:
        self.core.save(os.fspath(path))

    def layers(self, batch: int | None = None) -> list[Any]:
        self._refuse()

    def layer_precisions(self, batch: int) -> dict[str, str]:
        """As the network asks: what TensorRT makes of it shows on a device alone."""
        return {row.layer: row.precision for row in weight_rows(self.graph, self.precision, {})}

    def bench(self, options: BenchOptions) -> _core.BenchResult:
        self._refuse()

    def profile(self, batch: int, iterations: int) -> list[_core.LayerProfile]:
        self._refuse()

    def _new_context(self) -> ExecutionContext:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise _core.BackendError("engines of TensorRT do not run here yet")

    def _manifest_text(self) -> str:
        return self.core.manifest

    def _set_manifest_text(self, text: str) -> None:
        self.core.manifest = text


def load(path: str | os.PathLike[str]) -> TensorRtEngine:
    """`engine.load` for a plan of TensorRT."""
    return TensorRtEngine(_core.load_external_engine(os.fspath(path)))
