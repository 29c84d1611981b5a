"""Chest X-ray classifiers from TensorFlow to calibrated native inference engines."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from chexnet_trt._core import BackendError, CalibrationTable, Error, Graph, InputError
from chexnet_trt.builder import build
from chexnet_trt.calibration import calibrate
from chexnet_trt.engine import Engine, ExecutionContext, Inference, load

__all__ = [
    "BackendError",
    "CalibrationTable",
    "Engine",
    "Error",
    "ExecutionContext",
    "Graph",
    "Inference",
    "InputError",
    "build",
    "calibrate",
    "load",
]

try:
    __version__ = version("chexnet_trt")
except PackageNotFoundError:  # the source tree without an installation
    __version__ = "0"
