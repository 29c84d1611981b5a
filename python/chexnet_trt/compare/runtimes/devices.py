"""What this machine's devices have kernels for."""

from __future__ import annotations

from chexnet_trt import _core


def require(backend: str, precision: str) -> None:
    """Raises InputError where the backend is absent or its device would only emulate a precision,
    whose speed says nothing.
    """
    status = {row.name: row.missing for row in _core.backends()}
    missing = status.get(backend, f"this version has no backend '{backend}'")
    if missing:
        raise _core.InputError(missing)
    if precision not in _core.device_precisions(backend):
        raise _core.InputError(f"{_core.device_name(backend)} has no {precision} kernels")
