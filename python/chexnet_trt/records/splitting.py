"""Splits of a data set: whole patients, and every finding in every split where that can be."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from chexnet_trt import nih
from chexnet_trt._core import InputError
from chexnet_trt.random_order import rank
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
    listed = train_validation | test
    _check_listed([entry.image for entry in entries if entry.image not in listed])
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
    """Whole patients dealt one by one, those with the rarest findings first, each to the split
    that is furthest behind its share of that patient's findings (after the iterative
    stratification of Sechidis, Tsoumakas and Vlahavas, 2011) and of images.
    """
    images: defaultdict[str, list[nih.Entry]] = defaultdict(list)
    for entry in entries:
        images[entry.patient].append(entry)
    findings = {
        patient: frozenset().union(*(entry.findings for entry in rows))
        for patient, rows in images.items()
    }
    totals = Counter(finding for found in findings.values() for finding in found)
    dealer = _Dealer(shares)

    def rarest_first(patient: str) -> tuple[float, bytes]:
        rarest = min((totals[finding] for finding in findings[patient]), default=math.inf)
        return rarest, rank(seed, patient)

    splits: Splits = {split: [] for split in shares}
    for patient in sorted(images, key=rarest_first):
        split = dealer.deal(findings[patient], len(images[patient]))
        splits[split] += images[patient]
    if not all(splits.values()):
        raise InputError(
            f"{len(images)} patients are too few: {', '.join(shares)} need one each at least"
        )
    return splits


class _Dealer:
    """Counts what was dealt: patients of each finding, all patients, images."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._shares = shares
        self._dealt: dict[str, Counter[str]] = {split: Counter() for split in shares}

    def deal(self, findings: frozenset[str], images: int) -> str:
        """The split for a patient: the one with none of most of the findings; of several, the one
        furthest behind its share of them."""
        added = Counter({"patients": 1, "images": images, **dict.fromkeys(sorted(findings), 1)})
        after = sum(self._dealt.values(), added)

        def need(split: str) -> tuple[int, float]:
            dealt = self._dealt[split]
            lack = sum(self._shares[split] - dealt[name] / after[name] for name in added)
            return sum(not dealt[name] for name in added), lack

        chosen = max(self._shares, key=need)
        self._dealt[chosen] += added
        return chosen
