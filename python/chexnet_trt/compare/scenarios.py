"""MLPerf's scenarios in small: offline and server; single stream is the rounds of batch 1.

Like MLPerf Inference (Reddi et al., arXiv:1911.02549) in what is measured, not in its length and
its rules: no submission.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chexnet_trt.compare.measuring import Field
from chexnet_trt.compare.spread import rounded

TURNS = 2
TRIALS = 6
LONGEST = 10  # times the seconds of a trial, at low rates
# A percentile of fewer is chance.
LEAST_QUERIES, PERCENTILE = 200, 99


@dataclass(frozen=True)
class Terms:
    """`limit_ms`: of the server's 99th percentile. `seconds`: of one trial."""

    limit_ms: float
    seconds: float
    least_queries: int = LEAST_QUERIES


def offline(
    modes: Field, medians: Mapping[str, Mapping[int, float]], terms: Terms
) -> dict[str, Any]:
    """All images are there at once: images/s at each mode's best batch size, turns interleaved."""
    best = {key: max(times, key=lambda size: size / times[size]) for key, times in medians.items()}
    rates: dict[str, list[float]] = {}
    errors: dict[str, str] = {}
    for turn in range(TURNS):
        for key in modes.in_turn(turn):
            if key not in best:
                continue
            request = {"do": "run", "batch": best[key], "seconds": terms.seconds / TURNS}
            answer = modes.ask(key, request | {"device": False, "scores": False})
            if isinstance(answer, str):
                errors[key] = answer
            else:
                times = answer["times"]
                rates.setdefault(key, []).append(best[key] * len(times) / sum(times) * 1e3)
    results: dict[str, Any] = {
        key: {"batch": best[key], "images_per_s": rounded(statistics.mean(values))}
        for key, values in rates.items()
    }
    return results | {key: {"missing": reason} for key, reason in errors.items()}


def server(modes: Field, key: str, times: Mapping[int, float], terms: Terms) -> dict[str, Any]:
    """The highest rate of queries, of one image each and arriving by chance (Poisson), at which
    the 99th percentile of their latencies keeps the limit: a bisection.

    `times`: median ms by batch size; those that keep the limit may be formed of waiting queries.
    """
    batches = [batch for batch, median in times.items() if median <= terms.limit_ms]
    if 1 not in batches:
        return {"missing": f"one image takes {rounded(times[1]):g} ms", "trials": []}
    slow, fast = 0.0, max(batch / times[batch] for batch in batches) * 1e3
    trials: list[dict[str, Any]] = []
    for number in range(TRIALS):
        rate = (slow + fast) / 2
        count = _queries(rate, terms)
        arrivals = np.random.default_rng(number).exponential(1 / rate, count).cumsum()
        answer = modes.ask(key, {"do": "serve", "batches": batches, "arrivals": arrivals.tolist()})
        if isinstance(answer, str):
            return {"missing": answer, "trials": trials}
        p99 = float(np.percentile(answer["latencies"], PERCENTILE))
        trials.append({"queries_per_s": rounded(rate), "queries": count, "p99_ms": rounded(p99)})
        slow, fast = (rate, fast) if p99 <= terms.limit_ms else (slow, rate)
    return {"trials": trials, "batches": batches, **_highest(trials, terms.limit_ms)}


def _queries(rate: float, terms: Terms) -> int:
    """Of a trial: enough for the percentile, unless that would take too long."""
    enough = min(terms.least_queries, rate * terms.seconds * LONGEST)
    return max(1, int(max(enough, rate * terms.seconds)))


def _highest(trials: list[dict[str, Any]], limit_ms: float) -> dict[str, Any]:
    kept = [trial for trial in trials if trial["p99_ms"] <= limit_ms]
    if not kept:
        least = min(trials, key=lambda trial: float(trial["queries_per_s"]))
        rate, p99 = least["queries_per_s"], least["p99_ms"]
        return {"missing": f"at {rate:.3g} queries/s the p99 is {p99:.3g} ms"}
    return max(kept, key=lambda trial: float(trial["queries_per_s"]))
