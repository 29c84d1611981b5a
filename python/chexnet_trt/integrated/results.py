"""What the modes of a benchmark gave, as text and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from chexnet_trt.int8_arguments import DEFAULT_TARGET
from chexnet_trt.integrated.benchmark import NATIVE, Measured
from chexnet_trt.integrated.engine_op import fallback_calls
from chexnet_trt.integrated.log_block import latency, log_block, throughput
from chexnet_trt.integrated.predictions import ScoreNames, top_predictions


@dataclass(frozen=True)
class Results:
    """measured: by mode. source_notes: what the model says of its scores. top: how many scores are
    named.
    """

    measured: Mapping[str, Measured]
    names: ScoreNames
    top: int
    random_input: bool
    source_notes: Sequence[str]

    def lines(self) -> list[str]:
        """After the script's own lines, how far the modes are apart, and what to know."""
        found = ["Predictions:"]
        for mode, one in self.measured.items():
            found.append(f"Precision:  {mode} {self._predictions(one)}")
        for mode, difference in self._differences().items():
            found.append(f"{mode}: largest difference of a score from native {difference:.2e}")
        for mode, one in self.measured.items():
            if one.agreement:
                found.append(f"{mode}: on calibration images, {one.agreement}")
        return found + self.notes()

    def notes(self) -> list[str]:
        found = list(self.source_notes)
        for mode, one in self.measured.items():
            missed = one.agreement.miss(DEFAULT_TARGET) if one.agreement else ""
            if missed:
                found.append(f"{mode}: {missed}; evaluate it before its scores are used.")
        if self.random_input:
            found.append("The input is RANDOM: the scores mean nothing.")
        if fallback_calls():
            found.append(f"TensorFlow computed {fallback_calls()} times in place of an engine.")
        return found

    def to_json(self) -> dict[str, Any]:
        differences = self._differences()
        return {
            "input": "random" if self.random_input else "images",
            "fallback_calls": fallback_calls(),
            "notes": self.notes(),
            "modes": {
                mode: {
                    **_times(one),
                    "engines": [row.precision for row in one.report.segments] if one.report else [],
                    "predictions": self._predictions(one),
                    "difference_from_native": differences.get(mode),
                    "agreement_on_calibration_images": one.agreement and one.agreement.to_json(),
                }
                for mode, one in self.measured.items()
            },
        }

    def reports(self) -> dict[str, Any]:
        """What became of the nodes, by mode."""
        return {mode: asdict(one.report) for mode, one in self.measured.items() if one.report}

    def _predictions(self, measured: Measured) -> list[str]:
        """Of the first image."""
        scores = measured.scores[0]
        return top_predictions(scores, self.names.of(len(scores)), self.top)

    def _differences(self) -> dict[str, float]:
        """The largest of any score, by mode, where native ran."""
        if NATIVE not in self.measured:
            return {}
        truth = self.measured[NATIVE].scores
        return {
            mode: float(np.abs(one.scores - truth).max())
            for mode, one in self.measured.items()
            if mode != NATIVE
        }


def mode_lines(measured: Measured) -> list[str]:
    """The engines of a mode, and its block of the log."""
    report = measured.report.lines(detailed=False) if measured.report else []
    block = log_block(measured.network, len(measured.scores), measured.seconds)
    return [*report, block.strip("\n")]


def _times(measured: Measured) -> dict[str, Any]:
    batch_size = len(measured.scores)
    return {
        "network": measured.network,
        "batch_size": batch_size,
        "steps": len(measured.seconds),
        "fps": asdict(throughput(measured.seconds, batch_size)),
        "latency_s": asdict(latency(measured.seconds)),
    }
