"""Looking things up in a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chexnet_trt._core import InputError
from chexnet_trt.compare.modes import BY_NAME
from chexnet_trt.compare.networks import RANDOM
from chexnet_trt.compare.spread import differ
from chexnet_trt.compare.summary import CUSTOM, STOCK, key_of

Fields = dict[str, Any]

BASELINE_MODES = ("tensorflow-gpu", "tensorflow-cpu")
INTEGRATED = "integrated-int8"
NATIVE_INT8 = ("native-int8", "cuda-int8", "tensorrt-int8")
ACCELERATED = (INTEGRATED, *NATIVE_INT8)


class View:
    """`again`: further runs of the same on the same machine, which mark what they disagree on.

    Raises InputError for a comparison that has not got to its end, and for runs that are not alike.
    """

    def __init__(self, result: Mapping[str, Any], again: Sequence[Mapping[str, Any]] = ()) -> None:
        for one in (result, *again):
            if "summary" not in one:
                raise InputError("the comparison is not finished: run the same `compare` again")
        self.result = result
        self.entries: dict[str, Fields] = {row["key"]: row for row in result["entries"]}
        self.batches: list[int] = result["settings"]["batches"]
        self.summary: Fields = result["summary"]
        self._cells = _by(self.summary["cells"], "entry", "batch")
        self._ratios = _by(self.summary["speed_ups"], "entry", "to", "batch")
        self._means = _by(self.summary["mean_speed_ups"], "entry", "to")
        self._again = [self._ratios_of(one) for one in again]

    def cell(self, mode: str, batch: int, model: str = CUSTOM) -> Fields:
        """With the figures or with `missing`; empty for a mode that was not asked for."""
        return self._cells.get((key_of(model, mode), batch), {})

    def measured(self, mode: str, model: str = CUSTOM) -> list[Fields]:
        """The cells with figures, by batch."""
        cells = (self.cell(mode, batch, model) for batch in self.batches)
        return [cell for cell in cells if "median" in cell]

    def missing(self, mode: str, model: str = CUSTOM) -> str:
        """Why the mode has no figures at all; empty when it has."""
        entry = self.entries.get(key_of(model, mode))
        if entry is None:
            return "left out of this run"
        if self.measured(mode, model):
            return ""
        return str(self.cell(mode, self.batches[0], model)["missing"])

    def speed_up(self, mode: str, to: str, batch: int) -> Fields:
        """Of the custom network; empty where one of the two was not measured."""
        key = (key_of(CUSTOM, mode), key_of(CUSTOM, to), batch)
        return self._ratios.get(key, {})

    def mean_speed_up(self, mode: str, to: str) -> Fields:
        return self._means.get((key_of(CUSTOM, mode), key_of(CUSTOM, to)), {})

    def noisy(self, cell: Fields) -> bool:
        """Within the run, or because another run finds another ratio."""
        if cell.get("noisy"):
            return True
        own = [ratio for ratio in self._ratios.values() if _same(ratio, cell)]
        return any(self._disagree(ratio) for ratio in own)

    def _disagree(self, ratio: Fields) -> bool:
        key = (ratio["entry"], ratio["to"], ratio["batch"])
        others = (ratios.get(key) for ratios in self._again)
        return any(other is None or differ(other["value"], ratio["value"]) for other in others)

    def _ratios_of(self, other: Mapping[str, Any]) -> dict[tuple[Any, ...], Fields]:
        for model, network in self.result["models"].items():
            if _identity(other["models"].get(model, {})) != _identity(network):
                raise InputError("the runs are of different networks: report them one by one")
        for name in ("cpu", "threads", "gpus"):
            if other["environment"][name] != self.result["environment"][name]:
                raise InputError(f"the runs are of different machines ({name}): report them apart")
        return _by(other["summary"]["speed_ups"], "entry", "to", "batch")

    def modes(self, model: str = CUSTOM) -> list[str]:
        return [row["mode"] for row in self.entries.values() if row["model"] == model]

    @staticmethod
    def title(mode: str) -> str:
        return BY_NAME[mode].title

    def has(self, mode: str, model: str = CUSTOM) -> bool:
        return key_of(model, mode) in self.entries

    def accelerated(self, model: str = CUSTOM) -> list[str]:
        """The int8 modes of ours that ran, and the integrated one in any case."""
        ran = [mode for mode in ACCELERATED if self.measured(mode, model)]
        return ran if INTEGRATED in ran or not self.has(INTEGRATED, model) else [INTEGRATED, *ran]

    def baselines(self) -> list[str]:
        return [mode for mode in BASELINE_MODES if self.has(mode)]

    def paper(self, mode: str, batch: int, name: str) -> float | None:
        """The whitepaper's `images_per_s` or `ms`."""
        rows = self.result["whitepaper"]["series"].get(mode, [])
        return next((row[name] for row in rows if row["batch"] == batch), None)

    def paper_speed_up(self, to: str, batch: int) -> float | None:
        rows = self.result["whitepaper"]["speed_ups"].get(to, {"by_batch": {}})["by_batch"]
        found: float | None = rows.get(str(batch))
        return found


def _identity(model: Mapping[str, Any]) -> tuple[Any, ...]:
    """Random weights are as fast as others, and drawn anew they differ in the last bits."""
    if model.get("weights") == RANDOM:
        return (model["title"], model["size"])
    return (model.get("sha256"),)


def _by(rows: Iterable[Fields], *names: str) -> dict[tuple[Any, ...], Fields]:
    return {tuple(row[name] for name in names): row for row in rows}


def _same(ratio: Fields, cell: Fields) -> bool:
    return bool(ratio["entry"] == cell["entry"] and ratio["batch"] == cell["batch"])


__all__ = ["CUSTOM", "STOCK", "Fields", "View"]
