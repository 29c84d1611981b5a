"""Who is on the films: invented patients, their visits, and what is found at each.

Findings are as unequal as in NIH ChestX-ray14 and come together as there, but the rare ones are
more frequent than there: a network has to learn them from some 1,500 films.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, islice

import numpy as np

from chexnet_trt.labels import LABELS

FIRST_ID = 90_000_001  # Far from the 30,805 real ones.
MAX_EXAMS = 7
TEST_EVERY = 4  # every fourth patient is for the test

# Main findings of every hundred patients, for training and for the test; None: nothing is found.
# Dealt, not drawn by chance, so that no finding is missing from either.
_DECKS: dict[bool, dict[str | None, int]] = {
    False: {
        None: 16, "Infiltration": 7, "Effusion": 5, "Atelectasis": 5, "Nodule": 4, "Mass": 4,
        "Pneumothorax": 4, "Consolidation": 4, "Pleural_Thickening": 4, "Cardiomegaly": 3,
        "Emphysema": 4, "Edema": 3, "Fibrosis": 4, "Pneumonia": 4, "Hernia": 4,
    },
    True: {
        None: 4, "Infiltration": 2, "Effusion": 1, "Atelectasis": 1, "Nodule": 1, "Mass": 2,
        "Pneumothorax": 2, "Consolidation": 2, "Pleural_Thickening": 2, "Cardiomegaly": 1,
        "Emphysema": 2, "Edema": 1, "Fibrosis": 1, "Pneumonia": 1, "Hernia": 2,
    },
}  # fmt: skip
_BLOCK = 100

# Beside a main finding, another with this probability.
_COMPANIONS: dict[str, dict[str, float]] = {
    "Infiltration": {"Effusion": 0.12, "Atelectasis": 0.12, "Nodule": 0.06},
    "Effusion": {"Atelectasis": 0.18, "Infiltration": 0.15, "Cardiomegaly": 0.1},
    "Atelectasis": {"Effusion": 0.18, "Infiltration": 0.12, "Pneumothorax": 0.05},
    "Nodule": {"Infiltration": 0.1, "Mass": 0.08, "Pleural_Thickening": 0.05},
    "Mass": {"Nodule": 0.12, "Effusion": 0.1, "Atelectasis": 0.05},
    "Pneumothorax": {"Emphysema": 0.1, "Infiltration": 0.08, "Effusion": 0.06},
    "Consolidation": {"Effusion": 0.15, "Infiltration": 0.1, "Pneumonia": 0.05},
    "Pleural_Thickening": {"Effusion": 0.1, "Fibrosis": 0.1, "Nodule": 0.06},
    "Cardiomegaly": {"Effusion": 0.2, "Edema": 0.12, "Atelectasis": 0.06},
    "Emphysema": {"Pneumothorax": 0.1, "Infiltration": 0.06, "Nodule": 0.06},
    "Edema": {"Effusion": 0.2, "Infiltration": 0.12, "Cardiomegaly": 0.15, "Pneumonia": 0.06},
    "Fibrosis": {"Pleural_Thickening": 0.12, "Infiltration": 0.08, "Emphysema": 0.04},
    "Pneumonia": {"Infiltration": 0.18, "Effusion": 0.1, "Edema": 0.05},
    "Hernia": {"Atelectasis": 0.08, "Effusion": 0.05},
}
# Findings of those who are filmed in bed, from the front.
_BEDRIDDEN = frozenset(("Edema", "Pneumonia", "Consolidation", "Infiltration", "Effusion"))
_MONITORS = ((2500, 2048, 0.168), (2992, 2991, 0.143), (2048, 2500, 0.171), (2682, 2749, 0.143))


@dataclass(frozen=True)
class Patient:
    """`number` from 1; `seed` the data set's."""

    seed: int
    number: int
    age: int
    sex: str

    @property
    def id(self) -> str:
        return str(FIRST_ID + self.number - 1)

    @property
    def is_test(self) -> bool:
        return _is_test(self.number)

    def generator(self, *purpose: int) -> np.random.Generator:
        """Random numbers of this patient alone; other purposes have others."""
        return np.random.default_rng((self.seed, self.number, *purpose))


@dataclass(frozen=True)
class Exam:
    """One film to draw. `findings`: name -> severity, 0.4 to 1; `original`: width, height and
    millimetres a pixel of the file that the film would have come from."""

    patient: Patient
    follow_up: int
    age: int
    view: str
    original: tuple[int, int, float]
    findings: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.patient.id}_{self.follow_up:03}"


# Purposes of random numbers; the findings have their indices after FINDING.
VISITS, ANATOMY, EXPOSURE, FINDING = range(4)


def exams(seed: int, number: int) -> list[Exam]:
    """The first exams of the endless list that a seed stands for."""
    return list(islice(_all(seed), number))


def _all(seed: int) -> Iterator[Exam]:
    for block in count():
        rng = np.random.default_rng((seed, 0, block))
        hands = {test: _shuffled(deck, rng) for test, deck in _DECKS.items()}
        for number in range(block * _BLOCK + 1, (block + 1) * _BLOCK + 1):
            yield from _visits(seed, number, hands[_is_test(number)].pop())


def _shuffled(deck: dict[str | None, int], rng: np.random.Generator) -> list[str | None]:
    cards = [name for name, copies in deck.items() for _ in range(copies)]
    return [cards[index] for index in rng.permutation(len(cards))]


def _is_test(number: int) -> bool:
    return number % TEST_EVERY == 2


def _visits(seed: int, number: int, main: str | None) -> Iterator[Exam]:
    rng = np.random.default_rng((seed, number, VISITS))
    age = int(np.clip(rng.normal(50, 17), 18, 94))
    patient = Patient(seed, number, age, "M" if rng.random() < 0.56 else "F")
    visits = min(int(rng.geometric(0.5)), MAX_EXAMS)
    findings = _findings(rng, main)
    severity = {name: rng.uniform(0.45, 1.0) for name in findings}
    bedridden = 0.2 + 0.35 * bool(_BEDRIDDEN & findings.keys())
    for follow_up in range(visits):
        view = "AP" if rng.random() < bedridden else "PA"
        original = _MONITORS[int(rng.integers(len(_MONITORS)))]
        present = {name: severity[name] for name in LABELS if findings.get(name)}
        yield Exam(patient, follow_up, age, view, original, present)
        age += int(rng.random() < 0.3)
        for name in findings:
            # It lasts, heals or is back, and grows or shrinks.
            findings[name] = rng.random() < (0.88 if findings[name] else 0.4)
            severity[name] = float(np.clip(severity[name] + rng.normal(0, 0.15), 0.4, 1))


def _findings(rng: np.random.Generator, main: str | None) -> dict[str, bool]:
    if main is None:
        return {}
    others = _COMPANIONS[main].items()
    return {main: True} | {name: True for name, chance in others if rng.random() < chance}
