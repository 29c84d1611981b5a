"""Interleaved rounds: in each, every mode that is there runs one batch size once, in turn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from chexnet_trt.compare.environment import LoadMeter
from chexnet_trt.compare.spread import rounded
from chexnet_trt.compare.workers import BrokenModeError, Worker

# From a request to the answer of one mode.
Request = Mapping[str, Any]


@dataclass
class Field:
    """The modes that run, by the keys of their entries, and why the others do not (any more)."""

    workers: dict[str, Worker]
    cores: Collection[int]
    broken: dict[str, str] = field(default_factory=dict)

    def ask(self, key: str, request: Request) -> dict[str, Any] | str:
        """The answer, or why there is none. A mode whose process ended is out from then on."""
        try:
            return self.workers[key].ask(dict(request))
        except BrokenModeError as error:
            if not self.workers[key].alive():
                self.broken[key] = str(error)
                self.workers.pop(key).close()
            return str(error)

    def in_turn(self, turn: int) -> list[str]:
        """Each mode follows each other one, round by round."""
        keys = list(self.workers)
        first = turn % len(keys) if keys else 0
        return keys[first:] + keys[:first]

    def meter(self) -> LoadMeter:
        return LoadMeter(self.cores, [worker.pid for worker in self.workers.values()])


def measure_round(
    modes: Field, turn: int, request: Callable[[str], Request], done: Callable[[], None]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """(what is kept of a round, all answers by key). `done` is called after each mode."""
    meter = modes.meter()
    answers: dict[str, dict[str, Any]] = {}
    errors: dict[str, str] = {}
    for key in modes.in_turn(turn):
        answer = modes.ask(key, request(key))
        if isinstance(answer, str):
            errors[key] = answer
        else:
            answers[key] = answer
        done()
    kept = {
        "turn": turn,
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "load": meter.read(),
        "times": _column(answers, "times"),
        "errors": errors,
    }
    return kept, answers


def kept_columns(answers: Mapping[str, Mapping[str, Any]], *names: str) -> dict[str, Any]:
    """Lists of times by key, of the modes that have them."""
    return {name: _column(answers, name) for name in names}


def _column(answers: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, list[float]]:
    return {
        key: [rounded(time) for time in answer[name]]
        for key, answer in answers.items()
        if answer[name]
    }


def rounds_of(rounds: list[dict[str, Any]], key: str, name: str = "times") -> list[list[float]]:
    """One mode's times, a list a round that has them."""
    return [one[name][key] for one in rounds if key in one[name]]


def common(rounds: list[dict[str, Any]], *keys: str) -> Iterator[dict[str, Any]]:
    """The rounds in which all of these modes ran."""
    return (one for one in rounds if all(key in one["times"] for key in keys))
