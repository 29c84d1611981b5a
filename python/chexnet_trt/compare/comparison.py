"""A whole comparison: networks, modes, rounds, scenarios, summary; what is done stays done."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt import machine
from chexnet_trt._core import InputError
from chexnet_trt.compare import (
    accuracy,
    environment,
    images,
    measuring,
    networks,
    results,
    scenarios,
    summary,
    whitepaper,
)
from chexnet_trt.compare.modes import BY_NAME, Mode
from chexnet_trt.compare.networks import Compared
from chexnet_trt.compare.reasons import reason_of
from chexnet_trt.compare.setting import Setting
from chexnet_trt.compare.summary import CUSTOM, STOCK, key_of
from chexnet_trt.compare.workers import BrokenModeError, Worker
from chexnet_trt.inputs import make_folder
from chexnet_trt.models.networks import NETWORKS

Fields = dict[str, Any]
# (stage, done, total)
Progress = Callable[[str, int, int], None]

# Whose scores the others' are compared with, best first.
TRUTHS = ("tensorflow-cpu", "openvino-fp32", "native-fp32")


@dataclass(frozen=True)
class Plan:
    """`data`: images for input and calibration; none: random ones. `film`: for file to score.
    `image_size`: of a network that is named. `server_limit_ms`: of the server's 99th percentile.
    """

    model: str
    modes: tuple[Mode, ...]
    batches: tuple[int, ...]
    rounds: int
    round_seconds: float
    scenario_seconds: float
    threads: int
    latency_target_ms: float
    server_limit_ms: float
    stock: bool = True
    image_size: int | None = None
    preset: str | None = None
    data: str | None = None
    film: str | None = None
    engines: tuple[str, ...] = ()
    least_queries: int = scenarios.LEAST_QUERIES


@dataclass
class _Run:
    """`settings`: by model. `result`: what the file holds."""

    plan: Plan
    output: Path
    cores: set[int]
    settings: dict[str, Setting]
    film: Path
    result: Fields
    progress: Progress
    steps: int = 0
    done: int = field(default=0)

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
    run = _prepare(plan, output, make_folder(work), progress)
    if not _complete(run):
        _measure(run)
    run.result["summary"] = summary.summarise(run.result)
    run.save()
    return run.result


def _prepare(plan: Plan, output: Path, work: Path, progress: Progress) -> _Run:
    progress("preparing the networks", 0, 1)
    cores = set(sorted(os.sched_getaffinity(0))[: plan.threads])
    if len(cores) < plan.threads:
        raise InputError(f"--threads {plan.threads}: this process may use {len(cores)} cores")
    compared, absent = _networks(plan, work)
    size = compared[CUSTOM].size
    records = accuracy.of_engines(plan.engines, compared[CUSTOM])
    preset = plan.preset or _preset(plan, compared[CUSTOM])
    fed, calibration = _images(plan, preset, size)
    settings = {
        model: _setting(plan, network, preset, work, fed, calibration)
        for model, network in compared.items()
    }
    engines = {mode: record["engine"] for mode, record in records.items()}
    settings[CUSTOM] = Setting(**{**vars(settings[CUSTOM]), "engines": engines})
    film = Path(plan.film) if plan.film else images.drawn_film(work / "film.png")
    fresh: Fields = {
        "format": results.FORMAT,
        "tool_version": machine.version("chexnet_trt"),
        "settings": _settings_json(plan, preset, records, fed, calibration),
        "environment": environment.describe(cores, plan.threads),
        "models": {model: network.to_json() for model, network in compared.items()},
        "whitepaper": whitepaper.to_json(),
        "entries": _entries(plan, absent, records),
        "sessions": [],
        "rounds": [],
        "scores": None,
        "scenarios": {},
    }
    result = results.continued(output, fresh)
    return _Run(plan, output, cores, settings, film, result, progress)


def _networks(plan: Plan, work: Path) -> tuple[dict[str, Compared], str]:
    """The networks by their role, and why there is no stock one."""
    compared = {CUSTOM: networks.custom(plan.model, work, plan.image_size)}
    if not plan.stock:
        return compared, "left out by --no-stock"
    try:
        compared[STOCK] = networks.stock(work, compared[CUSTOM].size)
    except InputError as error:
        return compared, str(error)
    return compared, ""


def _preset(plan: Plan, network: Compared) -> str:
    named = NETWORKS.get(plan.model)
    return named.preprocessing if named else images.fitting_preset(network.path, network.size)


def _images(
    plan: Plan, preset: str, size: tuple[int, int, int]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Those that are fed, as many as the largest batch, and those that int8 is calibrated on."""
    count = max(plan.batches)
    if plan.data is None:
        fed = images.clouds(count, preset, size)
        return fed, images.clouds(images.CALIBRATION_IMAGES, preset, size)
    given = images.films(plan.data, preset, size, max(count, images.CALIBRATION_IMAGES))
    return images.repeated(given, count), given


