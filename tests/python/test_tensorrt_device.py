"""CUDA memory, streams, events and graphs on a real GPU; no TensorRT takes part."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from chexnet_trt import _core
from chexnet_trt.tensorrt.device import (
    Device,
    DeviceMemory,
    Event,
    PinnedArray,
    Stream,
    open_device,
)


@pytest.fixture(scope="module")
def device() -> Device:
    try:
        return open_device()
    except _core.BackendError as error:
        pytest.skip(str(error))


def test_the_device_has_a_name_and_a_capability(device: Device) -> None:
    assert device.name
    assert device.capability >= (5, 0)
    assert str(device).startswith(device.name)


def test_numbers_go_to_the_device_and_come_back(device: Device) -> None:
    source = PinnedArray(device, (3, 5), np.float32)
    target = PinnedArray(device, (3, 5), np.float32)
    memory, stream = DeviceMemory(device, source.size), Stream(device)
    assert source.size == 60
    assert not source.array.any()
    source.array[...] = np.arange(15).reshape(3, 5)
    stream.copy_in(memory, source)
    stream.copy_out(target, memory)
    stream.synchronize()
    np.testing.assert_array_equal(target.array, source.array)


def test_a_captured_graph_copies_what_is_there_when_it_is_launched(device: Device) -> None:
    source = PinnedArray(device, (1 << 20,), np.int32)
    target = PinnedArray(device, (1 << 20,), np.int32)
    memory, stream = DeviceMemory(device, source.size), Stream(device)

    def work() -> None:
        stream.copy_in(memory, source)
        stream.copy_out(target, memory)

    source.array[...] = 7
    graph = stream.capture(work)
    stream.synchronize()
    assert not target.array.any(), "capturing is not running"
    for value in (1, 2, 3):
        source.array[...] = value
        graph.launch(stream)
        stream.synchronize()
        assert (target.array == value).all()


def test_work_that_fails_leaves_the_stream_usable(device: Device) -> None:
    stream = Stream(device)

    def work() -> None:
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        stream.capture(work)
    test_numbers_go_to_the_device_and_come_back(device)
    stream.synchronize()


def test_what_cannot_be_captured_is_a_backend_error(device: Device) -> None:
    stream = Stream(device)
    with pytest.raises(_core.BackendError, match="CUDA: cudaStreamSynchronize fails"):
        stream.capture(stream.synchronize)
    stream.synchronize()


def test_events_tell_the_time_between_them(device: Device) -> None:
    source = PinnedArray(device, (1 << 24,), np.uint8)
    memory, stream = DeviceMemory(device, source.size), Stream(device)
    before, middle, after = (Event(device) for _ in range(3))
    before.record(stream)
    stream.copy_in(memory, source)
    middle.record(stream)
    for _ in range(8):
        stream.copy_in(memory, source)
    after.record(stream)
    after.synchronize()
    assert after.ready()
    parts = before.milliseconds_until(middle) + middle.milliseconds_until(after)
    assert 0 < before.milliseconds_until(middle) < before.milliseconds_until(after)
    assert parts == pytest.approx(before.milliseconds_until(after), rel=0.01, abs=0.01)


def test_memory_goes_back(device: Device) -> None:
    size = 256 << 20
    (before, _) = device.call("cudaMemGetInfo")
    memory = DeviceMemory(device, size)
    (during, _) = device.call("cudaMemGetInfo")
    assert before - during >= size
    del memory
    gc.collect()
    (after, _) = device.call("cudaMemGetInfo")
    assert after - during >= size


def test_too_much_memory_is_a_backend_error(device: Device) -> None:
    with pytest.raises(_core.BackendError, match="CUDA: cudaMalloc fails: out of memory"):
        DeviceMemory(device, 1 << 50)
    test_numbers_go_to_the_device_and_come_back(device)
