"""What this machine's devices have kernels for."""

from __future__ import annotations

from chexnet_trt import _core
from chexnet_trt.backends import TENSORRT, cannot_run


def require(backend: str, precision: str) -> None:
    """Raises InputError where the backend is absent or its device would only emulate a precision,
    whose speed says nothing.
    """
    if backend == TENSORRT:
        _require_tensorrt()
        return
    if reason := cannot_run(backend):
        raise _core.InputError(reason)
    if precision not in _core.device_precisions(backend):
        raise _core.InputError(f"{_core.device_name(backend)} has no {precision} kernels")


def _require_tensorrt() -> None:
    from chexnet_trt.tensorrt.presence import presence

    found = presence()
    if found.missing or found.runs.startswith("no"):
        raise _core.InputError(found.missing or found.runs.removeprefix("no: "))
