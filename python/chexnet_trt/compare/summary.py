"""From the rounds to every figure that a report shows. Pure: the same rounds, the same summary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from chexnet_trt.compare import spread
from chexnet_trt.compare.measuring import common, rounds_of
from chexnet_trt.compare.modes import BASELINE

Fields = dict[str, Any]

CUSTOM, STOCK = "custom", "stock"
# What engines of an int8 precision are held against, where it was measured.
INTEGRATED = "integrated-int8"
GPU_BASELINE = "tensorflow-gpu"
# Above this share of the cores' time that others took, the machine was not quiet.
BUSY = 0.05


def key_of(model: str, mode: str) -> str:
    return f"{model}/{mode}"


def summarise(result: Mapping[str, Any]) -> Fields:
    """`cells`: an entry and a batch each, with the figures or with `missing`. `speed_ups`: an entry
    against another. `target`: the best batch of each mode under the latency target.
    """
    entries: list[Fields] = result["entries"]
    cells = [
        _cell(entry, batch, _of_batch(result, batch))
        for entry in entries
        for batch in result["settings"]["batches"]
    ]
    ratios = list(_speed_ups(result, entries))
    _mark(cells, ratios)
    target = result["settings"]["latency_target_ms"]
    return {
        "interval_percent": spread.INTERVAL,
        "cells": cells,
        "speed_ups": ratios,
        "mean_speed_ups": _means(ratios),
        "target": target_table(cells, entries, target),
        "file_to_score": [_film(entry, _film_rounds(result)) for entry in entries],
        "load": _load(result["rounds"]),
    }


def medians(result: Mapping[str, Any]) -> dict[str, dict[int, float]]:
    """Host milliseconds by entry and batch, of what was measured."""
    found: dict[str, dict[int, float]] = {}
    for cell in summarise(result)["cells"]:
        if "median" in cell:
            found.setdefault(cell["entry"], {})[cell["batch"]] = cell["median"]
    return found


def target_table(cells: list[Fields], entries: list[Fields], target_ms: float) -> Fields:
    """Of each mode of the custom network the batch with the most images/s whose median host latency
    keeps the target; `best`: the entry with the most of all, None when none keeps it.
    """
    rows = [
        _target_row(entry, [cell for cell in cells if cell["entry"] == entry["key"]], target_ms)
        for entry in entries
        if entry["model"] == CUSTOM
    ]
    kept = [row for row in rows if "batch" in row]
    best = max(kept, key=lambda row: float(row["images_per_s"]), default=None)
    return {"target_ms": target_ms, "rows": rows, "best": best and best["entry"]}


def _target_row(entry: Fields, cells: list[Fields], target_ms: float) -> Fields:
    measured = [cell for cell in cells if "median" in cell]
    if not measured:
        return {"entry": entry["key"], "missing": cells[0]["missing"]}
    kept = [cell for cell in measured if cell["median"] <= target_ms]
    if not kept:
        least = min(measured, key=lambda cell: float(cell["median"]))
        return {"entry": entry["key"], "least_ms": least["median"], "least_batch": least["batch"]}
    best = max(kept, key=lambda cell: float(cell["images_per_s"]))
    return {"entry": entry["key"]} | {
        name: best[name] for name in ("batch", "images_per_s", "median", "p99", "noisy")
    }


def _of_batch(result: Mapping[str, Any], batch: int) -> list[Fields]:
    return [one for one in result["rounds"] if one["kind"] == "batch" and one["batch"] == batch]


def _film_rounds(result: Mapping[str, Any]) -> list[Fields]:
    return [one for one in result["rounds"] if one["kind"] == "file"]


def _cell(entry: Fields, batch: int, rounds: list[Fields]) -> Fields:
    key = entry["key"]
    cell: Fields = {"entry": key, "batch": batch}
    times = rounds_of(rounds, key)
    if not times:
        return cell | {"missing": _reason(entry, rounds)}
    cell |= spread.describe(times)
    cell["images_per_s"] = spread.rounded(batch / cell["median"] * 1e3)
    device = rounds_of(rounds, key, "device")
    if device:
        cell["device_ms"] = spread.describe(device)["median"]
    if len(times) < len(rounds):
        cell["stopped"] = _reason(entry, rounds)
    return cell


def _film(entry: Fields, rounds: list[Fields]) -> Fields:
    """File to score: one film from its file on, `prepare_ms` of it before the network."""
    times = rounds_of(rounds, entry["key"])
    if not times:
        return {"entry": entry["key"], "missing": _reason(entry, rounds)}
    prepare = spread.describe(rounds_of(rounds, entry["key"], "prepare"))["median"]
    figures = spread.describe(times)
    return {"entry": entry["key"], "prepare_ms": prepare} | {
        "prepare_percent": spread.rounded(100 * prepare / figures["median"]),
        "median": figures["median"],
        "p99": figures["p99"],
        "noisy": figures["noisy"],
    }


def _reason(entry: Fields, rounds: list[Fields]) -> str:
    errors = [one["errors"][entry["key"]] for one in rounds if entry["key"] in one["errors"]]
    return str(entry["missing"] or entry.get("broken") or next(iter(errors), "not measured yet"))


def _speed_ups(result: Mapping[str, Any], entries: list[Fields]) -> Iterator[Fields]:
    by_key = {entry["key"]: entry for entry in entries}
    for entry in entries:
        for other in _rivals(entry, by_key):
            for batch in result["settings"]["batches"]:
                rounds = list(common(_of_batch(result, batch), entry["key"], other))
                if rounds:
                    ratio = spread.speed_up(
                        rounds_of(rounds, other), rounds_of(rounds, entry["key"])
                    )
                    pair = {"entry": entry["key"], "to": other, "batch": batch}
                    yield pair | asdict(ratio)


def _rivals(entry: Fields, by_key: Mapping[str, Fields]) -> Iterator[str]:
    """The keys that an entry is held against: where the whitepaper starts, the integrated mode,
    the same precision in other tools, and the same mode of the other network.
    """
    if entry["model"] == STOCK:
        yield key_of(CUSTOM, entry["mode"])
        return
    own = entry["runtime"] in ("native", "integrated")
    rivals = [BASELINE, GPU_BASELINE] + [INTEGRATED] * (entry["precision"] == "int8")
    for key, other in by_key.items():
        peer = own and other["runtime"] not in ("native", "integrated", "tensorflow")
        if other["model"] != CUSTOM or key == entry["key"]:
            continue
        if other["mode"] in rivals or (peer and other["precision"] == entry["precision"]):
            yield key


def _mark(cells: Iterable[Fields], ratios: Iterable[Fields]) -> None:
    """A cell whose ratio to the baseline is noisy is noisy itself."""
    to = {key_of(CUSTOM, BASELINE)}
    noisy = {(row["entry"], row["batch"]) for row in ratios if row["noisy"] and row["to"] in to}
    for cell in cells:
        if (cell["entry"], cell["batch"]) in noisy:
            cell["noisy"] = True


def _means(ratios: list[Fields]) -> list[Fields]:
    """Over the batch sizes, as the last row of the whitepaper's tables 6 and 7."""
    pairs = dict.fromkeys((row["entry"], row["to"]) for row in ratios)
    rows = []
    for entry, to in pairs:
        values = [row["value"] for row in ratios if (row["entry"], row["to"]) == (entry, to)]
        mean = spread.rounded(float(np.mean(values)))
        rows.append({"entry": entry, "to": to, "batches": len(values), "value": mean})
    return rows


def _load(rounds: list[Fields]) -> Fields:
    """How busy others kept the cores, in percent of the cores' time."""
    fields: Fields = {"rounds": len(rounds)}
    for name in ("others", "stolen"):
        shares = [100 * one["load"][name] for one in rounds if one["load"][name] is not None]
        if shares:
            fields[f"{name}_median_percent"] = spread.rounded(float(np.median(shares)))
            fields[f"{name}_most_percent"] = spread.rounded(max(shares))
    busy = sum((one["load"]["others"] or 0) > BUSY for one in rounds)
    return fields | {"busy_rounds": busy, "busy_percent": 100 * BUSY}
