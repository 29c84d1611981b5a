"""Our CUDA engine beside PyTorch on one GPU: latency, images a second, share of the roofline.

    python tools/bench_gpu.py resnet50_v2 densenet121 --profile -o results/gpu.json

Needs PyTorch with CUDA; no TensorFlow. All modes run the same network with the same weights, random
ones where the network is given by its name. They take turns, round by round, in one process. The
file, and a table in Markdown beside it, is written after every batch size.
"""

from __future__ import annotations

import argparse
import gc
import os
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

import gpu_tables
from chexnet_trt import _core, builder, int8, network
from chexnet_trt.compare import environment, images, networks, results, spread
from chexnet_trt.compare.reasons import reason_of
from chexnet_trt.compare.runtimes.devices import require
from chexnet_trt.compare.setting import INPUT, OUTPUT
from chexnet_trt.inputs import check_targets
from chexnet_trt.models.networks import NETWORKS
from chexnet_trt.native_engine import NativeEngine
from chexnet_trt.roofline import Ceilings, layers_of

if TYPE_CHECKING:
    from chexnet_trt.compare.runtimes import Array

Fields = dict[str, Any]

BACKEND = "cuda"
PRECISIONS = ("fp16", "int8", "bf16", "fp32")
# The most telling first, for a run that is cut short.
BATCHES = (1, 128, 8, 32, 256, 64, 16, 4, 2)
EAGER, COMPILED = "PyTorch fp16, CUDA graph", "PyTorch fp16, torch.compile, CUDA graph"
PEER_PRECISION = "fp16"
ROUNDS, ROUND_MS, LEAST_RUNS, MOST_RUNS, WAKING_RUNS = 6, 40.0, 5, 50, 2
PROFILE_RUNS = 30
IMAGES = 4
TOLERANCE = 0.05  # Of scores in half precision; the weights may be random.
METHOD = (
    "Device latency: a CUDA graph replayed with its input in device memory, timed by events inside "
    "it, without copies; medians over rounds in which the modes take turns. Ours takes float32 "
    "NCHW images and converts them within its time, PyTorch is given fp16 channels_last ones."
)


class Bound(Protocol):
    """A network ready for one batch size."""

    def run(self) -> float:
        """Milliseconds of one inference, by the device."""

    def scores(self) -> Array:
        """Of the last one."""


@dataclass
class Subject:
    """A network that is measured. `truth`: fp32 scores of `images`."""

    title: str
    weights: str
    network: network.Network
    half: Any
    images: Array
    truth: Array
    engines: dict[str, NativeEngine] = field(default_factory=dict)


@dataclass
class Run:
    """`compile_left`: seconds that torch.compile may still begin in."""

    args: argparse.Namespace
    ceilings: Ceilings
    subjects: list[Subject]
    result: Fields
    compile_left: float

    def save(self) -> None:
        results.save(self.args.output, self.result)
        table = gpu_tables.document(self.result)
        _core.write_file(str(self.args.output.with_suffix(".md")), table.encode())


def ours(precision: str) -> str:
    return f"ours {precision}"


def modes(precisions: Sequence[str]) -> list[str]:
    return [*map(ours, precisions), EAGER, COMPILED]


