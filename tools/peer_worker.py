"""One mode of tools/bench_peers.py in a process of its own, told over standard input what to run.

The first line is {mode, setting}, answered by {slice}; each further one {images, count}, answered
by {times, scores}, times in ms.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from peer_modes import Setting, open_mode

_WARM_UP_RUNS = 3


def serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    mode = open_mode(request["mode"], Setting.from_json(request["setting"]))
    print(json.dumps({"slice": mode.slice}), file=answers, flush=True)
    images = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["images"] != images:
            images = request["images"]
            run = mode.prepare(np.load(images))
            for _ in range(_WARM_UP_RUNS):
                run()
        run()  # wakes this process's threads and caches
        times = []
        for _ in range(request["count"]):
            begin = time.perf_counter()
            scores = run()
            times.append((time.perf_counter() - begin) * 1e3)
        answer = {"times": times, "scores": np.asarray(scores).tolist()}
        print(json.dumps(answer), file=answers, flush=True)


class Worker:
    """The side that asks. Raises RuntimeError with the last line of what the process said."""

    def __init__(self, mode: str, setting: Setting, cores: set[int]) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the worker
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        self.slice = int(self._ask({"mode": mode, "setting": setting.to_json()})["slice"])

    def run(self, images: Path, count: int) -> dict[str, Any]:
        return self._ask({"images": str(images), "count": count})

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._log.seek(0)
            raise RuntimeError(self._log.read().strip().splitlines()[-1])
        return json.loads(line)


if __name__ == "__main__":
    serve()
