"""What engines say of their accuracy: the record of the gate in their manifests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chexnet_trt import engine
from chexnet_trt._core import InputError
from chexnet_trt.compare.modes import MODES
from chexnet_trt.compare.networks import Compared
from chexnet_trt.compare.setting import INPUT, OUTPUT

Fields = dict[str, Any]


def of_engines(paths: Iterable[str], network: Compared) -> dict[str, Fields]:
    """By the mode that each engine is: `engine`, its file, and the record where it has one.

    Raises InputError for an engine that is none of the modes, or that is seen to be of another
    network: one that was built from a .uff file tells its input alone.
    """
    found: dict[str, Fields] = {}
    for path in paths:
        loaded = engine.load(path)
        mode = _mode_of(path, loaded)
        if mode in found:
            raise InputError(f"'{path}' and '{found[mode]['engine']}' are both {mode}; give one")
        _check(path, loaded, network)
        found[mode] = {"engine": path, "max_batch": loaded.max_batch}
        found[mode] |= {"accuracy": _record(loaded.manifest.get("accuracy"))}
    return found


def _mode_of(path: str, loaded: engine.Engine) -> str:
    if loaded.timing_only:
        raise InputError(f"'{path}' is for {engine.TIMING_ONLY}; build it with a calibration")
    for mode in MODES:
        same = (mode.runtime, mode.backend, mode.precision)
        if same == ("native", loaded.backend, loaded.precision):
            return mode.name
    raise InputError(f"'{path}' is {loaded.precision} on {loaded.backend}, which no mode is")


def _check(path: str, loaded: engine.Engine, network: Compared) -> None:
    source = loaded.manifest.get("source", {})
    if source.get("kind") == "pb" and source.get("sha256") != network.sha256:
        raise InputError(f"'{path}' was built from another network than {network.path.name}")
    height, width, channels = network.size
    inputs = {info.name: list(info.shape)[1:] for info in loaded.inputs}
    if inputs != {INPUT: [channels, height, width]} or loaded.inputs[0].element != "float32":
        raise InputError(
            f"'{path}' takes {inputs}, not float32 {INPUT} [{channels}, {height}, {width}]: build "
            "it from the network that is compared, without --u8-input"
        )
    if OUTPUT not in {info.name for info in loaded.outputs}:
        raise InputError(f"'{path}' has no output {OUTPUT}")


def _record(accuracy: Mapping[str, Any] | None) -> Fields | None:
    """Of a gate that was held: the worst class's figures beside those of all."""
    if not accuracy:
        return None
    classes = accuracy["per_class"].values()
    gate, overall = accuracy["gate"], accuracy["macro"]
    return {
        "split": accuracy["split"],
        "images": accuracy["n"],
        "synthetic": accuracy["synthetic"],
        "macro_auroc": overall["auroc"],
        "macro_low": overall["ci_lo"],
        "macro_high": overall["ci_hi"],
        "macro_delta": overall["delta_vs_fp32"],
        "worst_class_delta": _least(row["delta_vs_fp32"] for row in classes),
        "most_flips_percent": _percent(_most(row["flip_rate"] for row in classes)),
        "gate": gate and ("passed" if gate["passed"] else "failed"),
    }


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
