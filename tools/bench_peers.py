"""Latency of our engines beside OpenVINO, ONNX Runtime and TensorFlow on the same frozen graph.

Every mode lives in a process of its own, pinned to the same cores. Rounds are interleaved, the
order rotating, so a slow minute hits all modes. The input is random gray clouds, preprocessed, the
same for all; the numbers are host latencies of one synchronous inference.

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
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

INPUT = "input_tensor"
OUTPUT = "chexnet_sigmoid_tensor"
SIZE = 256
MODES = (
    "ours-fp32",
    "ours-bf16",
    "openvino-fp32",
    "openvino-bf16",
    "onnxruntime-fp32",
    "tensorflow-fp32",
)
# Of chexnet_trt.preprocess, those that the networks of this project are trained with.
PRESETS = ("imagenet-tf", "torch")
SETTLE_SECONDS = 0.1

Run = Callable[[], np.ndarray]
# From images, [batch, SIZE, SIZE, 3] float32, to their inference.
Prepare = Callable[[np.ndarray], Run]


def write_images(folder: Path, batch: int, preset_name: str) -> Path:
    """Random gray clouds through a preset; not made by workers: no peer loads our module."""
    from chexnet_trt.models.random_weights import synthetic_images
    from chexnet_trt.preprocess import preset

    path = folder / f"{preset_name}_{batch}.npy"
    if not path.exists():
        pixels = synthetic_images(np.random.default_rng(0), batch, SIZE)
        contract = preset(preset_name, SIZE, SIZE, 3)
        np.save(path, ((pixels - contract.mean) / contract.std).astype(np.float32))
    return path


def ours(model: Path, precision: str, threads: int) -> Prepare:
    import chexnet_trt as ct

    engine = ct.build(
        model,
        inputs={INPUT: (3, SIZE, SIZE)},
        outputs=[OUTPUT],
        precisions=[precision],
        obey=True,
        max_batch=32,
        timing_batch=1,
        threads=threads,
        embed_blob=False,
    )
    context = engine.create_context()

    def prepare(images: np.ndarray) -> Run:
        scores = np.empty((len(images), 14), np.float32)
        bindings = {INPUT: np.ascontiguousarray(images.transpose(0, 3, 1, 2)), OUTPUT: scores}

        def run() -> np.ndarray:
            context.enqueue(bindings).wait()
            return scores

        return run

    return prepare


def openvino(model: Path, precision: str, threads: int) -> Prepare:
    import openvino as ov

    core = ov.Core()

    def prepare(images: np.ndarray) -> Run:
        whole = core.read_model(str(model))
        scores = next(port for port in whole.outputs if f"{OUTPUT}:0" in port.names)
        network = ov.Model([scores.node], whole.get_parameters(), "network")
        network.reshape(list(images.shape))
        compiled = core.compile_model(
            network,
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16"}[precision],
                "INFERENCE_NUM_THREADS": threads,
            },
        )
        request = compiled.create_infer_request()
        request.set_input_tensor(ov.Tensor(images, shared_memory=True))

        def run() -> np.ndarray:
            request.infer()
            assert images is not None  # the tensor only borrows them
            return request.get_output_tensor().data

        return run

    return prepare


def onnxruntime(model: Path, threads: int) -> Prepare:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    onnx_path = model.with_suffix(".onnx")
    session = ort.InferenceSession(str(onnx_path), options, providers=["CPUExecutionProvider"])

    return lambda images: lambda: session.run([f"{OUTPUT}:0"], {f"{INPUT}:0": images})[0]


def tensorflow(model: Path, threads: int) -> Prepare:
    import tensorflow as tf

    graph_def = tf.compat.v1.GraphDef.FromString(model.read_bytes())
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name="")
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1
    )
    session = tf.compat.v1.Session(graph=graph, config=config)
    callable_ = session.make_callable(f"{OUTPUT}:0", feed_list=[f"{INPUT}:0"])
    return lambda images: lambda: callable_(images)


def open_mode(mode: str, model: Path, threads: int) -> Prepare:
    tool, precision = mode.split("-")
    if tool == "ours":
        return ours(model, precision, threads)
    if tool == "openvino":
        return openvino(model, precision, threads)
    return {"onnxruntime": onnxruntime, "tensorflow": tensorflow}[tool](model, threads)


def serve(mode: str, model: Path, threads: int) -> None:
    """Worker: reads {images, count} lines, answers {times, scores} lines."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    prepare = open_mode(mode, model, threads)
    runs: dict[str, Run] = {}
    print(json.dumps({"ready": mode}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        path = request["images"]
        if path not in runs:
            runs[path] = prepare(np.load(path))
            for _ in range(3):
                runs[path]()
        run = runs[path]
        run()  # wakes this process's threads and caches
        times = []
        for _ in range(request["count"]):
            begin = time.perf_counter()
            scores = run()
            times.append((time.perf_counter() - begin) * 1e3)
        answer = {"times": times, "scores": np.asarray(scores).reshape(-1)[:14].tolist()}
        print(json.dumps(answer), file=answers, flush=True)


class Worker:
    """One mode in its own process."""

    def __init__(self, mode: str, model: Path, threads: int, cores: set[int]) -> None:
        command = [
            sys.executable,
            __file__,
            str(model),
            "--worker",
            mode,
            "--threads",
            str(threads),
        ]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the worker
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=environment,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        self._read()

    def _read(self) -> dict:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.log.seek(0)
            raise RuntimeError(self.log.read().strip().splitlines()[-1])
        return json.loads(line)

    def run(self, images: Path, count: int) -> dict:
        assert self.process.stdin is not None
        request = {"images": str(images), "count": count}
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return self._read()

    def close(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait()


def write_onnx(model: Path) -> None:
    """Converts the frozen graph with tf2onnx, beside it, in a process of its own."""
    onnx_path = model.with_suffix(".onnx")
    if onnx_path.exists():
        return
    command = [sys.executable, "-m", "tf2onnx.convert", "--graphdef", str(model), "--opset", "17"]
    command += ["--inputs", f"{INPUT}:0", "--outputs", f"{OUTPUT}:0", "--output", str(onnx_path)]
    subprocess.run(command, check=True, capture_output=True)


def start(
    modes: list[str], model: Path, threads: int, cores: set[int]
) -> tuple[dict[str, Worker], dict[str, str]]:
    """The workers that started, and why the others did not."""
    workers: dict[str, Worker] = {}
    absent: dict[str, str] = {}
    for mode in modes:
        try:
            if mode.startswith("onnxruntime"):
                write_onnx(model)
            workers[mode] = Worker(mode, model, threads, cores)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            absent[mode] = str(error)
    return workers, absent


def fitting_preset(worker: Worker, folder: Path) -> str:
    """The preset of PRESETS that leaves most scores off 0 and 1, where a difference shows."""

    def alive(preset_name: str) -> int:
        scores = np.array(worker.run(write_images(folder, 1, preset_name), 1)["scores"])
        return int(np.count_nonzero((scores > 0.001) & (scores < 0.999)))

    counts = {name: alive(name) for name in PRESETS}
    best = max(counts, key=counts.__getitem__)
    print(f"random gray clouds through {best}: {counts[best]} of 14 scores in 0.001..0.999")
    return best


def measure(
    workers: dict[str, Worker],
    images: dict[int, Path],
    rounds: int,
    round_seconds: float,
) -> Iterator[dict]:
    for batch, path in images.items():
        rounds_of: dict[str, list[list[float]]] = {mode: [] for mode in workers}
        scores: dict[str, list[float]] = {}
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


def environment(threads: int, cores: set[int], preset_name: str) -> dict:
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
        "threads": threads,
        "python": platform.python_version(),
        "input": f"random gray clouds through {preset_name}",
        "weights": "random unless the model was trained",
    }


def same_precision(row: dict, other: str) -> bool:
    return row["mode"].split("-")[1] == other.split("-")[1]


def print_table(rows: list[dict]) -> None:
    print(
        f"{'batch':>5}  {'mode':<18}{'median ms':>11}{'p10':>10}{'p90':>10}{'img/s':>9}"
        "  latency ratio by rounds"
    )
    for row in rows:
        ratio = ", ".join(
            f"{value:.3f} x {other}"
            for other, value in row["ratios"].items()
            if row["mode"].startswith("ours")
            and other != row["mode"]
            and same_precision(row, other)
        )
        print(
            f"{row['batch']:>5}  {row['mode']:<18}{row['median_ms']:>11.2f}{row['p10_ms']:>10.2f}"
            f"{row['p90_ms']:>10.2f}{row['images_per_s']:>9.1f}  {ratio}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="frozen graph (.pb)")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--modes", nargs="+", default=list(MODES), choices=MODES)
    parser.add_argument(
        "--preprocess", choices=PRESETS, help="default: what the scores say of the network"
    )
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--round-seconds", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write all results here")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        serve(args.worker, args.model, args.threads)
        return
    cores = set(sorted(os.sched_getaffinity(0))[: args.threads])
    workers, absent = start(args.modes, args.model, args.threads, cores)
    if not workers:
        sys.exit("\n".join(f"{mode} did not run: {reason}" for mode, reason in absent.items()))
    rows: list[dict] = []
    scores: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        preset_name = args.preprocess or fitting_preset(next(iter(workers.values())), folder)
        images = {batch: write_images(folder, batch, preset_name) for batch in args.batches}
        for measured in measure(workers, images, args.rounds, args.round_seconds):
            rows += summarise(measured)
            scores = measured["scores"]
    for worker in workers.values():
        worker.close()
    print_table(rows)
    for mode, reason in absent.items():
        print(f"{mode} did not run: {reason}")
    truth = next((mode for mode in ("tensorflow-fp32", "openvino-fp32") if mode in scores), None)
    if truth is not None:
        for mode, values in scores.items():
            difference = np.abs(np.subtract(values, scores[truth])).max()
            print(f"largest score difference from {truth}, {mode}: {difference:.2e}")
    if args.json:
        result = {
            "environment": environment(args.threads, cores, preset_name),
            "model": args.model.name,
            "rows": rows,
            "absent": absent,
        }
        args.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
