"""The whitepaper's own figures (section 5), which reports show beside those of this machine."""

from __future__ import annotations

from typing import Any

HARDWARE = (
    "one NVIDIA T4, or for CPU an AMD EPYC 7551 with 32 cores; TensorFlow 1.10, TensorRT 5, 2019"
)

# Tables 5 to 7: images/s and ms by batch.
_BATCHES = (1, 2, 4, 8, 16, 32)
_SERIES = {
    "integrated-int8": ((315, 544, 901, 1281, 1456, 1549), (3, 4, 5, 7, 11, 21)),
    "tensorflow-gpu": ((142, 198, 251, 284, 307, 329), (7, 10, 16, 28, 55, 98)),
    "tensorflow-cpu": ((9, 11, 14, 19, 22, 25), (115, 195, 292, 431, 755, 1356)),
}
# Its factors were rounded from figures that it does not print.
_SPEED_UPS = {
    "tensorflow-gpu": ((2, 3, 4, 5, 5, 5), 4),
    "tensorflow-cpu": ((35, 51, 63, 67, 66, 63), 58),
}
# Table 8: mode, batch, images/s, ms.
_TARGET = (
    ("tensorflow-cpu", 1, 9, 114.9),
    ("tensorflow-gpu", 1, 142, 7.1),
    ("integrated-fp32", 2, 272, 7.6),
    ("integrated-fp16", 4, 656, 6.3),
    ("integrated-int8", 8, 1281, 6.6),
    ("tensorrt-int8", 8, 1371, 5.8),
)
# TensorRT's C++ API, int8: the batches that the text gives.
_NATIVE = {1: (675, 1.48219), 8: (1371, 5.8)}


def to_json() -> dict[str, Any]:
    series: dict[str, list[dict[str, float]]] = {
        mode: [
            {"batch": batch, "images_per_s": rate, "ms": ms}
            for batch, rate, ms in zip(_BATCHES, rates, times, strict=True)
        ]
        for mode, (rates, times) in _SERIES.items()
    }
    series["tensorrt-int8"] = [
        {"batch": batch, "images_per_s": rate, "ms": ms} for batch, (rate, ms) in _NATIVE.items()
    ]
    return {
        "hardware": HARDWARE,
        "series": series,
        "speed_ups": {
            mode: {"by_batch": dict(zip(map(str, _BATCHES), factors, strict=True)), "mean": mean}
            for mode, (factors, mean) in _SPEED_UPS.items()
        },
        "target_ms": 7,
        "target": [
            {"mode": mode, "batch": batch, "images_per_s": rate, "ms": ms}
            for mode, batch, rate, ms in _TARGET
        ],
    }
