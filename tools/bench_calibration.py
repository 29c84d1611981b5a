"""Time of calibrating beside running the same images through the plain fp32 engine.

The two take turns in one process, chunk by chunk, on the same cores: calibration as the command
`calibrate` does it, the engine one image at a time. The images are random: gray clouds that are
preprocessed beforehand and, with --films, synthetic films that both decode and preprocess.

    python tools/bench_calibration.py chexnet.pb --algorithms entropy minmax --films
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt import builder, calibration, feeding, network
from chexnet_trt.compare.images import PRESETS, clouds, fitting_preset
from chexnet_trt.compare.setting import INPUT, OUTPUT
from chexnet_trt.engine import Engine
from chexnet_trt.image_feed import ImageFeed
from chexnet_trt.synthetic import Options, write_dataset

Array = NDArray[Any]
SIZE = 256
# Arrays of one row, of the images from the first number up to the second.
Images = Callable[[int, int], Iterator[Array]]


@dataclass(frozen=True)
class Data:
    """The same images for both sides: `source` for calibration, `images` for the engine."""

    name: str
    source: feeding.Source
    images: Images


@dataclass
class Turns:
    """Seconds of each chunk, without the other side's."""

    sizes: list[int] = field(default_factory=list)
    calibration: list[float] = field(default_factory=list)
    inference: list[float] = field(default_factory=list)
    finding: float = 0.0


def prepared(count: int, preset: str) -> Data:
    rows = np.empty((count, 3, SIZE, SIZE), np.float32)
    step = 50
    for begin in range(0, count, step):
        end = min(begin + step, count)
        rows[begin:end] = clouds(end - begin, preset, (SIZE, SIZE, 3)).transpose(0, 3, 1, 2)
    source = feeding.open_source(rows)
    return Data("prepared", source, lambda a, b: (rows[i : i + 1] for i in range(a, b)))


def films(count: int, folder: Path, feed: ImageFeed) -> Data:
    write_dataset(folder, Options(images=count))
    files = sorted(folder.rglob("*.png"))
    return Data(
        "films",
        feeding.open_source(files),
        lambda a, b: feeding.batches(feeding.open_source(files[a:b]), feed, 1),
    )


def take_turns(
    net: network.Network,
    engine: Engine,
    data: Data,
    method: calibration.Method,
    chunk: int,
    threads: int,
) -> Turns:
    """The first chunk of calibration has the digest of the images and the compilation in it;
    `finding` is what follows the last image: thresholds and table.
    """
    turns = Turns()
    done = 0
    begin = time.perf_counter()

    def turn(_stage: str, reached: int, total: int) -> None:
        nonlocal done, begin
        if reached - done < chunk and reached < total:
            return
        turns.calibration.append(time.perf_counter() - begin)
        turns.sizes.append(reached - done)
        begin = time.perf_counter()
        for image in data.images(done, reached):
            engine.infer(image)
        turns.inference.append(time.perf_counter() - begin)
        done = reached
        begin = time.perf_counter()

    calibration.calibrate_network(net, data.source, method, threads=threads, progress=turn)
    turns.finding = time.perf_counter() - begin
    return turns


def report(turns: Turns, name: str) -> str:
    """Milliseconds an image: medians over the chunks, without the first where there are more."""
    steady = slice(1 if len(turns.sizes) > 1 else 0, None)
    sizes = np.array(turns.sizes[steady])
    calibrated = np.array(turns.calibration[steady]) / sizes * 1e3
    inferred = np.array(turns.inference[steady]) / sizes * 1e3
    whole = sum(turns.calibration) + turns.finding
    plain = sum(turns.inference)
    return (
        f"{name:<20}{statistics.median(calibrated):>9.2f}{statistics.median(inferred):>9.2f}"
        f"{statistics.median(calibrated / inferred):>8.3f}"
        f"{whole:>12.2f}{plain:>9.2f}{whole / plain:>8.3f}{turns.finding:>10.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help=".uff or frozen graph (.pb)")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--chunk", type=int, default=50)
    parser.add_argument(
        "--algorithms", nargs="+", default=["entropy", "minmax"], choices=calibration.ALGORITHMS
    )
    parser.add_argument("--films", action="store_true", help="also with 1024x1024 PNG files")
    parser.add_argument(
        "--preprocess", choices=PRESETS, help="default: what the scores say of the network"
    )
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
    preset = args.preprocess or fitting_preset(args.model, (SIZE, SIZE, 3))
    net = network.read(
        args.model, inputs={INPUT: (3, SIZE, SIZE)}, outputs=[OUTPUT], preprocessing=preset
    )
    engine = builder.build_network(net, threads=args.threads)
    print(f"{args.model.name}, {args.images} random images, {args.threads} threads")
    print(
        f"{'':<20}{'ms an image, median':^26}{'':>4}{'all images, seconds':^29}\n"
        f"{'input, algorithm':<20}{'calib':>9}{'fp32':>9}{'ratio':>8}"
        f"{'calib':>12}{'fp32':>9}{'ratio':>8}{'finding':>10}"
    )
    with tempfile.TemporaryDirectory() as folder:
        sets = [prepared(args.images, preset)]
        if args.films:
            feed = ImageFeed(engine.inputs[0], net.preprocessing)
            sets.append(films(args.images, Path(folder), feed))
        for data in sets:
            for algorithm in args.algorithms:
                method = calibration.Method(algorithm)
                turns = take_turns(net, engine, data, method, args.chunk, args.threads)
                print(report(turns, f"{data.name}, {algorithm}"), flush=True)


if __name__ == "__main__":
    main()
