"""Chest X-ray classifiers from TensorFlow to calibrated native inference engines."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("chexnet_trt")
except PackageNotFoundError:
    __version__ = "0"
