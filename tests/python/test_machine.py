from __future__ import annotations

import os

import pytest

from chexnet_trt import machine

PHYSICAL = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ((), PHYSICAL),
        (("max\n",), PHYSICAL),
        (("1048576\n",), 1048576),
        (("max\n", "2097152\n"), 2097152),
        ((f"{2**63 - 4096}\n",), PHYSICAL),
    ],
)
def test_a_containers_limit_is_its_memory(tmp_path, monkeypatch, limits, expected):
    files = [tmp_path / name for name in ("version2", "version1")]
    for file, text in zip(files, limits, strict=False):
        file.write_text(text)
    monkeypatch.setattr(machine, "MEMORY_LIMITS", files)
    assert machine.memory_bytes() == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"model name": "AMD EPYC", "cpu family": "25", "model": "17"},
            "AMD EPYC (family 25, model 17)",
        ),
        ({"model name": "AMD EPYC"}, "AMD EPYC"),
    ],
)
def test_cpus_of_one_name_are_told_apart_by_family_and_model(fields, expected):
    assert machine.cpu_name(fields) == expected


def test_a_cpu_that_linux_does_not_name_has_one_all_the_same():
    assert machine.cpu_name({})
