"""Splits of a data set: whole patients, and every finding in every split where that can be."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from chexnet_trt import nih
from chexnet_trt._core import InputError
from chexnet_trt.ranking import rank
from chexnet_trt.records.leakage import check_leakage

# Shares of the patients.
RANDOM_SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}
TRAIN_VALIDATION_SHARES = {"train": 7 / 8, "validation": 1 / 8}

Splits = dict[str, list[nih.Entry]]


def random_split(entries: Iterable[nih.Entry], seed: int) -> Splits:
    """RANDOM_SHARES of the patients, stratified; images in random order. The same entries and seed
    give the same splits. Raises InputError when the patients are too few."""
    return _shuffled(_stratified(entries, RANDOM_SHARES, seed), seed)


def official_split(
    entries: Sequence[nih.Entry],
    train_validation: frozenset[str],
    test: frozenset[str],
    seed: int,
) -> Splits:
    """NIH's lists of image names; an eighth of the first list's patients, stratified, for
    validation. Raises InputError for leakage, and for images that are in neither list."""
    known = [entry for entry in entries if entry.image in train_validation]
    held_out = [entry for entry in entries if entry.image in test]
    _check_listed([e.image for e in entries if e.image not in train_validation | test])
    check_leakage({nih.TRAIN_LIST: _members(known), nih.TEST_LIST: _members(held_out)})
    if not held_out:
        raise InputError(f"none of the images is in {nih.TEST_LIST}")
    splits = _stratified(known, TRAIN_VALIDATION_SHARES, seed) | {"test": held_out}
    return _shuffled(splits, seed)


def _check_listed(unlisted: Sequence[str]) -> None:
    if unlisted:
        raise InputError(
            f"{len(unlisted)} images are in neither {nih.TRAIN_LIST} nor {nih.TEST_LIST}, the "
            f"first '{unlisted[0]}'; use --split random, or the lists of this table"
        )


def _shuffled(splits: Splits, seed: int) -> Splits:
    check_leakage({name: _members(entries) for name, entries in splits.items()})
    return {
        name: sorted(entries, key=lambda entry: rank(seed, entry.image))
        for name, entries in splits.items()
    }


def _members(entries: Iterable[nih.Entry]) -> list[tuple[str, str]]:
    return [(entry.image, entry.patient) for entry in entries]


def _stratified(entries: Iterable[nih.Entry], shares: Mapping[str, float], seed: int) -> Splits:
    """Iterative stratification (Sechidis, Tsoumakas, Vlahavas 2011), a patient being the unit:
    the rarest finding's patients are dealt first, each to the split that lacks it most; the
    patients without a finding then even out the numbers of images.
    """
    images: defaultdict[str, list[nih.Entry]] = defaultdict(list)
    for entry in entries:
        images[entry.patient].append(entry)
    findings = {
        patient: frozenset().union(*(entry.findings for entry in rows))
        for patient, rows in images.items()
    }
    patients = Counter(finding for found in findings.values() for finding in found)
    waiting = sorted(images, key=lambda patient: rank(seed, patient))
    dealer = _Dealer(shares, images, findings, patients)
    for finding in sorted(patients, key=lambda finding: (patients[finding], finding)):
        for patient in waiting:
            if finding in findings[patient]:
                dealer.deal(patient, finding)
        waiting = [patient for patient in waiting if finding not in findings[patient]]
    for patient in waiting:
        dealer.deal(patient, None)
    if not all(dealer.splits.values()):
        raise InputError(
            f"{len(images)} patients are too few: {', '.join(shares)} need one each at least"
        )
    return dealer.splits


class _Dealer:
    """Counts, for each split, the patients of each finding; under None, the images."""

    def __init__(
        self,
        shares: Mapping[str, float],
        images: Mapping[str, list[nih.Entry]],
        findings: Mapping[str, frozenset[str]],
        patients: Mapping[str, int],
    ) -> None:
        self.splits: Splits = {split: [] for split in shares}
        self._shares = shares
        self._images = images
        self._findings = findings
        self._totals: dict[str | None, int] = {None: sum(map(len, images.values()))}
        self._totals.update(patients)
        self._dealt: dict[str, Counter[str | None]] = {split: Counter() for split in shares}

    def deal(self, patient: str, finding: str | None) -> None:
        """To the split that has none of the finding or, of several, is furthest from its share."""
        total = self._totals[finding]
        split = max(
            self._shares,
            key=lambda name: (
                not self._dealt[name][finding],
                self._shares[name] * total - self._dealt[name][finding],
            ),
        )
        self.splits[split] += self._images[patient]
        self._dealt[split].update(self._findings[patient])
        self._dealt[split][None] += len(self._images[patient])
