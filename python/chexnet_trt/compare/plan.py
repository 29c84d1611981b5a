"""What is to be compared, and how long."""

from __future__ import annotations

from dataclasses import dataclass

from chexnet_trt.compare import scenarios
from chexnet_trt.compare.modes import Mode


@dataclass(frozen=True)
class Plan:
    """`data`: images for input and calibration; none: random ones. `film`: for file to score.
    `image_size`: of a network that is named. `server_limit_ms`: of the server's 99th percentile.
    """

    model: str
    modes: tuple[Mode, ...]
    batches: tuple[int, ...]
    rounds: int
    round_seconds: float
    scenario_seconds: float
    threads: int
    latency_target_ms: float
    server_limit_ms: float
    stock: bool = True
    image_size: int | None = None
    preset: str | None = None
    data: str | None = None
    film: str | None = None
    engines: tuple[str, ...] = ()
    least_queries: int = scenarios.LEAST_QUERIES

    @property
    def blocks(self) -> list[tuple[str, int]]:
        """(kind, batch size) of the rounds, in order."""
        return [("batch", batch) for batch in self.batches] + [("file", 1)]
