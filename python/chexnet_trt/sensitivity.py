"""Which layers int8 hurts, and how few have to stay in floating point."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from chexnet_trt import builder
from chexnet_trt.accuracy import Agreement, compare, scores_of
from chexnet_trt.int8 import Int8, layers
from chexnet_trt.native_engine import NativeEngine
from chexnet_trt.network import Network
from chexnet_trt.progress import Progress

Array = NDArray[Any]


@dataclass(frozen=True)
class LayerSensitivity:
    """`agreement`: of the network in which this layer alone computes in int8."""

    layer: str
    agreement: Agreement


class Trial:
    """Builds int8 engines of one network and compares them with fp32 on the same images.

    `batches`: arrays for the network's only input.
    """

    def __init__(
        self,
        network: Network,
        int8: Int8,
        batches: Sequence[Array],
        *,
        backend: str = "openvino",
        threads: int = 0,
    ) -> None:
        self.network = network
        self.int8 = int8
        self.layers = layers(network, int8)
        self._batches = batches
        self._backend = backend
        self._threads = threads
        self._reference = self._scores("fp32", int8)

    def with_int8(self, int8: Int8) -> Trial:
        """The same trial of other ranges."""
        other = copy(self)
        other.int8 = int8
        return other

    def agreement(self, high_precision: Sequence[str], precision: str = "int8") -> Agreement:
        """With these layers in floating point, all others in int8. `precision`: int8 or mixed."""
        return compare(self._reference, self._scores(precision, self.int8.keeping(high_precision)))

    def _scores(self, precision: str, int8: Int8) -> Array:
        largest = max(len(batch) for batch in self._batches)
        core, _ = builder.compile_core(
            self.network.optimized,
            backend=self._backend,
            precisions=[precision],
            obey=True,
            int8=int8,
            max_batch=largest,
            slice_size=largest,
            threads=self._threads,
            embed_blob=False,
        )
        return scores_of(NativeEngine(core), self._batches)


def rank(trial: Trial, progress: Progress | None = None) -> list[LayerSensitivity]:
    """Every layer that can compute in int8, the most sensitive first: the one whose int8 alone
    leaves the lowest signal-to-quantisation-noise ratio of the outputs.
    """
    rows = []
    for done, layer in enumerate(trial.layers):
        if progress:
            progress("sensitivity", done, len(trial.layers))
        others = [name for name in trial.layers if name != layer]
        rows.append(LayerSensitivity(layer, trial.agreement(others)))
    return sorted(rows, key=lambda row: row.agreement.sqnr_db)


@dataclass(frozen=True)
class Decision:
    """`agreement`: of the network with `high_precision` kept, against fp32."""

    high_precision: tuple[str, ...]
    agreement: Agreement
    tried: int


def fewest_high_precision(
    trial: Trial, target: float, progress: Progress | None = None
) -> Decision:
    """Keeps as few layers in floating point as the target allows, the most sensitive first: none,
    else 1, 2, 4, ... and then the least number between the last that failed and the first that
    holds. `target`: of Agreement.miss.
    """
    agreement = trial.agreement(())
    if not agreement.miss(target):
        return Decision((), agreement, 1)
    order = [row.layer for row in rank(trial, progress)]
    results = {0: agreement}

    most = 2 * len(order).bit_length()

    def holds(count: int) -> bool:
        if count not in results:
            if progress:
                progress("accuracy target", len(results), most)
            results[count] = trial.agreement(order[:count])
        return not results[count].miss(target)

    good = 1
    while not holds(good) and good < len(order):
        good = min(2 * good, len(order))
    bad = max((count for count in results if count < good and not holds(count)), default=0)
    while good - bad > 1:
        middle = (good + bad) // 2
        if holds(middle):
            good = middle
        else:
            bad = middle
    return Decision(tuple(order[:good]), results[good], len(results))
