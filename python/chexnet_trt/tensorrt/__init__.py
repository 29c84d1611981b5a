"""Graph -> NVIDIA TensorRT, through NVIDIA's bindings: `tensorrt` 10 and 11, `tensorrt_rtx`."""

from __future__ import annotations
