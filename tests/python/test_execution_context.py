"""Arrays on the host and on a GPU as the core's contexts take them, on the CPU backend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chexnet_trt import _core, load
from chexnet_trt.native_engine import NativeEngine

GOLDEN = Path(__file__).parents[1] / "data" / "golden_v1.engine"


class OnDevice:
    """What CuPy and PyTorch show of an array of theirs; the memory is the host's."""

    def __init__(self, array: np.ndarray, **changes: Any) -> None:
        self._array = array
        self.__cuda_array_interface__ = {**array.__array_interface__, "version": 3} | changes


@pytest.fixture
def context() -> _core.ExecutionContext:
    engine = load(GOLDEN)
    assert isinstance(engine, NativeEngine)
    return _core.ExecutionContext(engine.core)


def rows(fill: float = 0) -> np.ndarray:
    return np.full((2, 3), fill, np.float32)


def test_a_cpu_has_no_clock_of_its_own(context: _core.ExecutionContext) -> None:
    scores = rows()
    context.enqueue(2, [rows(1), scores])
    context.wait()
    np.testing.assert_allclose(scores, rows(3))
    assert context.device_times() is None


def test_device_memory_reaches_the_backend_as_such(context: _core.ExecutionContext) -> None:
    with pytest.raises(_core.InputError, match="binding 0 lies in device memory"):
        context.enqueue(2, [OnDevice(rows()), rows()])
    with pytest.raises(_core.InputError, match="binding 1 lies in device memory"):
        context.enqueue(2, [rows(), OnDevice(rows(), strides=None)])


@pytest.mark.parametrize(
    ("index", "changes"),
    [
        (0, {"shape": (1, 3)}),
        (0, {"typestr": "<f2"}),
        (0, {"strides": (4, 8)}),
        (1, {"data": (0, True)}),
    ],
)
def test_device_memory_must_fit(
    context: _core.ExecutionContext, index: int, changes: dict[str, Any]
) -> None:
    arrays: list[Any] = [rows(), rows()]
    arrays[index] = OnDevice(rows(), **changes)
    name = ("'x'", "'y'")[index]
    with pytest.raises(_core.InputError, match=f"{name} must be C-contiguous, of its exact size"):
        context.enqueue(2, arrays)


def test_other_objects_are_no_arrays(context: _core.ExecutionContext) -> None:
    with pytest.raises(TypeError, match="__cuda_array_interface__"):
        context.enqueue(2, [[1.0, 2.0], rows()])
