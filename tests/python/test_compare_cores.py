from __future__ import annotations

import os

import pytest

from chexnet_trt.compare.cores import choose, physical

PAIRED = {cpu: f"{cpu - cpu % 2}-{cpu - cpu % 2 + 1}" for cpu in range(8)}.__getitem__
FAR = {cpu: f"{cpu % 4},{cpu % 4 + 4}" for cpu in range(8)}.__getitem__


@pytest.mark.parametrize(
    ("allowed", "count", "core", "expected"),
    [
        (range(8), 2, PAIRED, {0, 2}),
        (range(8), 5, PAIRED, {0, 2, 4, 6, 1}),
        (range(8), 4, FAR, {0, 1, 2, 3}),
        ({2, 3}, 2, PAIRED, {2, 3}),
        ({1, 2, 3}, 2, PAIRED, {1, 2}),
        ({5}, 2, PAIRED, {5}),
    ],
)
def test_other_physical_cores_come_first(allowed, count, core, expected):
    assert choose(allowed, count, core) == expected


def test_physical_cores_are_counted():
    assert physical({2, 3}, PAIRED) == 1
    assert physical({0, 1, 4}, FAR) == 2


def test_this_machine_is_told():
    allowed = os.sched_getaffinity(0)
    assert choose(allowed, len(allowed)) == allowed
    assert 1 <= physical(allowed) <= len(allowed)
