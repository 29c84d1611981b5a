from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from chexnet_trt import nih
from chexnet_trt._core import InputError
from chexnet_trt.labels import LABELS
from chexnet_trt.records.splitting import official_split, random_split
from nih_files import rows

SPLITS = ("train", "validation", "test")


def entry(image, *findings, patient):
    return nih.Entry(image, frozenset(findings), 0, patient, "PA")


def entries(patients=600, seed=0):
    """Half of the patients without a finding; Hernia in three of them."""
    found = []
    for row in rows(patients, seed):
        patient = int(row[3])
        findings = [] if patient % 2 else row[1].replace("No Finding", "").split("|")
        findings = {name for name in findings if name and name != "Hernia"}
        if patient in (10, 200, 410):
            findings.add("Hernia")
        found.append(entry(row[0], *findings, patient=row[3]))
    return found


ENTRIES = entries()
PATIENT_OF = {entry.image: entry.patient for entry in ENTRIES}
TEST = frozenset(entry.image for entry in ENTRIES if int(entry.patient) % 5 == 0)
TRAIN_VALIDATION = frozenset(PATIENT_OF) - TEST


def patients(split):
    return {entry.patient for entry in split}


def test_random_splits_have_whole_patients_in_the_shares_of_images():
    splits = random_split(ENTRIES, seed=0)
    assert tuple(splits) == SPLITS
    assert sorted(e.image for split in splits.values() for e in split) == sorted(PATIENT_OF)
    assert sum(len(patients(split)) for split in splits.values()) == 600
    for name, share in {"train": 0.7, "validation": 0.1, "test": 0.2}.items():
        assert len(splits[name]) / len(ENTRIES) == pytest.approx(share, abs=0.02)
        assert len(patients(splits[name])) / 600 == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_every_finding_reaches_every_split_in_its_share(seed):
    splits = random_split(ENTRIES, seed)
    for finding in LABELS:
        counts = {
            name: len(patients([e for e in split if finding in e.findings]))
            for name, split in splits.items()
        }
        total = sum(counts.values())
        assert min(counts.values()) >= 1
        if finding == "Hernia":
            assert set(counts.values()) == {1}
            continue
        for name, share in {"train": 0.7, "validation": 0.1, "test": 0.2}.items():
            assert abs(counts[name] - share * total) < 4.5, finding


def test_a_finding_of_one_patient_is_trained_on():
    few = [entry(f"{n}.png", patient=str(n)) for n in range(20)]
    few.append(entry("h.png", "Hernia", patient="h"))
    assert "h" in patients(random_split(few, 0)["train"])


def test_the_seed_and_not_the_order_decides():
    splits = random_split(ENTRIES, 1)
    assert random_split(ENTRIES[::-1], 1) == splits
    assert patients(random_split(ENTRIES, 2)["test"]) != patients(splits["test"])


def test_no_process_splits_otherwise():
    """Sets of strings have another order in every process."""
    command = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_records_splitting as t; "
        "print([[e.image for e in t.random_split(t.ENTRIES, s)['test']] for s in range(5)])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", command, str(Path(__file__).parent)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def test_images_are_shuffled():
    train = random_split(ENTRIES, 0)["train"]
    neighbours = sum(a.patient == b.patient for a, b in itertools.pairwise(train))
    assert neighbours < 0.02 * len(train)


def test_official_lists_and_an_eighth_for_validation():
    splits = official_split(ENTRIES, TRAIN_VALIDATION, TEST, seed=0)
    assert {e.image for e in splits["test"]} == TEST
    assert {e.image for e in splits["train"] + splits["validation"]} == TRAIN_VALIDATION
    assert not patients(splits["train"]) & patients(splits["validation"])
    assert len(splits["validation"]) / len(TRAIN_VALIDATION) == pytest.approx(1 / 8, abs=0.02)
    findings = Counter(f for e in splits["validation"] for f in e.findings)
    assert set(findings) >= set(LABELS) - {"Hernia"}


def test_leaking_lists_are_refused_without_the_patients_name():
    moved = max(image for image in TEST if PATIENT_OF[image] == "405")
    left = min(image for image in TEST if PATIENT_OF[image] == "405")
    with pytest.raises(InputError) as error:
        official_split(ENTRIES, TRAIN_VALIDATION | {moved}, TEST - {moved}, 0)
    assert str(error.value) == (
        f"leakage: '{left}' of test_list.txt and '{moved}' of train_val_list.txt are of one "
        "patient; a patient's images belong in one split"
    )
    with pytest.raises(InputError, match=rf"'{moved}' comes twice, in train_val_list\.txt and tes"):
        official_split(ENTRIES, TRAIN_VALIDATION | {moved}, TEST, 0)


def test_images_outside_the_lists_are_refused():
    extra = [entry(f"new{n}.png", patient="0") for n in range(2)]
    with pytest.raises(
        InputError, match=r"^2 images are in neither .*, the first 'new0\.png'; use"
    ):
        official_split([*ENTRIES, *extra], TRAIN_VALIDATION, TEST, 0)


def test_too_few_patients():
    with pytest.raises(
        InputError, match="2 patients are too few: train, validation, test need one"
    ):
        random_split([entry("1.png", patient="1"), entry("2.png", patient="2")], 0)
    one = [entry("1.png", patient="1"), entry("2.png", patient="2")]
    with pytest.raises(InputError, match="1 patients are too few: train, validation need"):
        official_split(one, frozenset(["1.png"]), frozenset(["2.png"]), 0)
    with pytest.raises(InputError, match=r"none of the images is in test_list\.txt"):
        official_split(one, frozenset(["1.png", "2.png"]), frozenset(["x.png"]), 0)
