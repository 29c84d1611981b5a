"""ONNX Runtime on the CPU, on what tf2onnx makes of the frozen graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from chexnet_trt._core import InputError
from chexnet_trt.compare import files
from chexnet_trt.compare.modes import Mode
from chexnet_trt.compare.runtimes import Array
from chexnet_trt.compare.setting import INPUT, OUTPUT, Setting


class _Bound:
    def __init__(self, session: Any, shape: tuple[int, ...]) -> None:  # noqa: ANN401
        self.input: Array = np.zeros(shape, np.float32)
        self._session = session

    def run(self) -> Array:
        scores: Array = self._session.run([f"{OUTPUT}:0"], {f"{INPUT}:0": self.input})[0]
        return scores

    def device_times(self, count: int) -> list[float]:
        return []


class _Session:
    layout = "nhwc"

    def __init__(self, session: Any, setting: Setting, facts: dict[str, Any]) -> None:  # noqa: ANN401
        self._session = session
        self._size = setting.size
        self.facts = facts

    def bind(self, batch: int) -> _Bound:
        return _Bound(self._session, (batch, *self._size))


def open_session(mode: Mode, setting: Setting) -> _Session:
    try:
        import onnxruntime as ort
    except ImportError:
        raise InputError("onnxruntime is absent: pip install 'chexnet_trt[peers]'") from None
    options = ort.SessionOptions()
    options.intra_op_num_threads = setting.threads
    options.inter_op_num_threads = 1
    path = files.path_of(mode.file, setting)
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return _Session(session, setting, {"version": ort.__version__})
