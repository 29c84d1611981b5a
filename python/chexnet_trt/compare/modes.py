"""The ways to run a network that are compared: a row each, whether this machine has them or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chexnet_trt._core import InputError


@dataclass(frozen=True)
class Mode:
    """`runtime`: of chexnet_trt.compare.runtimes. `backend`: of our engines. `file`: of
    chexnet_trt.compare.files, which the mode runs or needs beside the frozen graph. `stock`: also
    measured with the stock network.
    """

    name: str
    title: str
    runtime: str
    precision: str
    device: str = "CPU"
    backend: str = ""
    file: str = ""
    stock: bool = False


def _native(prefix: str, backend: str, device: str, title: str, precision: str) -> Mode:
    shown = "int8 + bf16" if precision == "mixed" else precision
    return Mode(
        f"{prefix}-{precision}",
        f"{title} {shown}",
        "native",
        precision,
        device,
        backend,
        file="ranges" if precision in ("int8", "mixed") else "",
        stock=precision == "int8",
    )


def _integrated(precision: str) -> Mode:
    return Mode(
        f"integrated-{precision}",
        f"Integrated {precision}",
        "integrated",
        precision,
        backend="openvino",
        stock=precision == "int8",
    )


def _engines() -> tuple[Mode, ...]:
    """mixed is int8 with bf16 where int8 leaves floating point."""
    cpu = ("native", "openvino", "CPU", "Native engine")
    cuda = ("cuda", "cuda", "GPU", "Native CUDA")
    tensorrt = ("tensorrt", "tensorrt", "GPU", "Native TensorRT")
    gpu_precisions = ("fp32", "bf16", "fp16", "int8")
    return (
        *(_native(*cpu, precision) for precision in ("fp32", "bf16", "fp16", "int8", "mixed")),
        *(_native(*cuda, precision) for precision in gpu_precisions),
        *(_native(*tensorrt, precision) for precision in gpu_precisions),
    )


MODES = (
    Mode("tensorflow-cpu", "TensorFlow fp32, CPU", "tensorflow", "fp32"),
    Mode("tensorflow-gpu", "TensorFlow fp32, GPU", "tensorflow", "fp32", "GPU"),
    *(_integrated(precision) for precision in ("fp32", "fp16", "int8")),
    *_engines(),
    Mode("onnxruntime-fp32", "ONNX Runtime fp32", "onnxruntime", "fp32", file="onnx"),
    Mode("onnxruntime-int8", "ONNX Runtime int8", "onnxruntime", "int8", file="onnx-int8"),
    Mode("openvino-fp32", "OpenVINO fp32", "openvino", "fp32"),
    Mode("openvino-bf16", "OpenVINO bf16", "openvino", "bf16"),
    Mode("openvino-int8", "OpenVINO int8 (NNCF)", "openvino", "int8", file="nncf"),
    Mode("openvino-mixed", "OpenVINO int8 + bf16 (NNCF)", "openvino", "mixed", file="nncf"),
)
BY_NAME = {mode.name: mode for mode in MODES}

# What the others' times are divided by: the whitepaper's own starting point.
BASELINE = "tensorflow-cpu"


def select(names: Sequence[str] | None) -> list[Mode]:
    """The modes of these names in the table's order; None: all. Raises InputError."""
    if names is None:
        return list(MODES)
    unknown = _unknown(names)
    if unknown:
        raise InputError(f"there is no mode '{unknown}'; there are {', '.join(BY_NAME)}")
    return [mode for mode in MODES if mode.name in names]


def _unknown(names: Iterable[str]) -> str | None:
    return next((name for name in names if name not in BY_NAME), None)
