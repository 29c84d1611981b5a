"""A graph timed as it is and with engines, as the whitepaper's script does it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt._core import BackendError, InputError, write_file
from chexnet_trt.accuracy import Agreement, compare
from chexnet_trt.int8 import Int8
from chexnet_trt.int8_arguments import CHECK_IMAGES
from chexnet_trt.integrated.calibration_graph import recording_graph, start_calibration
from chexnet_trt.integrated.conversion import Partition, Settings, build, divide
from chexnet_trt.integrated.graph_input import GraphInput
from chexnet_trt.integrated.log_block import LOG_FILE, log_block
from chexnet_trt.integrated.report import Report
from chexnet_trt.integrated.session import run_batches, time_graph
from chexnet_trt.progress import ProgressLine
from chexnet_trt.uff.graph_def import GraphDef

NATIVE = "native"
_MINIMUM_SEGMENT_SIZE = 3  # The default of create_inference_graph, which the script left alone.


@dataclass(frozen=True)
class Measured:
    """network: the graph's name in the log. seconds: of each run. scores: of the batch. report: of
    the engines; None for the graph as it is. agreement: with that, of the scores of calibration
    images.
    """

    network: str
    seconds: list[float]
    scores: NDArray[Any]
    report: Report | None = None
    agreement: Agreement | None = None


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
        return self._measured(f"{NATIVE}_{self.name}", self.graph)

    def with_engines(self, mode: str) -> Measured:
        """mode: FP32 or FP16. Raises InputError or BackendError when there are no engines."""
        return self._integrated(mode, None)

    def int8(self, images: Iterable[NDArray[Any]], count: int) -> Measured:
        """images: `count` representative ones, in batches, to calibrate with; how far the scores of
        the first of them are from native is measured, too.
        """
        calibration = start_calibration(self.partition)
        graph = recording_graph(calibration)
        self._write(f"tftrt_int8_calib_{self.name}", graph)
        kept: list[NDArray[Any]] = []
        expected: list[NDArray[Any]] = []
        progress, done = ProgressLine(), 0
        try:
            for scores in self._run(graph, _keeping(kept, self._check_images, images)):
                expected.extend(scores[: self._check_images - len(expected)])
                done += len(scores)
                progress("calibrate", done, count)
        finally:
            progress.close()
        return self._integrated("INT8", calibration.int8(), (kept, expected))

    def _integrated(
        self,
        mode: str,
        int8: Mapping[str, Int8] | None,
        check: tuple[list[NDArray[Any]], list[NDArray[Any]]] | None = None,
    ) -> Measured:
        """check: images, and the scores that they should have."""
        settings = Settings(len(self.batch), mode, _MINIMUM_SEGMENT_SIZE, fallback=self.fallback)
        converted = build(self.partition, settings, int8)
        if not converted.report.segments and not self.fallback:
            raise BackendError(
                f"{mode}: no part of the graph became an engine, for the reasons above; "
                "--allow_fallback lets TensorFlow compute all of it"
            )
        network = f"tftrt_{mode.lower()}_{self.name}"
        self._write(network, converted.graph)
        measured = self._measured(network, converted.graph)
        agreement = self._agreement(converted.graph, *check) if check else None
        return replace(measured, report=converted.report, agreement=agreement)

    def _agreement(
        self, graph: GraphDef, images: list[NDArray[Any]], expected: list[NDArray[Any]]
    ) -> Agreement:
        size = len(self.batch)
        batches = [np.stack(images[at : at + size]) for at in range(0, len(images), size)]
        return compare(np.stack(expected), np.concatenate(list(self._run(graph, batches))))

    def _run(self, graph: GraphDef, batches: Iterable[NDArray[Any]]) -> Iterator[NDArray[Any]]:
        return run_batches(graph, batches, self.spec.name, self.output_node)

    @property
    def _check_images(self) -> int:
        """CHECK_IMAGES, in whole batches."""
        size = self.spec.batch or 1
        return max(CHECK_IMAGES // size, 1) * size

    @cached_property
    def partition(self) -> Partition:
        """Which parts become engines, the same in every precision."""
        return divide(self.graph, [self.output_node], _MINIMUM_SEGMENT_SIZE)

    def _write(self, name: str, graph: GraphDef) -> None:
        write_file(str(self.folder / name), graph.SerializeToString())

    def _measured(self, network: str, graph: GraphDef) -> Measured:
        seconds, scores = time_graph(
            graph, self.batch, self.spec.name, self.output_node, self.loops
        )
        if scores.ndim != 2:
            raise InputError(
                f"the output '{self.output_node}' of shape {list(scores.shape)} is not one score a "
                "class; name another --output_node"
            )
        if not np.isfinite(scores).all():
            raise BackendError(f"{network}: scores that are infinite or no number")
        with (self.folder / LOG_FILE).open("a", encoding="utf-8") as log:
            log.write(log_block(network, len(self.batch), seconds))
        return Measured(network, seconds, scores)


def _keeping(
    kept: list[NDArray[Any]], limit: int, batches: Iterable[NDArray[Any]]
) -> Iterator[NDArray[Any]]:
    """The batches; their first images, `limit` at most, stay in `kept`."""
    for batch in batches:
        kept.extend(batch[: limit - len(kept)])
        yield batch
