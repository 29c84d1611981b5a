"""What a comparison starts from: networks, images, engines, and the empty result."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt import machine
from chexnet_trt._core import InputError
from chexnet_trt.compare import accuracy, environment, images, networks, results, whitepaper
from chexnet_trt.compare.cores import choose
from chexnet_trt.compare.networks import Compared
from chexnet_trt.compare.plan import Plan
from chexnet_trt.compare.setting import Setting
from chexnet_trt.compare.summary import CUSTOM, STOCK, key_of
from chexnet_trt.inputs import make_folder
from chexnet_trt.marks import marks_of_graph_def, preprocessing_of
from chexnet_trt.models.networks import NETWORKS
from chexnet_trt.preprocess import PRESETS
from chexnet_trt.uff import graph_def

Fields = dict[str, Any]


@dataclass(frozen=True)
class Prepared:
    """`settings`: by the network's role. `result`: what a file holds before the first round."""

    settings: dict[str, Setting]
    film: Path
    cores: set[int]
    result: Fields


def prepare(plan: Plan, work: Path) -> Prepared:
    """Makes in `work` what the modes are given. Raises InputError on a bad network or plan."""
    cores = choose(os.sched_getaffinity(0), plan.threads)
    if len(cores) < plan.threads:
        raise InputError(f"--threads {plan.threads}: this process may use {len(cores)} cores")
    compared, no_stock = _networks(plan, work)
    records = accuracy.of_engines(plan.engines, compared[CUSTOM])
    preset = plan.preset or _preset(plan, compared[CUSTOM])
    fed = _images(plan, preset, compared[CUSTOM].size)
    result: Fields = {
        "format": results.FORMAT,
        "tool_version": machine.version("chexnet_trt"),
        "command": plan.command,
        "settings": _settings_json(plan, preset, records, fed),
        "environment": environment.describe(cores, plan.threads),
        "models": {model: network.to_json() for model, network in compared.items()},
        "whitepaper": whitepaper.to_json(),
        "entries": _entries(plan, no_stock, records),
        "sessions": [],
        "rounds": [],
        "scores": None,
        "scenarios": {},
    }
    engines = {mode: record["engine"] for mode, record in records.items()}
    settings = {
        model: _setting(plan, network, preset, work, fed, engines if model == CUSTOM else {})
        for model, network in compared.items()
    }
    film = Path(plan.film) if plan.film else images.drawn_film(work / "film.png")
    return Prepared(settings, film, cores, result)


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
    if named := NETWORKS.get(plan.model):
        return named.preprocessing
    trained = preprocessing_of(marks_of_graph_def(graph_def.load(network.path)), PRESETS)
    return trained or images.fitting_preset(network.path, network.size)


@dataclass(frozen=True)
class _Fed:
    """`images`: as many as the largest batch. `calibration`: what int8 is calibrated on."""

    images: NDArray[Any]
    calibration: NDArray[Any]


def _images(plan: Plan, preset: str, size: tuple[int, int, int]) -> _Fed:
    count = max(plan.batches)
    if plan.data is None:
        calibration = images.clouds(images.CALIBRATION_IMAGES, preset, size)
        return _Fed(images.clouds(count, preset, size), calibration)
    given = images.films(plan.data, preset, size, max(count, images.CALIBRATION_IMAGES))
    return _Fed(images.repeated(given, count), given)


def _setting(
    plan: Plan,
    network: Compared,
    preset: str,
    work: Path,
    fed: _Fed,
    engines: dict[str, str],
) -> Setting:
    """In a folder that belongs to this network with these images: what is there may be used."""
    digest = hashlib.sha256(network.sha256.encode())
    digest.update(fed.images.tobytes())
    digest.update(fed.calibration.tobytes())
    folder = make_folder(work / digest.hexdigest()[:16])
    np.save(folder / "images.npy", fed.images)
    np.save(folder / "calibration.npy", fed.calibration)
    return Setting(
        model=network.path,
        size=network.size,
        preset=preset,
        images=folder / "images.npy",
        calibration=folder / "calibration.npy",
        work=folder,
        threads=plan.threads,
        max_batch=max(plan.batches),
        engines=engines,
    )


def _settings_json(plan: Plan, preset: str, records: Mapping[str, Fields], fed: _Fed) -> Fields:
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
    fields["calibration_images"] = len(fed.calibration)
    fields["images_sha256"] = hashlib.sha256(fed.images.tobytes()).hexdigest()
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
