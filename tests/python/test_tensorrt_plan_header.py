"""The head of a plan, without TensorRT."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import pytest

from chexnet_trt._core import InputError
from chexnet_trt.tensorrt.plan_header import PlanHeader, read_plan_header


def plan(
    magic: bytes = b"vtrt", version: tuple[int, ...] = (1, 7, 1, 116), size: int = 64
) -> bytes:
    kind = 2 if magic == b"vtrt" else 0
    head = magic + struct.pack("<IQQ4B", 0, kind, size, *version) + magic
    return head.ljust(64, b"\0")


def test_of_either_module():
    assert str(read_plan_header(plan())) == "tensorrt_rtx 1.7.1.116"
    assert str(read_plan_header(plan(b"ftrt", (10, 16, 1, 11)))) == "tensorrt 10.16.1.11"
    assert read_plan_header(memoryview(plan())).version == (1, 7, 1, 116)


@pytest.mark.parametrize("content", [b"", b"vtrt", b"CHEXTRT\0".ljust(64), plan()[:27]])
def test_what_is_no_plan(content):
    with pytest.raises(InputError, match="no plan of TensorRT"):
        read_plan_header(content)


def test_a_plan_that_is_cut_off():
    with pytest.raises(InputError, match="has 80 bytes, and has 64: it is damaged"):
        read_plan_header(plan(size=80))


def test_a_newer_kind_of_plan():
    newer = bytearray(plan(b"ftrt"))
    newer[4] = 1
    with pytest.raises(InputError, match="newer TensorRT"):
        read_plan_header(bytes(newer))


def api(name: str, *version: int) -> SimpleNamespace:
    text = f"{name} {'.'.join(map(str, version))}"
    return type("Api", (), {"__str__": lambda self: text, "name": name, "version": version})()


def test_a_plan_is_for_one_release():
    header = PlanHeader("tensorrt", (10, 16, 1, 11))
    header.check(api("tensorrt", 10, 16, 1, 12))
    for other in (api("tensorrt", 10, 16, 2, 11), api("tensorrt_rtx", 10, 16, 1, 11)):
        with pytest.raises(
            InputError, match=r"made by tensorrt 10\.16\.1\.11 and this is"
        ) as error:
            header.check(other)
        assert "install tensorrt 10.16.1, or build the engine again" in str(error.value)
