"""NVIDIA's compute-sanitizer over inferences of whole CUDA engines: memory errors and races.

    python tools/sanitize_gpu.py resnet50_v2 densenet121 -o results/sanitizer.json

Engines are built, and their kernels chosen by timing, outside the sanitizer, which slows a kernel
by orders of magnitude; under it each runs a few inferences. Networks by name have RANDOM weights,
int8 ranges are RANDOM. The file is written after every check. Exit status 1 unless all are clean.
On an H200 memcheck of an inference takes 1 to 3 s, racecheck of batch 8 20 to 50 s.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from bench_gpu import nameless, now
from chexnet_trt import _core, builder, int8, network
from chexnet_trt.compare import environment, networks, results
from chexnet_trt.compare.runtimes.devices import require
from chexnet_trt.inputs import check_targets
from chexnet_trt.models.networks import NETWORKS

TOOLS = ("memcheck", "racecheck", "synccheck", "initcheck")
ONCE = ["--iterations=1", "--avgRuns=1", "--warmUp=0", "--duration=0"]
_SUMMARY = re.compile(r"(?:ERROR|RACECHECK) SUMMARY: (\d+) (?:error|hazard)")
_IS_HOST = re.compile("Host Frame|Saved host backtrace|$")  # whence a kernel was launched
_LINES_KEPT = 20


@dataclass(frozen=True)
class Case:
    """An engine of one batch size."""

    network: str
    precision: str
    batch: int


@dataclass(frozen=True)
class Verdict:
    """`findings`: how many the sanitizer counted; None when the run did not end well, as `words`
    then say.
    """

    findings: int | None
    words: str
    seconds: float


def verdict_of(status: int | None, said: str, seconds: float) -> Verdict:
    """`status`: None when the run was ended for lasting too long."""
    lines = [line.strip("= ") for line in said.splitlines() if line.startswith("===")]
    words = "\n".join([line for line in lines if not _IS_HOST.match(line)][:_LINES_KEPT])
    found = _SUMMARY.findall(said)
    if status is None:
        return Verdict(None, f"not over in {seconds:.0f} s", seconds)
    if not found:
        end = said.strip().splitlines()[-1:] or ["it said nothing"]
        return Verdict(None, f"no summary, status {status}: {end[0]}", seconds)
    count = sum(map(int, found))  # of every process
    if count == 0 and status != 0:
        return Verdict(None, words, seconds)
    return Verdict(count, words if count else "", seconds)


def check(command: Sequence[str], limit: float) -> Verdict:
    """After `limit` seconds it is ended with all that it started: the inference is the sanitizer's
    child.
    """
    begin = time.monotonic()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return verdict_of(None, "", time.monotonic() - begin)
    return verdict_of(process.returncode, said, time.monotonic() - begin)


def row(case: Case, tool: str, verdict: Verdict) -> str:
    clean = {None: "NOT CHECKED", 0: "clean"}.get(verdict.findings, f"{verdict.findings} FOUND")
    cells = [case.network, case.precision, str(case.batch), tool, f"{verdict.seconds:.0f}", clean]
    return f"| {' | '.join(cells)} |"


def _build(model: str, case: Case, work: Path) -> Path:
    path = networks.custom(model, work, None).path if model in NETWORKS else Path(model)
    found = network.read(path)
    quantized = case.precision in int8.QUANTIZED
    engine = builder.build_network(
        found,
        backend="cuda",
        precisions=[case.precision],
        obey=True,
        int8=int8.from_random(found) if quantized else None,
        max_batch=case.batch,
        slice_size=case.batch,
    )
    saved = work / f"{case.network}_{case.precision}_{case.batch}.engine"
    engine.save(saved)
    return saved


def _run(args: argparse.Namespace, work: Path) -> bool:
    """True when all is clean."""
    cores = os.sched_getaffinity(0)
    checks: list[dict[str, Any]] = []
    result: dict[str, Any] = {
        "format": 1,
        "command": shlex.join(["python", "tools/sanitize_gpu.py", *map(nameless, sys.argv[1:])]),
        "labels": "networks by name have RANDOM weights; int8 ranges are RANDOM",
        "environment": environment.describe(cores, len(cores)),
        "begun": now(),
        "checks": checks,
    }
    print("| network | precision | batch | tool | s | findings |\n|---|---|---|---|---|---|")
    for model, precision, batch in product(args.models, args.precisions, args.batches):
        case = Case(model if model in NETWORKS else Path(model).stem, precision, batch)
        engine = _build(model, case, work)
        for tool in args.tools:
            verdict = check(
                [args.sanitizer, "--tool", tool, *_inference(engine, batch)], args.limit
            )
            checks.append(asdict(case) | {"tool": tool} | asdict(verdict))
            results.save(args.output, result | {"ended": now()})
            print(row(case, tool, verdict), flush=True)
            if verdict.findings != 0:
                print(verdict.words, file=sys.stderr, flush=True)
    return all(one["findings"] == 0 for one in checks)


def _inference(engine: Path, batch: int) -> list[str]:
    """The command of a few inferences."""
    command = [sys.executable, "-m", "chexnet_trt", "trtexec", *ONCE]
    return [*command, f"--loadEngine={engine}", f"--batch={batch}"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "models", nargs="+", metavar="MODEL", help=f"{', '.join(NETWORKS)} or a file"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.json")
    parser.add_argument("--precisions", nargs="+", default=["fp16", "int8"])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8, 128])
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=["memcheck", "racecheck"])
    parser.add_argument("--limit", type=float, default=600, help="seconds a check (default 600)")
    parser.add_argument(
        "--sanitizer", default=shutil.which("compute-sanitizer"), help="default: the one in PATH"
    )
    args = parser.parse_args()
    if args.sanitizer is None:
        parser.error("compute-sanitizer is not in PATH: it is part of the CUDA toolkit")
    return args


def main() -> None:
    args = _arguments()
    check_targets(str(args.output))
    for precision in args.precisions:
        require("cuda", precision)
    with tempfile.TemporaryDirectory() as work:
        clean = _run(args, Path(work))
    sys.exit(0 if clean else 1)


if __name__ == "__main__":
    try:
        main()
    except _core.Error as error:
        sys.exit(f"sanitize_gpu: {error}")
