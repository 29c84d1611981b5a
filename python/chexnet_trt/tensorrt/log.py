"""TensorRT's log: kept, so that an error can say what TensorRT said of it."""

from __future__ import annotations

import logging
import threading
from typing import Any

logger = logging.getLogger("chexnet_trt.tensorrt")


class Log:
    """What TensorRT logged since `clear`. `sink` is the object to give to TensorRT.

    TensorRT keeps the first sink of a process for good, so there is one a module (adapter.py).
    """

    def __init__(self, trt: Any) -> None:  # noqa: ANN401 - either of NVIDIA's modules
        self._errors: list[str] = []
        self._lock = threading.Lock()
        self.sink = _sink(trt, self)

    def clear(self) -> None:
        with self._lock:
            self._errors.clear()

    def errors(self) -> list[str]:
        """The errors, each in one line, without repetitions."""
        with self._lock:
            return list(dict.fromkeys(self._errors))

    def add_error(self, message: str) -> None:
        with self._lock:
            self._errors.append(" ".join(message.split()))


def _sink(trt: Any, log: Log) -> Any:  # noqa: ANN401
    severities = trt.ILogger.Severity
    levels = {
        severities.WARNING: logging.WARNING,
        severities.INFO: logging.INFO,
        severities.VERBOSE: logging.DEBUG,
    }

    class Sink(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:  # noqa: ANN401
            """Called by TensorRT, from any thread; no exception may leave it."""
            if severity in levels:
                logger.log(levels[severity], "%s", message)
            else:
                log.add_error(message)

    return Sink()
