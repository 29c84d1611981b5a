"""A whole comparison: modes started, rounds, scenarios, summary; what is done stays done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from chexnet_trt._core import InputError
from chexnet_trt.compare import measuring, results, scenarios, summary
from chexnet_trt.compare.modes import BY_NAME
from chexnet_trt.compare.plan import Plan
from chexnet_trt.compare.preparing import Prepared, prepare
from chexnet_trt.compare.reasons import reason_of
from chexnet_trt.compare.summary import CUSTOM, key_of
from chexnet_trt.compare.workers import BrokenModeError, Worker
from chexnet_trt.inputs import make_folder
from chexnet_trt.progress import Progress

Fields = dict[str, Any]

# Whose scores the others' are compared with, best first.
TRUTHS = ("tensorflow-cpu", "openvino-fp32", "native-fp32")


@dataclass
class _Run:
    """`result`: what the file `output` holds."""

    plan: Plan
    given: Prepared
    output: Path
    result: Fields
    progress: Progress
    steps: int = 0
    done: int = 0

    def save(self) -> None:
        results.save(self.output, self.result)

    def begin(self, steps: int) -> None:
        """Another stage, whose steps take another time."""
        self.steps, self.done = steps, 0

    def step(self, stage: str) -> None:
        self.done += 1
        self.progress(stage, min(self.done, self.steps), self.steps)


def compare(plan: Plan, output: Path, work: Path, progress: Progress) -> Fields:
    """Measures what `output` lacks of the plan, and returns what it then holds.

    Raises InputError on a bad network or plan, and for a file that was begun with other settings.
    """
    progress("preparing", 0, 1)
    given = prepare(plan, make_folder(work))
    run = _Run(plan, given, output, results.continued(output, given.result), progress)
    if not _complete(run):
        _measure(run)
    run.result["summary"] = summary.summarise(run.result)
    run.save()
    return run.result


def _left(run: _Run) -> list[tuple[str, int, int]]:
    """(kind, batch size, turn) of the rounds that are not measured yet, in order."""
    done = {(one["kind"], one["batch"], one["turn"]) for one in run.result["rounds"]}
    return [one for one in run.plan.schedule if one not in done]


def _complete(run: _Run) -> bool:
    return not _left(run) and "server" in run.result["scenarios"]


def _measure(run: _Run) -> None:
    left = _left(run)
    entries = [row for row in run.result["entries"] if row["model"] in run.given.settings]
    session = {"begun": _now(), "ended": None}
    run.result["sessions"].append(session)
    modes = _start(run, entries)
    try:
        run.begin(len(left) * len(modes.workers))
        for kind, batch, turn in left:
            _round(run, modes, kind, batch, turn)
            _note_broken(run, modes)
            run.save()
        _scenarios(run, modes)
        _note_broken(run, modes)
        session["ended"] = _now()
    finally:
        for worker in modes.workers.values():
            worker.close()


def _start(run: _Run, entries: list[Fields]) -> measuring.Field:
    workers: dict[str, Worker] = {}
    run.begin(len(entries))
    try:
        for row in entries:
            try:
                setting = run.given.settings[row["model"]]
                worker = Worker(BY_NAME[row["mode"]], setting, run.given.cores)
            except (BrokenModeError, InputError) as error:
                row["missing"] = reason_of(error) if isinstance(error, InputError) else str(error)
            else:
                workers[row["key"]] = worker
                row |= {"missing": None, "facts": worker.facts}
                row.pop("broken", None)
            run.step(f"starting {row['title']}")
    except BaseException:
        for worker in workers.values():
            worker.close()
        raise
    if not workers:
        first = "; ".join(f"{row['mode']}: {row['missing']}" for row in entries[:3])
        raise InputError(f"no mode runs here: {first}")
    return measuring.Field(workers, run.given.cores)


def _round(run: _Run, modes: measuring.Field, kind: str, batch: int, turn: int) -> None:
    seconds = run.plan.round_seconds
    scores = kind == "batch" and batch == max(run.plan.batches) and turn == 0
    name = f"batch {batch}" if kind == "batch" else "file to score"

    def request(key: str) -> Fields:
        if kind == "file":
            return {"do": "file", "path": str(run.given.film), "seconds": seconds}
        wanted = scores and key.startswith(f"{CUSTOM}/")
        device = turn % 2 == 0  # Half of the rounds tell that apart as well as all.
        return {"do": "run", "batch": batch, "seconds": seconds, "device": device, "scores": wanted}

    kept, answers = measuring.measure_round(
        modes, turn, request, lambda: run.step(f"{name}, round {turn + 1} of {run.plan.rounds}")
    )
    more = measuring.kept_columns(answers, "prepare" if kind == "file" else "device")
    run.result["rounds"].append({"kind": kind, "batch": batch} | kept | more)
    if scores:
        run.result["scores"] = _score_differences(answers)


def _score_differences(answers: Mapping[str, Fields]) -> Fields | None:
    """From those of the first of TRUTHS that ran, over all images and classes."""
    scores = {key: answer["scores"] for key, answer in answers.items() if answer["scores"]}
    truth = next((key_of(CUSTOM, mode) for mode in TRUTHS if key_of(CUSTOM, mode) in scores), None)
    if truth is None:
        return None
    rows = {}
    for key, values in scores.items():
        difference = np.abs(np.subtract(values, scores[truth]))
        rows[key] = {"largest": float(difference.max()), "mean": float(difference.mean())}
    return {"truth": truth, "images": len(scores[truth]), "differences": rows}


def _scenarios(run: _Run, modes: measuring.Field) -> None:
    medians = {
        key: times
        for key, times in summary.medians(run.result).items()
        if key.startswith(f"{CUSTOM}/") and key in modes.workers
    }
    terms = scenarios.Terms(
        run.plan.server_limit_ms, run.plan.scenario_seconds, run.plan.least_queries
    )
    run.begin(1 + len(medians))
    offline = scenarios.offline(modes, medians, terms)
    run.step("offline")
    server = {}
    for key, times in medians.items():
        if 1 in times and key in modes.workers:
            server[key] = scenarios.server(modes, key, times, terms)
        run.step("server")
    run.result["scenarios"] = {
        "offline": offline,
        "server": server,
        "server_limit_ms": terms.limit_ms,
        "percentile": scenarios.PERCENTILE,
        "single_stream_percentile": 90,
    }


def _note_broken(run: _Run, modes: measuring.Field) -> None:
    for row in run.result["entries"]:
        if row["key"] in modes.broken:
            row["broken"] = modes.broken[row["key"]]


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
