"""The backends that a build can name: those of the core, and TensorRT."""

from __future__ import annotations

from chexnet_trt import _core

NATIVE, TENSORRT = "openvino", "tensorrt"
# Highest first; TensorRT's builder takes them all, for a device that need not be this one's.
TENSORRT_PRECISIONS = ("fp32", "fp16", "bf16", "int8", "mixed")


def precisions(backend: str) -> list[str]:
    """The precisions that a build for `backend` can take."""
    return list(TENSORRT_PRECISIONS if backend == TENSORRT else _core.device_precisions(backend))


def measuring(backend: str) -> str:
    """The backend that calibrates for `backend`, and measures its precisions' accuracy."""
    return NATIVE if backend == TENSORRT else backend
