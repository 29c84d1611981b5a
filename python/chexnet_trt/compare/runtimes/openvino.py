"""OpenVINO by itself, on the frozen graph or on what NNCF made of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from chexnet_trt.compare import files
from chexnet_trt.compare.modes import Mode
from chexnet_trt.compare.runtimes import Array
from chexnet_trt.compare.runtimes.devices import require
from chexnet_trt.compare.setting import OUTPUT, Setting

_CONFIG: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}


class _Bound:
    def __init__(self, request: Any, shape: tuple[int, ...]) -> None:  # noqa: ANN401
        import openvino as ov

        self.input: Array = np.zeros(shape, np.float32)
        self._request = request
        request.set_input_tensor(ov.Tensor(self.input, shared_memory=True))

    def run(self) -> Array:
        self._request.infer()
        scores: Array = self._request.get_output_tensor().data
        return scores

    def device_times(self, count: int) -> list[float]:
        times = []
        for _ in range(count):
            self._request.infer()
            times.append(float(self._request.latency))
        return times


class _Session:
    layout = "nhwc"

    def __init__(self, path: str, precision: str, setting: Setting) -> None:
        import openvino as ov

        self._core = ov.Core()
        self._path = path
        self._size = setting.size
        self._config = _CONFIG | {
            "INFERENCE_PRECISION_HINT": "bf16" if precision in ("bf16", "mixed") else "f32",
            "INFERENCE_NUM_THREADS": setting.threads,
        }
        self.facts: dict[str, Any] = {"version": ov.__version__}

    def bind(self, batch: int) -> _Bound:
        import openvino as ov

        whole = self._core.read_model(self._path)
        scores = next(port for port in whole.outputs if f"{OUTPUT}:0" in port.names)
        network = ov.Model([scores.node], whole.get_parameters(), "network")
        shape = (batch, *self._size)
        network.reshape(list(shape))
        compiled = self._core.compile_model(network, "CPU", self._config)
        return _Bound(compiled.create_infer_request(), shape)


def open_session(mode: Mode, setting: Setting) -> _Session:
    require("openvino", mode.precision)
    path = files.path_of(mode.file, setting) if mode.file else setting.model
    return _Session(str(path), mode.precision, setting)
