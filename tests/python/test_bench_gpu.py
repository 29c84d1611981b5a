"""What tools/bench_gpu.py does of itself: turns, ratios, tables. No GPU and no PyTorch."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import bench_gpu
import gpu_tables

EAGER, COMPILED = bench_gpu.EAGER, bench_gpu.COMPILED


class Clock:
    """A mode that takes `ms`; `log` gets its name at every run."""

    def __init__(self, name: str, ms: float, log: list[str]) -> None:
        self._name, self._ms, self._log = name, ms, log

    def run(self) -> float:
        self._log.append(self._name)
        return self._ms

    def scores(self) -> np.ndarray:
        return np.zeros((1, 14), np.float32)


def test_modes_take_turns_in_rotating_order() -> None:
    log: list[str] = []
    clocks = {"a": Clock("a", 1.0, log), "b": Clock("b", 100.0, log)}
    times = bench_gpu.take_turns(clocks, 2)
    changes = [log[0], *(b for a, b in pairwise(log) if a != b)]
    assert changes == ["a", "b", "a"]  # The second round begins with b.
    assert [len(one) for one in times["a"]] == [40, 40]
    assert [len(one) for one in times["b"]] == [5, 5]
    assert bench_gpu.take_turns({}, 2) == {}


def cell(mode: str, batch: int, median: float, **more: Any) -> dict[str, Any]:
    return {
        "network": "net",
        "batch": batch,
        "mode": mode,
        "median": median,
        "images_per_s": batch / median * 1e3,
        "floor_ms": median / 4,
        "noisy": False,
    } | more


def test_ours_is_held_against_the_fastest_peer() -> None:
    cells = [
        cell("ours fp16", 1, 0.5),
        {"network": "net", "batch": 1, "mode": "ours int8", "missing": "no memory"},
        cell(EAGER, 1, 2.0),
        cell(COMPILED, 1, 1.0),
    ]
    times = {"ours fp16": [[0.5]] * 4, EAGER: [[2.0]] * 4, COMPILED: [[1.0]] * 4}
    bench_gpu.add_ratios(cells, times)
    assert cells[0]["speed_up"]["to"] == COMPILED
    assert cells[0]["speed_up"]["value"] == pytest.approx(2)
    assert all("speed_up" not in one for one in cells[1:])
    alone = [cell("ours fp16", 1, 0.5)]
    bench_gpu.add_ratios(alone, times)
    assert "speed_up" not in alone[0]


@pytest.mark.parametrize(
    ("off", "found"),
    [
        (0.01, {"largest_score_difference": pytest.approx(0.01)}),
        (0.3, {"missing": "wrong: its scores differ from fp32's by 0.3"}),
        (float("nan"), {"missing": "wrong: its scores differ from fp32's by nan"}),
    ],
)
def test_wrong_scores_have_no_speed(off: float, found: dict[str, Any]) -> None:
    truth = np.arange(6, dtype=np.float64).reshape(2, 3)
    scores = np.concatenate([truth, truth[:1]])
    scores[2, 1] += off
    assert bench_gpu.check_scores("ours fp16", scores, truth) == found
    assert bench_gpu.check_scores("ours int8", scores, truth) == {}


def test_most_images_within_the_limit() -> None:
    cells = [
        cell("m", 8, 2.0),
        cell("m", 128, 7.0),
        cell("m", 256, 7.001),
        {"mode": "m", "batch": 64, "missing": "no memory"},
    ]
    best = gpu_tables.fastest_under(cells, 7.0)
    assert best is not None
    assert best["batch"] == 128
    assert gpu_tables.fastest_under(cells, 1.9) is None
    assert gpu_tables.fastest_under([], 7.0) is None


def step(name: str, kernel: str, median_ms: float, floor_ms: float) -> dict[str, Any]:
    return {"name": name, "kernel": kernel, "median_ms": median_ms, "floor_ms": floor_ms}


def test_gaps_of_steps_alike_add_up() -> None:
    alike = [step(f"c{index}", "conv", 0.3, 0.1) for index in range(3)]
    steps = [step("one", "conv", 0.6, 0.11), *alike, step("pool", "pool", 0.2, 0.0)]
    first, second = gpu_tables.largest_gaps(steps, 2)
    assert first == alike
    assert gpu_tables.gap_ms(first) == pytest.approx(0.6)
    assert [one["name"] for one in second] == ["one"]


def document(cells: list[dict[str, Any]], profiles: list[dict[str, Any]]) -> str:
    result = {
        "title": "A run",
        "labels": "RANDOM weights",
        "method": "By events.",
        "command": "python tools/bench_gpu.py net",
        "versions": "PyTorch 2",
        "environment": {"gpus": [{"name": "GPU", "driver_version": "580"}]},
        "ceilings": {"bytes": 4.2e12, "operations": {"fp16": 7.51e14, "int8": 9.48e14}},
        "modes": ["ours fp16", EAGER],
        "networks": ["net"],
        "limit_ms": 7.0,
        "noise_limit": 0.1,
        "begun": "now",
        "ended": None,
        "cells": cells,
        "profiles": profiles,
    }
    return gpu_tables.document(result)


def test_document_has_every_batch_in_order_and_every_reason() -> None:
    ratio = {"to": EAGER, "value": 2.0, "low": 1.9, "high": 2.1, "noisy": True}
    missing = {"network": "net", "batch": 1, "mode": EAGER, "missing": "not enough memory"}
    text = document(
        [cell("ours fp16", 8, 4.0, speed_up=ratio), cell(EAGER, 8, 8.0, noisy=True),
         cell("ours fp16", 1, 0.5), missing], []
    )  # fmt: skip
    rows = [line for line in text.splitlines() if line.startswith(("| 1 |", "| 8 |"))]
    assert rows == [
        "| 1 | 0.500, 2,000, 25.0% | \N{EN DASH} | \N{EN DASH} |",
        "| 8 | 4.000, 2,000, 25.0% | 8.000\N{DAGGER}, 1,000, 25.0% | 2.00\N{DAGGER} |",
    ]
    assert f"{EAGER}, batch 1: not enough memory." in text
    assert "| ours fp16 | 8 | 4.000 | 2,000 |" in text
    assert f"| {EAGER} | none |" in text
    assert "RANDOM weights" in text
    assert "copy 4,200 GB/s; fp16 751 TFLOP/s, int8 948 TOP/s" in text
    assert "now to interrupted" in text


def test_document_says_where_the_time_goes() -> None:
    steps = [step("conv", "mma", 0.75, 0.25), step("input", "input", 0.25, 0.0)]
    text = document([], [{"network": "net", "mode": "ours fp16", "batch": 1, "steps": steps}])
    assert "2 steps, timed one by one: 1.000 ms, floor 0.250 ms." in text
    assert "- 500.0 us, 66.7% of all: conv (mma)" in text
    assert "| conv | mma | 750.0 | 250.0 | 33.3% |" in text
    assert "| input | input | 250.0 | 0.0 | 0.0% |" in text
