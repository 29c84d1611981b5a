"""Comparisons with constructed times, as `compare` would have written them."""

from __future__ import annotations

from typing import Any

from chexnet_trt.compare import summary, whitepaper
from chexnet_trt.compare.modes import BY_NAME
from chexnet_trt.compare.networks import RANDOM
from chexnet_trt.compare.summary import CUSTOM, STOCK, key_of

# Milliseconds by key and batch; each round has these, times a factor of its own.
Times = dict[str, dict[int, float]]

TIMES: Times = {
    "custom/tensorflow-cpu": {1: 30.0, 8: 216.0},
    "custom/native-fp32": {1: 22.0, 8: 184.0},
    "custom/native-int8": {1: 6.4, 8: 48.8},
    "custom/integrated-int8": {1: 6.9, 8: 50.4},
    "custom/openvino-int8": {1: 6.25, 8: 48.0},
    "stock/native-int8": {1: 6.6, 8: 49.6},
}
MISSING = {"custom/tensorflow-gpu": "TensorFlow finds no GPU"}
DRIFT = (1.0, 1.02, 0.99, 1.01)


def entry(key: str, missing: str | None = None) -> dict[str, Any]:
    model, _, name = key.partition("/")
    mode = BY_NAME[name]
    return {
        "key": key,
        "model": model,
        "mode": name,
        "title": mode.title,
        "runtime": mode.runtime,
        "precision": mode.precision,
        "device": mode.device,
        "backend": mode.backend,
        "facts": {},
        "missing": missing,
        "accuracy": None,
    }


def comparison(
    times: Times | None = None,
    *,
    missing: dict[str, str] | None = None,
    target_ms: float = 7.0,
    drift: dict[str, tuple[float, ...]] | None = None,
) -> dict[str, Any]:
    """A finished comparison. `drift`: factors a round, of the keys that have their own."""
    times = TIMES if times is None else times
    missing = MISSING if missing is None else missing
    batches = sorted({batch for of_key in times.values() for batch in of_key})
    result: dict[str, Any] = {
        "format": 1,
        "command": "python -m chexnet_trt compare network.pb --rounds 4",
        "settings": settings(batches, target_ms),
        "environment": ENVIRONMENT,
        "models": {name: {**NETWORK, "title": f"network {name}"} for name in (CUSTOM, STOCK)},
        "whitepaper": whitepaper.to_json(),
        "entries": [entry(key) for key in times]
        + [entry(key, reason) for key, reason in missing.items()],
        "sessions": [{"begun": "2026-01-02T03:04:05+00:00", "ended": "2026-01-02T03:24:05+00:00"}],
        "rounds": [],
        "scores": scores(times),
        "scenarios": scenarios(times),
    }
    for turn in range(len(DRIFT)):
        factors = {key: (drift or {}).get(key, DRIFT)[turn] for key in times}
        for batch in batches:
            result["rounds"].append(one_round("batch", batch, turn, times, factors))
        result["rounds"].append(one_round("file", 1, turn, times, factors))
    result["summary"] = summary.summarise(result)
    return result


def one_round(
    kind: str, batch: int, turn: int, times: Times, factors: dict[str, float]
) -> dict[str, Any]:
    found = {key: of_key[batch] * factors[key] for key, of_key in times.items() if batch in of_key}
    kept = {
        "kind": kind,
        "batch": batch,
        "turn": turn,
        "load": {"others": 0.01, "stolen": 0.0, "load_average": 2.0},
        "errors": {},
    }
    if kind == "file":
        slower = {key: [time + 9.3] for key, time in found.items()}
        return kept | {"times": slower, "prepare": {key: [9.1] for key in found}}
    device = {key: [0.97 * time] for key, time in found.items()}
    spread = {key: [0.99 * time, time, 1.01 * time] for key, time in found.items()}
    return kept | {"times": spread, "device": device}


def settings(batches: list[int], target_ms: float) -> dict[str, Any]:
    return {
        "batches": batches,
        "rounds": len(DRIFT),
        "round_seconds": 0.25,
        "latency_target_ms": target_ms,
        "input": "RANDOM gray clouds through imagenet-tf",
        "film": "SYNTHETIC film, 1024 pixels a side",
        "calibration_images": 16,
        "engines": {},
    }


def scores(times: Times) -> dict[str, Any]:
    differences = {
        key: {"largest": 0.0123 * index, "mean": 0.00045 * index}
        for index, key in enumerate(times)
        if key.startswith(CUSTOM)
    }
    return {"truth": key_of(CUSTOM, "native-fp32"), "images": 8, "differences": differences}


def scenarios(times: Times) -> dict[str, Any]:
    custom = [key for key in times if key.startswith(CUSTOM)]
    server: dict[str, Any] = {
        key: {"queries_per_s": 101.0 + index, "p99_ms": 14.2, "trials": []}
        for index, key in enumerate(custom)
    }
    server[custom[0]] = {"missing": "one image takes 30 ms", "trials": []}
    return {
        "server": server,
        "offline": {key: {"batch": 8, "images_per_s": 163.0} for key in custom},
        "server_limit_ms": 15.0,
        "percentile": 99,
        "single_stream_percentile": 90,
    }


NETWORK = {"sha256": "0" * 64, "size": [256, 256, 3], "weights": RANDOM, "path": "n.pb"}
ENVIRONMENT = {
    "cpu": "Test CPU",
    "isa": ["avx2"],
    "threads": 2,
    "pinned_to": [0, 1],
    "governor": None,
    "gpus": [],
    "memory_gib": 24.5,
    "os": "Test OS 12",
    "python": "3.11.7",
    "packages": {"openvino": "2026.4.1"},
}