def _setting(
    plan: Plan,
    network: Compared,
    preset: str,
    work: Path,
    fed: NDArray[Any],
    calibration: NDArray[Any],
) -> Setting:
    """In a folder that belongs to this network with these images: what is there may be used."""
    digest = hashlib.sha256(network.sha256.encode())
    digest.update(fed.tobytes())
    digest.update(calibration.tobytes())
    folder = make_folder(work / digest.hexdigest()[:16])
    for name, array in (("images", fed), ("calibration", calibration)):
        np.save(folder / f"{name}.npy", array)
    return Setting(
        model=network.path,
        size=network.size,
        preset=preset,
        images=folder / "images.npy",
        calibration=folder / "calibration.npy",
        work=folder,
        threads=plan.threads,
        max_batch=max(plan.batches),
    )


def _settings_json(
    plan: Plan,
    preset: str,
    records: Mapping[str, Fields],
    fed: NDArray[Any],
    calibration: NDArray[Any],
) -> Fields:
    fields = asdict(plan) | {"modes": [mode.name for mode in plan.modes], "preset": preset}
    for name in ("model", "data", "film"):
        fields[name] = fields[name] and Path(fields[name]).name
    fields["batches"] = list(plan.batches)
    fields["engines"] = {mode: Path(row["engine"]).name for mode, row in records.items()}
    fields["input"] = (
        f"films of {fields['data']} through {preset}"
        if plan.data
        else f"RANDOM gray clouds through {preset}"
    )
    fields["film"] = fields["film"] or f"SYNTHETIC film, {images.FILM_SIZE} pixels a side"
    fields["calibration_images"] = len(calibration)
    fields["images_sha256"] = hashlib.sha256(fed.tobytes()).hexdigest()
    return fields


def _entries(plan: Plan, no_stock: str, records: Mapping[str, Fields]) -> list[Fields]:
    """A row of each table: a network and a mode; `missing` until its process has started."""
    rows = []
    for model in (CUSTOM, STOCK):
        for mode in plan.modes:
            if model == STOCK and not mode.stock:
                continue
            row: Fields = {"key": key_of(model, mode.name), "model": model, "mode": mode.name}
            row |= {name: getattr(mode, name) for name in ("title", "runtime", "precision")}
            row |= {"device": mode.device, "backend": mode.backend, "facts": {}}
            row["missing"] = (no_stock if model == STOCK else "") or "not started yet"
            row["accuracy"] = (
                records.get(mode.name, {}).get("accuracy") if model == CUSTOM else None
            )
            rows.append(row)
    return rows


def _blocks(plan: Plan) -> list[Fields]:
    film = {"kind": "file", "batch": 1}
    return [{"kind": "batch", "batch": batch} for batch in plan.batches] + [film]


def _left(run: _Run) -> list[tuple[Fields, int]]:
    """The blocks and turns that are not measured yet, in order."""
    done = {(one["kind"], one["batch"], one["turn"]) for one in run.result["rounds"]}
    return [
        (block, turn)
        for block in _blocks(run.plan)
        for turn in range(run.plan.rounds)
        if (block["kind"], block["batch"], turn) not in done
    ]


def _complete(run: _Run) -> bool:
    return not _left(run) and "server" in run.result["scenarios"]


def _measure(run: _Run) -> None:
    left = _left(run)
    entries = [row for row in run.result["entries"] if row["model"] in run.settings]
    session = {"begun": _now(), "ended": None}
    run.result["sessions"].append(session)
    modes = _start(run, entries)
    try:
        run.begin(len(left) * len(modes.workers))
        for block, turn in left:
            _round(run, modes, block, turn)
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
                setting = run.settings[row["model"]]
                worker = Worker(BY_NAME[row["mode"]], setting, run.cores)
            except (BrokenModeError, InputError) as error:
                row["missing"] = reason_of(error) if isinstance(error, InputError) else str(error)
            else:
                workers[row["key"]] = worker
                row |= {"missing": None, "facts": worker.facts}
            run.step(f"starting {row['title']}")
    except BaseException:
        for worker in workers.values():
            worker.close()
        raise
    if not workers:
        first = "; ".join(f"{row['mode']}: {row['missing']}" for row in entries[:3])
        raise InputError(f"no mode runs here: {first}")
    return measuring.Field(workers, run.cores)


def _round(run: _Run, modes: measuring.Field, block: Fields, turn: int) -> None:
    batch, seconds = block["batch"], run.plan.round_seconds
    scores = block["kind"] == "batch" and batch == max(run.plan.batches) and turn == 0
    name = f"batch {batch}" if block["kind"] == "batch" else "file to score"

    def request(key: str) -> Fields:
        if block["kind"] == "file":
            return {"do": "file", "path": str(run.film), "seconds": seconds}
        wanted = scores and key.startswith(f"{CUSTOM}/")
        device = turn % 2 == 0  # Half of the rounds tell that apart as well as all.
        return {"do": "run", "batch": batch, "seconds": seconds, "device": device, "scores": wanted}

    kept, answers = measuring.measure_round(
        modes, turn, request, lambda: run.step(f"{name}, round {turn + 1} of {run.plan.rounds}")
    )
    columns = ("prepare",) if block["kind"] == "file" else ("device",)
    run.result["rounds"].append(block | kept | measuring.kept_columns(answers, *columns))
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
