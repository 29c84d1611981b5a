"""Latency of batches that run whole, in slices one after another, and in slices side by side.

The ways take turns in one process. With --busy a program computes on that CPU meanwhile, as others
do on a machine that is shared. Images and int8 ranges are RANDOM.

    python -m chexnet_trt freeze --random-weights --network resnet50_v2 -o resnet50_v2.pb
    python tools/bench_slices.py resnet50_v2.pb
    python tools/bench_slices.py resnet50_v2.pb --busy 1
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import chexnet_trt as ct
from chexnet_trt import machine
from chexnet_trt.compare.setting import OUTPUT

# Size of a slice, and how many at once.
WAYS = ((0, 1), (16, 1), (8, 1), (4, 1), (8, 2), (4, 2), (2, 2))
COMPUTE = "while True: pass"


def build(model: Path, slice_size: int, at_once: int, args: argparse.Namespace) -> ct.Engine:
    largest = max(args.batches)
    return ct.build(
        model,
        outputs=[OUTPUT],
        precisions=["int8"],
        obey=True,
        random_ranges=True,
        max_batch=largest,
        slice_size=slice_size or largest,
        slices_at_once=at_once,
        threads=args.threads,
        embed_blob=False,
    )


@contextlib.contextmanager
def busy(cpu: int | None) -> Iterator[None]:
    if cpu is None:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", COMPUTE]) as program:
        os.sched_setaffinity(program.pid, {cpu})
        try:
            yield
        finally:
            program.kill()


def milliseconds(engine: ct.Engine, images: NDArray[Any]) -> float:
    begin = time.perf_counter()
    engine.infer(images)
    return (time.perf_counter() - begin) * 1e3


def title(slice_size: int, at_once: int) -> str:
    if slice_size == 0:
        return "whole"
    return f"{slice_size}, {at_once} at once" if at_once > 1 else f"{slice_size} in turn"


def measure(model: Path, args: argparse.Namespace) -> None:
    ways = [way for way in WAYS if way[1] <= args.threads]
    engines = [build(model, *way, args) for way in ways]
    shape = engines[0].inputs[0].shape[1:]
    images = np.random.default_rng(0).uniform(-1, 1, (max(args.batches), *shape))
    for batch in args.batches:
        rows = images[:batch].astype(np.float32)
        for engine in engines:
            engine.infer(rows)
        with busy(args.busy):
            times = [[milliseconds(one, rows) for one in engines] for _ in range(args.rounds)]
        medians = [statistics.median(column) for column in zip(*times, strict=True)]
        for way, median in zip(ways, medians, strict=True):
            ratio = median / medians[0]
            print(f"{model.stem:<14}{batch:>6}  {title(*way):<14}{median:>9.2f}{ratio:>8.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL.pb")
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--busy", type=int, metavar="CPU", help="default: none")
    args = parser.parse_args()
    print(f"{machine.describe()['cpu']}, {args.threads} threads, int8; images and ranges RANDOM")
    print(f"{'network':<14}{'batch':>6}  {'slices':<14}{'ms':>9}{'ratio':>8}")
    for model in args.models:
        measure(model, args)


if __name__ == "__main__":
    main()
