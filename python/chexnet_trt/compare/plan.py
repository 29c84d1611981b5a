"""What is to be compared, and how long."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from chexnet_trt.compare import scenarios
from chexnet_trt.compare.modes import MODES, Mode

# Rounds of a batch size: a mode warms up anew for each that is not the last one's.
LEAST_IN_A_ROW = 5


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
    def command(self) -> str:
        """What asks for the same again, without the folders of this machine."""
        options: dict[str, object] = {
            "batches": ",".join(map(str, self.batches)),
            "rounds": self.rounds,
            "round-seconds": f"{self.round_seconds:g}",
            "scenario-seconds": f"{self.scenario_seconds:g}",
            "threads": self.threads,
            "server-limit": f"{self.server_limit_ms:g}",
            "image-size": self.image_size,
            "preprocess": self.preset,
            "data": self.data and Path(self.data).name,
            "film": self.film and Path(self.film).name,
        }
        if self.modes != MODES:
            options["modes"] = ",".join(mode.name for mode in self.modes)
        words = ["python -m chexnet_trt compare", Path(self.model).name]
        words += [f"--{name} {value}" for name, value in options.items() if value]
        words += [f"--engine {Path(engine).name}" for engine in self.engines]
        return " ".join(words if self.stock else [*words, "--no-stock"])

    @property
    def schedule(self) -> list[tuple[str, int, int]]:
        """(kind, batch size, turn) of every round, in order. Many rounds are spread over several
        passes through the batch sizes: a machine that is slow for a while is then not slow for one
        of them alone.
        """
        sizes = [("batch", batch) for batch in self.batches] + [("file", 1)]
        passes = max(1, self.rounds // LEAST_IN_A_ROW)
        ends = [self.rounds * (done + 1) // passes for done in range(passes)]
        return [
            (kind, batch, turn)
            for begin, end in pairwise([0, *ends])
            for kind, batch in sizes
            for turn in range(begin, end)
        ]
