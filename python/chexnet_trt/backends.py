"""The backends that a build can name: those of the core, and TensorRT."""

from __future__ import annotations

from chexnet_trt import _core

NATIVE, CUDA, TENSORRT = "openvino", "cuda", "tensorrt"
# Those of the core, whose engines it runs itself.
NATIVES = (NATIVE, CUDA)
# Highest first; TensorRT's builder takes them all, for a device that need not be this one's.
TENSORRT_PRECISIONS = ("fp32", "fp16", "bf16", "int8", "mixed")


def on_device(backend: str, device: int) -> str:
    """What builds call device `device` of `backend`. Raises InputError for TensorRT's."""
    if device == 0:
        return backend
    if backend == TENSORRT:
        raise _core.InputError(
            f"device {device}: TensorRT builds for a kind of GPU, not for one of them; leave it out"
        )
    return f"{backend}:{device}"


def precisions(backend: str) -> list[str]:
    """The precisions that a build for `backend` can take."""
    return list(TENSORRT_PRECISIONS if backend == TENSORRT else _core.device_precisions(backend))


def measuring(backend: str) -> str:
    """The backend that calibrates for `backend`, and measures its precisions' accuracy: that one
    where it runs, else the CPU's.
    """
    return NATIVE if backend == TENSORRT or cannot_run(backend) else backend


def cannot_run(backend: str) -> str:
    """Why no engine of one of the core's backends runs here; empty when they do."""
    kind = backend.partition(":")[0]
    reasons = {status.name: status.cannot_run for status in _core.backends()}
    return reasons.get(kind, f"this version has no backend '{kind}'")
