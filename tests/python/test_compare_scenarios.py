from __future__ import annotations

import numpy as np
import pytest

from chexnet_trt.compare import scenarios
from chexnet_trt.compare.measuring import Field

TERMS = scenarios.Terms(limit_ms=15.0, seconds=1.0, least_queries=50)


class Simulated:
    """A mode that takes the same time for every batch of one size."""

    def __init__(self, times):
        self.times = times
        self.pid = 0

    def ask(self, request):
        if request["do"] == "run":
            return {"times": [self.times[request["batch"]]] * 4}
        free, latencies = 0.0, []
        for arrival in request["arrivals"]:
            free = max(free, arrival * 1e3) + self.times[1]
            latencies.append(free - arrival * 1e3)
        return {"latencies": latencies}


def field_of(**workers):
    return Field(dict(workers), {0})


def test_the_server_finds_the_highest_rate_that_keeps_the_limit():
    found = scenarios.server(field_of(a=Simulated({1: 2.0})), "a", {1: 2.0}, TERMS)
    assert found["p99_ms"] <= 15
    assert 200 < found["queries_per_s"] < 500  # 500 is what it can do without waiting
    over = [trial for trial in found["trials"] if trial["p99_ms"] > 15]
    assert all(trial["queries_per_s"] > found["queries_per_s"] for trial in over)
    assert len(found["trials"]) == scenarios.TRIALS


def test_a_mode_that_is_too_slow_for_one_image_serves_nothing():
    found = scenarios.server(field_of(a=Simulated({1: 20.0})), "a", {1: 20.0}, TERMS)
    assert found == {"missing": "one image takes 20 ms", "trials": []}


def test_a_mode_that_keeps_no_rate_does_not_take_forever():
    class Stuck(Simulated):
        def ask(self, request):
            assert request["arrivals"][-1] < 40 * TERMS.seconds
            return {"latencies": [99.0] * len(request["arrivals"])}

    found = scenarios.server(field_of(a=Stuck({1: 14.0})), "a", {1: 14.0}, TERMS)
    assert found["missing"].endswith("the p99 is 99 ms")
    assert len(found["trials"]) == scenarios.TRIALS


def test_only_batches_that_keep_the_limit_are_formed():
    found = scenarios.server(field_of(a=Simulated({1: 2.0})), "a", {1: 2.0, 4: 8, 8: 16}, TERMS)
    assert found["batches"] == [1, 4]


def test_offline_runs_each_mode_at_its_best_batch():
    modes = field_of(a=Simulated({1: 2.0, 8: 10.0}), b=Simulated({1: 2.0, 8: 20.0}))
    found = scenarios.offline(modes, {"a": {1: 2.0, 8: 10.0}, "b": {1: 2.0, 8: 20.0}}, TERMS)
    assert found["a"] == {"batch": 8, "images_per_s": pytest.approx(800)}
    assert found["b"] == {"batch": 1, "images_per_s": pytest.approx(500)}


def test_arrivals_are_the_same_in_every_run(monkeypatch):
    seen = []

    class Listening(Simulated):
        def ask(self, request):
            seen.append(request["arrivals"])
            return super().ask(request)

    for _ in range(2):
        scenarios.server(field_of(a=Listening({1: 2.0})), "a", {1: 2.0}, TERMS)
    half = len(seen) // 2
    assert seen[:half] == seen[half:]
    gaps = np.diff(seen[0])
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.3)  # as of a Poisson process
