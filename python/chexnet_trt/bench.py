"""What a measurement is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chexnet_trt.bindings import Array


@dataclass(frozen=True)
class BenchOptions:
    """As trtexec has them: queries run until `iterations` have been kept and `duration_s` has
    passed; those that started within `warm_up_ms` are dropped.

    `duration_s`: 0: `iterations` alone decide. `streams`: contexts in flight; `threads`: a host
    thread for each. `idle_ms`: pause between queries after warm-up, `sleep_ms`: before the first.
    `inputs`: an array an input; none: random numbers. `progress(elapsed_ms, queries)` returns False
    to stop.
    """

    batch: int = 1
    iterations: int = 10
    warm_up_ms: float = 200
    duration_s: float = 3
    streams: int = 1
    threads: bool = False
    idle_ms: float = 0
    sleep_ms: float = 0
    inputs: Sequence[Array] = ()
    progress: Callable[[float, int], bool] | None = None
