"""Latency of our engines beside OpenVINO, ONNX Runtime and TensorFlow on the same frozen graph.

Every mode lives in a process of its own, pinned to the same cores. Rounds are interleaved, the
order rotating, so a slow minute hits all modes. The input is random gray clouds, preprocessed, the
same for all; the numbers are host latencies of one synchronous inference. Our int8 and the peers'
are calibrated on the same random images; what the peers run then lies beside the model, and can be
written elsewhere with tools/prepare_peers.py.

    python tools/bench_peers.py model.pb --batches 1 8 32 --rounds 10 --json results.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from peer_images import CALIBRATION_IMAGES, PRESETS, clouds, fitting_preset
from peer_modes import MODES, PREPARED, Setting
from peer_worker import Worker
from prepare_peers import FILES

SETTLE_SECONDS = 0.1
# Of our engines, whatever is measured.
MAX_BATCH = 32
# Whose scores the others' are compared with, best first.
TRUTHS = ("tensorflow-fp32", "openvino-fp32", "ours-fp32")


def write_images(folder: Path, count: int, preset: str) -> Path:
    path = folder / f"{count}.npy"
    if not path.exists():
        np.save(path, clouds(count, preset))
    return path


def prepare(mode: str, setting: Setting) -> None:
    """Writes what `mode` runs in place of the frozen graph, in a process of its own."""
    if mode not in PREPARED:
        return
    name = PREPARED[mode]
    if FILES[name][0](setting.model, setting.preset).exists():
        return
    program = Path(__file__).with_name("prepare_peers.py")
    command = [sys.executable, str(program), str(setting.model)]
    command += ["--preprocess", setting.preset, "--files", name]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        reason = result.stderr.strip().splitlines()[-1]
        raise RuntimeError(f"{program.name} could not write {name}: {reason}")


def start(
    modes: list[str], setting: Setting, cores: set[int]
) -> tuple[dict[str, Worker], dict[str, str]]:
    """The workers that started, and why the others did not."""
    workers: dict[str, Worker] = {}
    absent: dict[str, str] = {}
    for mode in modes:
        try:
            prepare(mode, setting)
            workers[mode] = Worker(mode, setting, cores)
        except RuntimeError as error:
            absent[mode] = str(error)
    return workers, absent


def measure(
    workers: dict[str, Worker],
    images: dict[int, Path],
    rounds: int,
    round_seconds: float,
) -> Iterator[dict]:
    for batch, path in images.items():
        rounds_of: dict[str, list[list[float]]] = {mode: [] for mode in workers}
        scores: dict[str, list[list[float]]] = {}
        counts = {}
        for mode, worker in workers.items():
            probe = worker.run(path, 2)["times"]
            counts[mode] = max(2, int(round_seconds * 1e3 / min(probe)))
        for turn in range(rounds):
            # Each mode follows each other one: idle threads of a runtime spin for a while.
            modes = list(workers)
            for mode in modes[turn % len(modes) :] + modes[: turn % len(modes)]:
                time.sleep(SETTLE_SECONDS)
                answer = workers[mode].run(path, counts[mode])
                rounds_of[mode].append(answer["times"])
                scores[mode] = answer["scores"]
        yield {"batch": batch, "rounds": rounds_of, "scores": scores}


def summarise(measured: dict) -> list[dict]:
    """One row a mode. A ratio is the median over the rounds of the ratio of that round's medians,
    so that drift of the machine between rounds cancels.
    """
    by_round = {
        mode: [statistics.median(times) for times in rounds]
        for mode, rounds in measured["rounds"].items()
    }
    rows = []
    for mode, rounds in measured["rounds"].items():
        times = [time for one in rounds for time in one]
        median = statistics.median(times)
        rows.append(
            {
                "mode": mode,
                "batch": measured["batch"],
                "median_ms": median,
                "p10_ms": float(np.percentile(times, 10)),
                "p90_ms": float(np.percentile(times, 90)),
                "images_per_s": measured["batch"] / median * 1e3,
                "runs": len(times),
                "ratios": {
                    other: statistics.median(np.divide(by_round[mode], medians).tolist())
                    for other, medians in by_round.items()
                },
            }
        )
    return rows


def score_differences(scores: dict[str, list[list[float]]]) -> dict[str, dict[str, float]]:
    """By mode, from TensorFlow's where it ran; over all images of the batch."""
    truth = next((mode for mode in TRUTHS if mode in scores), None)
    if truth is None:
        return {}
    differences = {}
    for mode, values in scores.items():
        difference = np.abs(np.subtract(values, scores[truth]))
        differences[mode] = {"largest": float(difference.max()), "mean": float(difference.mean())}
    return {truth: differences.pop(truth), **differences}


