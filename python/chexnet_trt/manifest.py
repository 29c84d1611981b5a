"""The manifest: what an engine file says about itself, as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from chexnet_trt import machine
from chexnet_trt.accuracy import Agreement
from chexnet_trt.backends import measuring
from chexnet_trt.engine import TIMING_ONLY, Engine
from chexnet_trt.int8 import QUANTIZED, Int8
from chexnet_trt.network import Network

# The output whose 14 scores the whitepaper defines.
SCORES = "chexnet_sigmoid_tensor"


def compose(
    engine: Engine,
    *,
    network: Network,
    asked: Sequence[str],
    obey: bool,
    int8: Int8 | None,
    agreement: Agreement | None,
    deterministic: bool,
    class_names: Sequence[str] | None,
) -> dict[str, Any]:
    """Describes a freshly built engine. `agreement`: of its int8 with fp32, if checked.
    `deterministic`: whether it was asked to be. "accuracy_measured_on" is the backend that a build
    measures accuracy on, where it does; a calibration table may be from any.
    """
    report = engine.report or {}
    return {
        "format_version": 1,
        "tool_version": machine.version("chexnet_trt"),
        "created_utc": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "source": {**network.origin, "graph_sha256": engine.graph.hash()},
        "marks": list(network.marks),
        "model": {
            "inputs": [_tensor(info) for info in engine.inputs],
            "outputs": [_tensor(info) for info in engine.outputs],
        },
        "preprocess": network.preprocessing
        and {**network.preprocessing.to_json(), "embedded": network.embedded_preset},
        "labels": class_names
        and {
            "names": list(class_names),
            "order_sha256": hashlib.sha256("\n".join(class_names).encode()).hexdigest(),
        },
        "precision": {
            "asked": list(asked),
            "constraints": "obey" if obey else "permit",
            "mode": engine.precision,
            "candidates": report["candidates"],
            "timing_batch": report["timing_batch"],
            "timing_input": report["timing_input"],
            "per_layer": engine.layer_precisions(report["timing_batch"]),
        },
        "calibration": _calibration(engine, int8, agreement),
        "hardware": {
            "backend": engine.backend,
            "device": engine.device,
            "accuracy_measured_on": measuring(engine.backend),
            **machine.describe(),
        },
        "build": {
            "seconds": report["seconds"],
            "max_batch": engine.max_batch,
            "slice": engine.slice,
            "slices_at_once": engine.slices_at_once,
            "slices": report["slices"],
            "passes": report["passes"],
            "deterministic": deterministic,
            "tensorrt": report.get("tensorrt"),
        },
    }


def _calibration(
    engine: Engine, int8: Int8 | None, agreement: Agreement | None
) -> dict[str, Any] | None:
    """Of an engine that computes in int8."""
    if int8 is None or engine.precision not in QUANTIZED:
        return None
    return {
        **int8.calibration,
        "high_precision": list(int8.high_precision),
        "agreement_on_calibration_images": agreement and agreement.to_json(),
    }


def calibration_lines(fields: Mapping[str, Any] | None) -> list[str]:
    """A manifest's "calibration" in words."""
    if not fields:
        return []
    agreement = fields["agreement_on_calibration_images"]
    if fields["random_ranges"]:
        lines = [TIMING_ONLY]
    elif fields["foreign_table"]:
        lines = ["a table of another tool, accepted unchecked"]
    else:
        images = f"{fields['image_count']} images, sha256 {fields['images_sha256']}"
        lines = [f"{fields['algorithm']} on {images}"]
    if fields["high_precision"]:
        lines.append(f"kept in floating point: {', '.join(fields['high_precision'])}")
    if agreement:
        compared = Agreement.from_json(agreement)
        lines.append(f"against fp32, on images of the calibration itself: {compared}")
    elif not fields["random_ranges"]:
        lines.append("not compared with fp32: there were no images; give --calib-data")
    return lines


def _tensor(info: Any) -> dict[str, Any]:  # noqa: ANN401 - bound class, stubbed in _core.pyi
    return {
        "name": info.name,
        "element": info.element,
        "shape": list(info.shape),
        "layout": info.layout,
    }
