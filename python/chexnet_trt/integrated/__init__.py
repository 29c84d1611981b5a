"""Integrated mode: engines as nodes of a TensorFlow graph, TensorFlow running the rest."""

from __future__ import annotations

from chexnet_trt.integrated.engine_op import fallback_calls, load_op_library

__all__ = ["fallback_calls", "load_op_library"]