def environment(setting: Setting, cores: set[int]) -> dict:
    info = Path("/proc/cpuinfo").read_text()
    model = next(line.split(":")[1].strip() for line in info.splitlines() if "model name" in line)
    flags = next(line for line in info.splitlines() if line.startswith("flags")).split()
    wanted = (
        "avx2",
        "avx512f",
        "avx512_vnni",
        "avx512_bf16",
        "avx512_fp16",
        "amx_bf16",
        "amx_int8",
    )
    return {
        "cpu": model,
        "isa": [flag for flag in wanted if flag in flags],
        "cores": sorted(cores),
        "threads": setting.threads,
        "python": platform.python_version(),
        "input": f"random gray clouds through {setting.preset}",
        "int8": f"calibrated on {CALIBRATION_IMAGES} random gray clouds",
        "weights": "random unless the model was trained",
        "max_batch": setting.max_batch,
    }


def is_quantized(mode: str) -> bool:
    return mode.endswith(("-int8", "-mixed"))


def ratio_text(row: dict, rows: dict[str, dict]) -> str:
    """Ours against each peer of the same kind, int8 also against TensorFlow."""
    mode = row["mode"]
    if not mode.startswith("ours"):
        return ""
    kind = mode.split("-")[1]
    peers = [
        other
        for other in rows
        if not other.startswith("ours")
        and (is_quantized(other) if is_quantized(mode) else other.endswith(kind))
    ]
    parts = [f"{row['ratios'][peer]:.3f} x {peer}" for peer in peers]
    if is_quantized(mode) and "tensorflow-fp32" in rows:
        parts.append(f"tensorflow-fp32 {rows['tensorflow-fp32']['ratios'][mode]:.2f} x this")
    return ", ".join(parts)


def print_table(rows: list[dict], comparison: Callable[[dict, dict[str, dict]], str]) -> None:
    print(
        f"{'batch':>5}  {'mode':<18}{'median ms':>11}{'p10':>10}{'p90':>10}{'img/s':>9}"
        "  latency ratio by rounds"
    )
    for row in rows:
        of_batch = {other["mode"]: other for other in rows if other["batch"] == row["batch"]}
        print(
            f"{row['batch']:>5}  {row['mode']:<18}{row['median_ms']:>11.2f}{row['p10_ms']:>10.2f}"
            f"{row['p90_ms']:>10.2f}{row['images_per_s']:>9.1f}  {comparison(row, of_batch)}"
        )


def print_differences(differences: dict[str, dict[str, float]], batch: int) -> None:
    print(f"score difference from {next(iter(differences))} over {batch} random images:")
    for mode, values in differences.items():
        print(f"  {mode:<18} largest {values['largest']:.2e}, mean {values['mean']:.2e}")


def arguments(description: str, modes: Sequence[str], batches: list[int]) -> argparse.Namespace:
    """Of a benchmark of these modes, read from the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("model", type=Path, help="frozen graph (.pb)")
    parser.add_argument("--batches", type=int, nargs="+", default=batches)
    parser.add_argument("--modes", nargs="+", default=list(modes), choices=modes)
    parser.add_argument(
        "--preprocess", choices=PRESETS, help="default: what the scores say of the network"
    )
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--round-seconds", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write all results here")
    return parser.parse_args()


def run(args: argparse.Namespace) -> dict:
    """Everything that was measured. Exits when no mode runs."""
    cores = set(sorted(os.sched_getaffinity(0))[: args.threads])
    preset = args.preprocess or fitting_preset(args.model)
    rows: list[dict] = []
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        setting = Setting(
            model=args.model,
            preset=preset,
            calibration=write_images(folder, CALIBRATION_IMAGES, preset),
            threads=args.threads,
            max_batch=max(MAX_BATCH, *args.batches),
        )
        workers, absent = start(args.modes, setting, cores)
        if not workers:
            sys.exit("\n".join(f"{mode} did not run: {why}" for mode, why in absent.items()))
        images = {batch: write_images(folder, batch, preset) for batch in args.batches}
        for measured in measure(workers, images, args.rounds, args.round_seconds):
            rows += summarise(measured)
        slices = {mode: worker.slice for mode, worker in workers.items() if worker.slice}
        for worker in workers.values():
            worker.close()
    return {
        "environment": environment(setting, cores),
        "model": args.model.name,
        "rows": rows,
        "slices": slices,
        "absent": absent,
        "score_differences": score_differences(measured["scores"]),
    }


def report(
    args: argparse.Namespace, result: dict, comparison: Callable[[dict, dict[str, dict]], str]
) -> None:
    """Prints the result, and writes it where it is wanted. `comparison`: what to say of a row, with
    the others of its batch by mode.
    """
    print_table(result["rows"], comparison)
    for mode, size in result["slices"].items():
        print(f"{mode} runs batches above {size} in pieces of {size}")
    for mode, reason in result["absent"].items():
        print(f"{mode} did not run: {reason}")
    if result["score_differences"]:
        print_differences(result["score_differences"], args.batches[-1])
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")


def main() -> None:
    args = arguments(__doc__.splitlines()[0], MODES, [1, 8, 32])
    report(args, run(args), ratio_text)


if __name__ == "__main__":
    main()
