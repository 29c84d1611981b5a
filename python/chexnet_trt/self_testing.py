"""Whether a backend computes what the CPU computes: the same graph, the same inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from chexnet_trt.backends import NATIVE
from chexnet_trt.bindings import Array
from chexnet_trt.builder import compile_core
from chexnet_trt.engine import Engine
from chexnet_trt.native_engine import NativeEngine

# Of scores, which lie within 0 ... 1; other outputs by their largest value. That of int8 is for
# roundings that fall the other way, of which a network makes more.
PERMITTED = {"fp32": 1e-4, "fp16": 1e-2, "bf16": 1e-2, "int8": 5e-2, "mixed": 5e-2}

Feeds = Mapping[str, Array]


@dataclass(frozen=True)
class Row:
    """One output at one batch size. `largest`, `mean`: of the absolute differences with the CPU
    (inf where a value is no number); of an output of integers, `largest` is the share that differs.
    `again`: the largest difference of a second run on the same input, after one on another.
    `permitted`: for `largest` and `again`; None: shown and not judged, as an index may change where
    two scores are close.
    """

    batch: int
    output: str
    largest: float
    mean: float
    again: float
    permitted: float | None

    @property
    def passed(self) -> bool:
        if self.permitted is None:
            return True
        return self.largest <= self.permitted and self.again <= self.permitted

    def to_json(self) -> dict[str, Any]:
        """JSON has no infinity: None stands for it."""
        fields = asdict(self) | {"passed": self.passed}
        return {name: None if value == np.inf else value for name, value in fields.items()}


def compare_with_cpu(
    engine: Engine,
    feeds: Callable[[int, int], Feeds],
    batches: Sequence[int],
    tolerance: float | None = None,
) -> list[Row]:
    """`feeds(batch, seed)`: arrays by input. `tolerance`: in place of PERMITTED's.

    Raises BackendError where the engine does not run here.
    """
    permitted = PERMITTED[engine.precision] if tolerance is None else tolerance
    runs = [_Run.of(engine, batch, feeds) for batch in batches]
    core, _ = compile_core(
        engine.graph, backend=NATIVE, max_batch=max(batches), timing_budget_ms=0, embed_blob=False
    )
    reference = NativeEngine(core)
    rows = []
    for run in runs:
        for name, value in reference.infer(dict(run.feeds)).items():
            rows.append(_row(run.batch, name, value, run.found[name], run.again[name], permitted))
    return rows


@dataclass(frozen=True)
class _Run:
    """`again`: after another input, as `found` before."""

    batch: int
    feeds: Feeds
    found: Feeds
    again: Feeds

    @classmethod
    def of(cls, engine: Engine, batch: int, feeds: Callable[[int, int], Feeds]) -> _Run:
        first = dict(feeds(batch, 0))
        found = engine.infer(first)
        engine.infer(dict(feeds(batch, 1)))
        return cls(batch, first, found, engine.infer(first))


def _row(
    batch: int, name: str, expected: Array, found: Array, again: Array, permitted: float
) -> Row:
    if not np.issubdtype(expected.dtype, np.floating):
        differing = float(np.mean(found != expected))
        repeated = float(np.mean(found != again))
        judged = 0.0 if permitted <= PERMITTED["fp32"] else None
        return Row(batch, name, differing, differing, repeated, judged)
    scale = max(1.0, float(np.abs(expected).max()))
    difference = _differences(found, expected)
    return Row(
        batch,
        name,
        float(difference.max()),
        float(difference.mean()),
        float(_differences(again, found).max()),
        permitted * scale,
    )


def _differences(a: Array, b: Array) -> Array:
    with np.errstate(invalid="ignore"):
        difference: Array = np.abs(a.astype(np.float64) - b)
    return np.where(np.isnan(difference), np.inf, difference)