def take_turns(bounds: Mapping[str, Bound], rounds: int) -> dict[str, list[list[float]]]:
    """The times of each mode, a list a round; the order rotates."""
    names = list(bounds)
    times: dict[str, list[list[float]]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % max(len(names), 1)
        for name in names[first:] + names[:first]:
            waking = [bounds[name].run() for _ in range(WAKING_RUNS)]
            count = int(min(max(ROUND_MS / max(min(waking), 1e-3), LEAST_RUNS), MOST_RUNS))
            times[name].append([bounds[name].run() for _ in range(count)])
    return times


def add_ratios(cells: Sequence[Fields], times: Mapping[str, list[list[float]]]) -> None:
    """`speed_up` of each of our cells over the fastest peer of the same batch."""
    peers = [cell for cell in cells if cell["mode"] in (EAGER, COMPILED) and "median" in cell]
    if not peers:
        return
    fastest = min(peers, key=lambda cell: float(cell["median"]))["mode"]
    for cell in cells:
        if cell["mode"] not in (EAGER, COMPILED) and "median" in cell:
            ratio = spread.speed_up(times[fastest], times[cell["mode"]])
            cell["speed_up"] = {"to": fastest} | asdict(ratio)


def check_scores(mode: str, scores: Array, truth: Array) -> Fields:
    """How far they are from fp32's of the same images over and over; `missing` when that is too
    far. Empty for int8, which with random ranges computes anything.
    """
    if _precision_of(mode) in int8.QUANTIZED:
        return {}
    worst = float(np.abs(scores - images.repeated(truth, len(scores))).max())
    if worst <= TOLERANCE:
        return {"largest_score_difference": spread.rounded(worst)}
    return {"missing": f"wrong: its scores differ from fp32's by {worst:.2g}"}


def _subject(model: str, work: Path, size: int) -> Subject:
    from gpu_modes import reference_scores
    from torch_networks import in_half, network_of, torch_network

    named = model in NETWORKS
    path = networks.custom(model, work, size).path if named else Path(model)
    found = network.read(path, inputs={INPUT: (3, size, size)}, outputs=[OUTPUT])
    peer = torch_network(found.graph)
    preset = NETWORKS[network_of(found.graph)].preprocessing
    clouds = images.clouds(IMAGES, preset, (size, size, 3))
    clouds = np.ascontiguousarray(clouds.transpose(0, 3, 1, 2))
    return Subject(
        title=model if named else Path(model).stem,
        weights=networks.RANDOM if named else networks.GIVEN,
        network=found,
        images=clouds,
        truth=reference_scores(peer, clouds),
        half=in_half(peer).cuda(),
    )


def _block(run: Run, subject: Subject, batch: int) -> None:
    """Every mode of one network at one batch size."""
    bounds: dict[str, Bound] = {}
    cells: list[Fields] = []
    given = images.repeated(subject.images, batch)
    for mode, make in _makers(run, subject, batch, given):
        cell: Fields = {"network": subject.title, "batch": batch, "mode": mode}
        cells.append(cell)
        begin = time.perf_counter()
        try:
            bounds[mode] = make()
        except Exception as error:  # Whatever one tool raises, the others go on.
            cell["missing"] = reason_of(error)
        cell["preparing_s"] = spread.rounded(time.perf_counter() - begin)
    times = take_turns(bounds, ROUNDS)
    for cell in cells:
        if cell["mode"] in bounds:
            cell |= check_scores(cell["mode"], bounds[cell["mode"]].scores(), subject.truth)
            if "missing" not in cell:
                cell |= _figures(run, subject, cell, times[cell["mode"]])
    add_ratios(cells, times)
    run.result["cells"] += cells
    run.save()


def _makers(
    run: Run, subject: Subject, batch: int, given: Array
) -> Iterator[tuple[str, Callable[[], Bound]]]:
    from gpu_modes import Engine, Replay, compiled

    for precision in run.args.precisions:
        engine = partial(_engine, run, subject, precision)
        yield ours(precision), lambda engine=engine: Engine(engine().core, given)
    yield EAGER, lambda: Replay(subject.half, given)
    if batch not in run.args.compiled:
        return
    begin = time.perf_counter()
    if run.compile_left > 0:
        yield COMPILED, lambda: Replay(compiled(subject.half), given)
    else:
        yield COMPILED, _out_of_time
    run.compile_left -= time.perf_counter() - begin


def _out_of_time() -> Bound:
    raise _core.InputError("torch.compile had its time (--compile-seconds)")


def _engine(run: Run, subject: Subject, precision: str) -> NativeEngine:
    """One for all batch sizes; each is compiled when it is first run."""
    if precision not in subject.engines:
        quantized = precision in int8.QUANTIZED
        largest = max([*run.args.batches, *run.args.profile])
        built = builder.build_network(
            subject.network,
            backend=BACKEND,
            precisions=[precision],
            obey=True,
            int8=int8.from_random(subject.network) if quantized else None,
            max_batch=largest,
            slice_size=largest,
            timing_batch=min(run.args.batches),
            embed_blob=False,
        )
        assert isinstance(built, NativeEngine)
        built.max_cached_batches = 1
        subject.engines[precision] = built
    return subject.engines[precision]


def _precision_of(mode: str) -> str:
    return mode.removeprefix("ours ") if mode.startswith("ours ") else PEER_PRECISION


def _figures(run: Run, subject: Subject, cell: Fields, times: list[list[float]]) -> Fields:
    precision = _precision_of(cell["mode"])
    layers = layers_of(subject.network.optimized, cell["batch"], precision)
    floor = sum(run.ceilings.floor_ms(layer, precision) for layer in layers)
    figures = spread.describe(times)
    figures["round_medians_ms"] = [spread.rounded(statistics.median(one)) for one in times]
    figures["images_per_s"] = spread.rounded(cell["batch"] / figures["median"] * 1e3)
    return figures | {"floor_ms": spread.rounded(floor)}


def _profile(run: Run, subject: Subject, precision: str, batch: int) -> Fields:
    """Each step of our engine beside the floors of the layers in it; what no layer of the network
    needs, such as turning the input, has the floor 0.
    """
    core = _engine(run, subject, precision).core.with_profiling()
    timed = _core.profile_layers(core, batch=batch, iterations=PROFILE_RUNS)
    infos = {info.name: info for info in core.layers(batch)}
    together = [info.nodes for info in infos.values()]
    layers = layers_of(subject.network.optimized, batch, precision, together)
    floors = {layer.name: run.ceilings.floor_ms(layer, precision) for layer in layers}
    steps = [
        {
            "name": step.name,
            "kernel": infos[step.name].kernel,
            "median_ms": spread.rounded(step.median_ms),
            "floor_ms": spread.rounded(sum(floors.get(node, 0) for node in infos[step.name].nodes)),
        }
        for step in timed
    ]
    return {"network": subject.title, "mode": ours(precision), "batch": batch, "steps": steps}


def _begin(args: argparse.Namespace, work: Path) -> Run:
    from gpu_modes import measured_ceilings, versions

    for precision in args.precisions:
        require(BACKEND, precision)
    subjects = [_subject(model, work, args.image_size) for model in args.models]
    ceilings = measured_ceilings({*args.precisions, PEER_PRECISION})
    weights = "; ".join(f"{subject.title}: {subject.weights}" for subject in subjects)
    cores = os.sched_getaffinity(0)
    result: Fields = {
        "format": 1,
        "title": f"Our CUDA engine beside PyTorch, {args.image_size}x{args.image_size}",
        "labels": f"{weights}. Images: RANDOM gray clouds. int8 ranges: RANDOM",
        "method": METHOD,
        "command": shlex.join(["python", "tools/bench_gpu.py", *map(nameless, sys.argv[1:])]),
        "versions": versions(),
        "environment": environment.describe(cores, len(cores)),
        "ceilings": asdict(ceilings),
        "modes": modes(args.precisions),
        "networks": [subject.title for subject in subjects],
        "limit_ms": args.limit,
        "noise_limit": spread.NOISE_LIMIT,
        "begun": now(),
        "ended": None,
        "cells": [],
        "profiles": [],
    }
    return Run(args, ceilings, subjects, result, args.compile_seconds)


def nameless(word: str) -> str:
    """Without the folders of this machine."""
    return Path(word).name if word.startswith("/") else word


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "models", nargs="+", metavar="MODEL", help=f"{', '.join(NETWORKS)}, or a .pb or .uff of one"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.json")
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=["fp16", "int8"])
    parser.add_argument(
        "--batches", nargs="+", type=int, default=BATCHES, help="in the order of measuring"
    )
    parser.add_argument("--image-size", type=int, default=256)
    parser.add_argument(
        "--compiled", nargs="*", type=int, default=[1, 8, 32, 128], help="batches of torch.compile"
    )
    parser.add_argument(
        "--compile-seconds", type=float, default=150, help="after which it begins no other batch"
    )
    parser.add_argument("--limit", type=float, default=7.0, metavar="MS", help="default 7")
    parser.add_argument(
        "--profile", nargs="*", type=int, metavar="BATCH", help="of our steps; default 1 128"
    )
    args = parser.parse_args()
    args.profile = [1, 128] if args.profile == [] else args.profile or []
    return args


def main() -> None:
    args = _arguments()
    check_targets(str(args.output))
    with tempfile.TemporaryDirectory() as work:
        run = _begin(args, Path(work))
    for batch in args.batches:
        for subject in run.subjects:
            print(f"{subject.title}, batch {batch}", file=sys.stderr, flush=True)
            _block(run, subject, batch)
            _release()
    for batch in args.profile:
        for subject in run.subjects:
            for precision in args.precisions:
                run.result["profiles"].append(_profile(run, subject, precision, batch))
                run.save()
    run.result["ended"] = now()
    run.save()
    print(gpu_tables.document(run.result | {"profiles": []}))


def _release() -> None:
    from gpu_modes import release

    gc.collect()
    release()


if __name__ == "__main__":
    try:
        main()
    except _core.Error as error:
        sys.exit(f"bench_gpu: {error}")
