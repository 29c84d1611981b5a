"""The times and the kinds of layers, as TensorRT tells them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chexnet_trt.tensorrt.adapter import Api
from chexnet_trt.tensorrt.runtime import LoadedPlan


@dataclass(frozen=True)
class LayerTime:
    name: str
    milliseconds: float


@dataclass(frozen=True)
class Layer:
    """As _core.LayerInfo. `nodes`: none, for TensorRT's names do not tell them apart safely."""

    name: str
    type: str
    precision: str
    kernel: str
    nodes: Sequence[str] = ()


class LayerTimes:
    """`sink` is the IProfiler to give to an execution context."""

    def __init__(self, api: Api) -> None:
        self._reported: list[LayerTime] = []
        self.sink = _sink(api.trt, self._reported)

    def collect(self, context: Any) -> list[LayerTime]:  # noqa: ANN401
        """Of the context's last run, which must be done."""
        self._reported.clear()
        context.report_to_profiler()
        return list(self._reported)


def _sink(trt: Any, reported: list[LayerTime]) -> Any:  # noqa: ANN401
    class Sink(trt.IProfiler):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProfiler.__init__(self)

        def report_layer_time(self, layer_name: str, ms: float) -> None:
            """Called by TensorRT; no exception may leave it."""
            reported.append(LayerTime(layer_name, ms))

    return Sink()


def layers_of(plan: LoadedPlan, batch: int) -> list[Layer]:
    """The layers that run a batch size."""
    inspector = plan.engine.create_engine_inspector()
    inspector.execution_context = plan.create_context(plan.batch_for(batch))
    kind = plan.api.trt.LayerInformationFormat.JSON
    return parse_layers(inspector.get_engine_information(kind))


def parse_layers(text: str) -> list[Layer]:
    """Of the inspector's JSON: names alone, or objects where the plan has details."""
    return [_layer(entry) for entry in json.loads(text).get("Layers", [])]


def _layer(entry: str | Mapping[str, Any]) -> Layer:
    if isinstance(entry, str):
        return Layer(entry, "", "", "")
    outputs = entry.get("Outputs") or [{}]
    # 11 tells the element type apart, 10 has it in "Row major linear FP32".
    words = outputs[0].get("Datatype") or outputs[0].get("Format/Datatype") or ""
    return Layer(
        entry.get("Name", ""),
        entry.get("LayerType", ""),
        _PRECISIONS.get(words.split()[-1] if words else "", words),
        entry.get("TacticName", ""),
    )


_PRECISIONS = {
    "FP32": "f32", "Float": "f32", "FP16": "f16", "Half": "f16", "BF16": "bf16",
    "BFloat16": "bf16", "Int8": "i8", "INT8": "i8", "Int32": "i32", "Int64": "i64",
}  # fmt: skip
