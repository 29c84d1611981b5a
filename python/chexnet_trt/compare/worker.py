"""The process of one mode: told over standard input what to run, it answers with times in ms.

    {"mode", "setting"}                    first; answered by {"facts"}
    {"do": "run", "batch", "seconds", "device", "scores"}    -> {"times", "device", "scores"}
    {"do": "file", "path", "seconds"}      film to score     -> {"times", "prepare"}
    {"do": "serve", "batches", "arrivals"} queries at times  -> {"latencies"}

A line of JSON each. {"error"} says why something could not be done; the process goes on.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt.compare.modes import BY_NAME
from chexnet_trt.compare.reasons import reason_of
from chexnet_trt.compare.runtimes import Bound, Session, open_session
from chexnet_trt.compare.setting import Setting
from chexnet_trt.preprocess import arrange, preset

_WARM_UP_RUNS, _WARM_UP_SECONDS = 3, 1.0
# Quicker ones are run once more before they are timed: that wakes threads and caches.
_WAKING_MS = 100.0
_SPIN_SECONDS = 0.002
# Threads of the mode before spin for a while. And on a virtual machine with AMX int8 was seen to
# take twice the time for seconds: less often behind busy CPUs than behind idle ones.
_SETTLE_SECONDS = 0.2


class _Runner:
    def __init__(self, session: Session, setting: Setting) -> None:
        self._session = session
        self._setting = setting
        self._images: NDArray[Any] = np.load(setting.images, mmap_mode="r")
        self._bound: dict[int, Bound] = {}

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        (bound,) = self._binds([request["batch"]])
        times = _timed(bound.run, request["seconds"])
        scores = bound.run().tolist() if request["scores"] else None
        count = max(1, len(times) // 4)
        device = bound.device_times(count) if request["device"] else []
        return {"times": times, "device": device, "scores": scores}

    def file(self, request: dict[str, Any]) -> dict[str, Any]:
        """Decoding and preprocessing are ours in every mode."""
        (bound,) = self._binds([1])
        height, width, channels = self._setting.size
        contract = preset(self._setting.preset, width, height, channels)
        prepare: list[float] = []

        def film_to_score() -> None:
            begin = time.perf_counter()
            bound.input[0] = contract.apply(request["path"], self._session.layout)
            prepare.append((time.perf_counter() - begin) * 1e3)
            bound.run()

        times = _timed(film_to_score, request["seconds"])
        return {"times": times, "prepare": prepare[-len(times) :]}

    def serve(self, request: dict[str, Any]) -> dict[str, Any]:
        """Queries of one image, first come first served, as many at once as wait and as fit one of
        the batch sizes."""
        bounds = dict(zip(request["batches"], self._binds(request["batches"]), strict=True))
        arrivals = request["arrivals"]
        latencies: list[float] = []
        begin = time.perf_counter()
        while len(latencies) < len(arrivals):
            first = len(latencies)
            _wait_until(begin + arrivals[first])
            now = time.perf_counter() - begin
            waiting = sum(arrival <= now for arrival in arrivals[first : first + max(bounds)])
            size = max(batch for batch in bounds if batch <= max(waiting, 1))
            bounds[size].run()
            done = time.perf_counter() - begin
            latencies += [(done - arrival) * 1e3 for arrival in arrivals[first : first + size]]
        return {"latencies": latencies}

    def _binds(self, batches: list[int]) -> list[Bound]:
        """Only these stay: what a runtime holds for a batch size takes memory."""
        self._bound = {batch: bound for batch, bound in self._bound.items() if batch in batches}
        for batch in batches:
            if batch not in self._bound:
                self._bound[batch] = self._warm(batch)
        return [self._bound[batch] for batch in batches]

    def _warm(self, batch: int) -> Bound:
        bound = self._session.bind(batch)
        images = self._images[:batch]
        bound.input[:] = [arrange(image, self._session.layout) for image in images]
        begin = time.perf_counter()
        for run in range(_WARM_UP_RUNS):
            bound.run()
            if run and time.perf_counter() - begin > _WARM_UP_SECONDS:
                break
        return bound


def _timed(work: Callable[[], object], seconds: float) -> list[float]:
    """Milliseconds of each run, one at least, until `seconds` are over."""
    _keep_busy(_SETTLE_SECONDS)
    times = [_milliseconds(work)]
    if times[0] < _WAKING_MS:
        times = []
    begin = time.perf_counter()
    while not times or time.perf_counter() - begin < seconds - times[0] / 1e3:
        times.append(_milliseconds(work))
    return times


def _keep_busy(seconds: float) -> None:
    """Computes on all CPUs of this process at once."""
    numbers = np.ones(1 << 16)
    end = time.perf_counter() + seconds

    def compute() -> None:
        roots = np.empty_like(numbers)
        while time.perf_counter() < end:
            np.sqrt(numbers, out=roots)

    threads = [threading.Thread(target=compute) for _ in os.sched_getaffinity(0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1e3


def _give_back_memory() -> None:
    """What building took and freed; all modes are in memory at the same time."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # glibc has it.
        trim(0)


def _wait_until(moment: float) -> None:
    """Sleeps, the last bit awake: sleeping ends late."""
    while (left := moment - time.perf_counter()) > 0:
        if left > _SPIN_SECONDS:
            time.sleep(left - _SPIN_SECONDS)


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # What libraries print is no answer.

    def answer(work: Callable[[], dict[str, Any]]) -> None:
        try:
            fields = work()
        except Exception as error:  # Whatever a tool raises, the others go on.
            fields = {"error": reason_of(error)}
        print(json.dumps(fields), file=answers, flush=True)

    runner: _Runner | None = None

    def open_mode(request: dict[str, Any]) -> dict[str, Any]:
        nonlocal runner
        setting = Setting.from_json(request["setting"])
        session = open_session(BY_NAME[request["mode"]], setting)
        runner = _Runner(session, setting)
        _give_back_memory()
        return {"facts": session.facts}

    for line in sys.stdin:
        request = json.loads(line)
        if runner is None:
            answer(lambda request=request: open_mode(request))  # type: ignore[misc]
        else:
            work = {"run": runner.run, "file": runner.file, "serve": runner.serve}[request["do"]]
            answer(lambda request=request, work=work: work(request))  # type: ignore[misc]


if __name__ == "__main__":
    main()
