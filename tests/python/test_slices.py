"""Batches that run in slices side by side."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chexnet_trt as ct
from chexnet_trt import build_arguments
from chexnet_trt._core import InputError
from chexnet_trt.cli import main
from int8_networks import NETWORK, pixels
from networks import SCORES

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="slices run side by side on two CPUs or more"
)

LARGEST = 9
X = (pixels(LARGEST) / np.float32(255)).transpose(0, 3, 1, 2)
SIDE_BY_SIDE: dict[str, Any] = {"slice_size": 2, "slices_at_once": 2}


def built(source: Path, **options: Any) -> ct.Engine:
    return ct.build(source, **NETWORK, max_batch=LARGEST, threads=2, **options)


@pytest.fixture(scope="module")
def engine(small_uff: Path) -> ct.Engine:
    return built(small_uff, **SIDE_BY_SIDE)


def test_every_batch_has_the_scores_of_a_whole_one(small_uff: Path, engine: ct.Engine) -> None:
    whole = built(small_uff, slice_size=LARGEST)
    for batch in range(1, LARGEST + 1):
        expected = whole.infer(X[:batch])[SCORES]
        np.testing.assert_allclose(engine.infer(X[:batch])[SCORES], expected, atol=1e-6)


def test_a_file_keeps_it(
    engine: ct.Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: Any
) -> None:
    path = tmp_path / "small.engine"
    engine.save(path)
    loaded = ct.load(path)
    assert (loaded.slice, loaded.slices_at_once) == (2, 2)
    np.testing.assert_array_equal(loaded.infer(X)[SCORES], engine.infer(X)[SCORES])
    assert caplog.text == ""  # the blob of a slice fits
    assert loaded.manifest["build"]["slices_at_once"] == 2
    assert main(["inspect", str(path)]) == 0
    assert "large batches run in pieces of 2 or less, 2 at once" in capsys.readouterr().out


def test_threads_share_it(engine: ct.Engine) -> None:
    expected = {batch: engine.infer(X[:batch])[SCORES] for batch in range(1, LARGEST + 1)}

    def matches(call: int) -> bool:
        batch = 1 + call % LARGEST
        return np.array_equal(engine.infer(X[:batch])[SCORES], expected[batch])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(matches, range(200)))


def test_more_than_there_are_threads_are_refused(small_uff: Path) -> None:
    with pytest.raises(InputError, match="3 slices at once: here it is at most 2"):
        built(small_uff, slice_size=2, slices_at_once=3)
    with pytest.raises(InputError, match="at most 1, a thread for each"):
        built(small_uff, **SIDE_BY_SIDE, streams=2)
    with pytest.raises(InputError, match="more than 1 needs a slice"):
        built(small_uff, slices_at_once=2)


def test_builds_time_them_and_say_so(small_uff: Path) -> None:
    engine = ct.build(small_uff, **NETWORK, max_batch=8, threads=2, timing_budget_ms=0)
    ways = [(row["slice"], row["at_once"]) for row in engine.report["slices"]]
    assert ways == [(1, 2), (2, 2), (8, 1), (4, 1), (2, 1)]
    assert any("2 (2 at once): " in line for line in build_arguments.report_lines(engine))
