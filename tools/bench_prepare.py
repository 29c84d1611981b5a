"""Images a second of `prepare` beside OpenCV's decoding and resizing alone.

Both sides take the same PNG files on the same cores, in turns. Ours is the whole command: tables,
splits, decoding, resizing with antialiasing, PNG encoding, TFRecords on the disk. OpenCV's reads
the files in gray and resizes them, with one of two kernels, in processes or in threads, and throws
the result away. Processor time, which other work on the machine changes less than the pace, is that
of this process and so not known of OpenCV's processes. Needs opencv-python-headless.

    python -m chexnet_trt sample-data -o synthetic/ --images 2000
    python tools/bench_prepare.py synthetic/
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import PIL

from chexnet_trt import nih
from chexnet_trt.records.preparing import prepare

KERNELS = {"INTER_AREA": cv2.INTER_AREA, "INTER_LINEAR": cv2.INTER_LINEAR}
EXECUTORS: dict[str, Callable[[int], Executor]] = {
    "processes": ProcessPoolExecutor,
    "threads": ThreadPoolExecutor,
}
OURS = "prepare"
CHUNK = 20  # files that a process is given at once


def opencv(executor: Executor, size: int, kernel: int, files: list[str]) -> None:
    work = partial(decode_and_resize, size, kernel)
    for shape in executor.map(work, files, chunksize=CHUNK):
        assert shape == (size, size)


def decode_and_resize(size: int, kernel: int, file: str) -> tuple[int, ...]:
    cv2.setNumThreads(1)
    pixels = cv2.imread(file, cv2.IMREAD_GRAYSCALE)
    return cv2.resize(pixels, (size, size), interpolation=kernel).shape


def ours(nih_dir: Path, size: int, jobs: int) -> None:
    with tempfile.TemporaryDirectory(dir=nih_dir.parent) as output:
        prepare(nih_dir, output, image_size=size, jobs=jobs)


@dataclass(frozen=True)
class Seconds:
    wall: float
    processor: float


def seconds(work: Callable[[], None]) -> Seconds:
    begin, begin_processor = time.perf_counter(), time.process_time()
    work()
    return Seconds(time.perf_counter() - begin, time.process_time() - begin_processor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nih_dir", type=Path, help="data set whose images are PNG files")
    parser.add_argument("--image-size", type=int, default=256)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--executors", nargs="+", default=list(EXECUTORS), choices=EXECUTORS)
    args = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    names = {entry.image for entry in nih.read_entries(nih.entries_file(args.nih_dir))}
    files = sorted(map(str, nih.image_paths(args.nih_dir, names).values()))
    sides: dict[str, Callable[[], None]] = {
        OURS: partial(ours, args.nih_dir, args.image_size, args.cores)
    }
    with ExitStack() as stack:
        for name in args.executors:
            executor = stack.enter_context(EXECUTORS[name](args.cores))
            for kernel, code in KERNELS.items():
                sides[f"OpenCV {kernel}, {args.cores} {name}"] = partial(
                    opencv, executor, args.image_size, code, files
                )
        for work in sides.values():  # The files into memory, the processes started.
            work()
        rounds = [{name: seconds(work) for name, work in sides.items()} for _ in range(args.rounds)]
    kind = "SYNTHETIC films" if nih.is_synthetic(map(Path, files)) else "images"
    size = statistics.mean(Path(file).stat().st_size for file in files)
    print(
        f"{len(files)} {kind} of {size / 1e3:.0f} kB to {args.image_size}x{args.image_size} on "
        f"{args.cores} cores, medians of {args.rounds} rounds; OpenCV {cv2.__version__}, Pillow "
        f"{PIL.__version__}"
    )
    print(f"{'':<36}{'images/s':>10}{'prepare / it':>14}{'CPU ms/image':>14}")
    for name in sides:
        pace = statistics.median(len(files) / times[name].wall for times in rounds)
        ratio = statistics.median(times[name].wall / times[OURS].wall for times in rounds)
        processor = statistics.median(times[name].processor for times in rounds)
        own = "-" if name.endswith("processes") else f"{processor / len(files) * 1e3:.2f}"
        print(f"{name:<36}{pace:>10.1f}{ratio:>14.3f}{own:>14}")


if __name__ == "__main__":
    main()
