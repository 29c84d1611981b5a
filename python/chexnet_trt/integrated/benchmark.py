"""A graph timed as it is and with engines in every precision, as the whitepaper's script does it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from chexnet_trt._core import BackendError, InputError, write_file
from chexnet_trt.integrated.calibration_graph import (
    calibration_graph,
    finish_calibration,
    start_calibration,
)
from chexnet_trt.integrated.conversion import Converted, Partition, Settings, build, divide
from chexnet_trt.integrated.graph_input import GraphInput
from chexnet_trt.integrated.log_block import LOG_FILE, log_block
from chexnet_trt.integrated.report import Report
from chexnet_trt.integrated.session import run_batches, time_graph
from chexnet_trt.progress import ProgressLine
from chexnet_trt.uff.graph_def import GraphDef

NATIVE = "native"


@dataclass(frozen=True)
class Measured:
    """mode: native, FP32, FP16 or INT8. network: the graph's name in the log. scores: of the batch.
    report: of the engines; None for the native graph.
    """

    mode: str
    network: str
    seconds: list[float]
    scores: NDArray[Any]
    report: Report | None = None


@dataclass(frozen=True)
class Benchmark:
    """batch: what every graph is run on. fallback: as of Settings. Files are written in `folder`,
    under the names that the script gave them.
    """

    graph: GraphDef
    name: str
    spec: GraphInput
    output_node: str
    batch: NDArray[Any]
    loops: int
    folder: Path
    fallback: bool = False

    def native(self) -> Measured:
        return self._measured(NATIVE, f"{NATIVE}_{self.name}", self.graph, None)

    def with_engines(self, mode: str) -> Measured:
        """mode: FP32 or FP16. Raises InputError or BackendError when there are no engines."""
        return self._integrated(mode, build(self.partition, self._settings(mode)))

    def int8(self, images: Iterable[NDArray[Any]], count: int) -> Measured:
        """images: `count` representative ones in batches, to calibrate with."""
        calibration = calibration_graph(
            start_calibration(self.partition, self._settings("INT8"))
        )
        self._write(f"tftrt_int8_calib_{self.name}", calibration)
        progress, done = ProgressLine(), 0
        try:
            for seen in run_batches(calibration, images, self.spec.name, self.output_node):
                done += seen
                progress("calibrate", done, count)
        finally:
            progress.close()
        return self._integrated("INT8", finish_calibration(calibration))

    @cached_property
    def partition(self) -> Partition:
        """Which parts become engines is the same in every precision."""
        return divide(self.graph, [self.output_node], self._settings("FP32"))

    def _settings(self, mode: str) -> Settings:
        return Settings(max_batch=len(self.batch), precision=mode, fallback=self.fallback)

    def _integrated(self, mode: str, converted: Converted) -> Measured:
        if not converted.report.segments and not self.fallback:
            raise BackendError(
                f"{mode}: no part of the graph became an engine; see --report for the reasons, or "
                "let TensorFlow compute all of it with --allow_fallback"
            )
        network = f"tftrt_{mode.lower()}_{self.name}"
        self._write(network, converted.graph)
        return self._measured(mode, network, converted.graph, converted.report)

    def _write(self, name: str, graph: GraphDef) -> None:
        write_file(str(self.folder / name), graph.SerializeToString())

    def _measured(
        self, mode: str, network: str, graph: GraphDef, report: Report | None
    ) -> Measured:
        seconds, scores = time_graph(
            graph, self.batch, self.spec.name, self.output_node, self.loops
        )
        if scores.ndim != 2:
            raise InputError(
                f"the output '{self.output_node}' of shape {list(scores.shape)} is not one score a "
                "class (--output_node)"
            )
        with (self.folder / LOG_FILE).open("a", encoding="utf-8") as log:
            log.write(log_block(network, len(self.batch), seconds))
        return Measured(mode, network, seconds, scores, report)
