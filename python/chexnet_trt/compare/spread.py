"""Medians and how far they can be trusted. Times are lists a round, of the same rounds for all."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Rounds = Sequence[Sequence[float]]

# Two runs of a machine should agree on a ratio to within this.
NOISE_LIMIT = 0.10
INTERVAL = 95  # percent, of the bootstrap
_RESAMPLES = 2000
_SIGNIFICANT = 5


def rounded(value: float) -> float:
    """To the digits that are kept in files."""
    return float(f"{value:.{_SIGNIFICANT}g}")


def describe(rounds: Rounds) -> dict[str, Any]:
    """Of one mode's times at one batch size, all rounds together."""
    times = [time for one in rounds for time in one]
    cuts = np.percentile(times, [10, 25, 50, 75, 90, 99])
    names = ("p10", "q1", "median", "q3", "p90", "p99")
    fields: dict[str, Any] = {
        name: rounded(cut) for name, cut in zip(names, cuts.tolist(), strict=True)
    }
    return fields | {"runs": len(times), "noisy": _halves_differ(_medians(rounds))}


@dataclass(frozen=True)
class Ratio:
    """How many times as fast; `low` to `high`: INTERVAL of a bootstrap over the rounds."""

    value: float
    low: float
    high: float
    noisy: bool


def speed_up(slow: Rounds, fast: Rounds) -> Ratio:
    """Median over the rounds of the ratio of that round's medians, so that what drifts between
    rounds cancels.
    """
    ratios = np.divide(_medians(slow), _medians(fast))
    value = float(np.median(ratios))
    rng = np.random.default_rng(0)
    drawn = np.median(rng.choice(ratios, (_RESAMPLES, len(ratios))), axis=1)
    tail = (100 - INTERVAL) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail]).tolist()
    wide = high > value * (1 + NOISE_LIMIT) or low < value / (1 + NOISE_LIMIT)
    noisy = bool(wide or _halves_differ(ratios.tolist()))
    return Ratio(rounded(value), rounded(low), rounded(high), noisy)


def differ(one: float, other: float) -> bool:
    """Whether two measurements of the same are further apart than NOISE_LIMIT."""
    return max(one, other) > min(one, other) * (1 + NOISE_LIMIT)


def _halves_differ(values: Sequence[float]) -> bool:
    """Every other round against the rest, as if they were two runs."""
    if len(values) < 2:
        return True
    return differ(statistics.median(values[::2]), statistics.median(values[1::2]))


def _medians(rounds: Rounds) -> list[float]:
    return [statistics.median(times) for times in rounds]
