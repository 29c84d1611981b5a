"""Running plans, against stand-ins for CUDA and TensorRT: what is called, in which order, what
comes back, and what is said where it cannot be. test_tensorrt_device.py is for a real GPU.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from chexnet_trt import _core
from chexnet_trt.bench import BenchOptions
from chexnet_trt.engine import load
from chexnet_trt.tensorrt import adapter, loading
from chexnet_trt.tensorrt.device import Device, open_device
from chexnet_trt.tensorrt.engine import TensorRtEngine
from chexnet_trt.tensorrt.profiling import Layer
from fake_cuda import FakeCuda, Status
from fake_tensorrt import FakeTensorRt

MAX_BATCH = 12
# Magic, serialisation version, padding, then the version that made it.
PLAN = b"ftrt" + bytes(20) + bytes([11, 1, 0, 106]) + b"a plan"


def doubled() -> _core.Graph:
    """x [batch, 3] -> y = x + x, and index, the largest of them."""
    builder = _core.GraphBuilder()
    builder.add("input", "x", [], {"shape": [None, 3]})
    builder.add("binary", "y", ["x", "x"], {"kind": "add"})
    builder.add("arg_max", "index", ["y"], {"axis": 1})
    builder.add_output("y", "y")
    builder.add_output("index", "index")
    return builder.finish()


def compute(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    y = 2 * inputs["x"]
    return {"y": y, "index": y.argmax(axis=1)}


def tensors(batch: int = -1) -> dict[str, tuple[bool, tuple[int, ...], type]]:
    return {
        "x": (True, (batch, 3), np.float32),
        "y": (False, (batch, 3), np.float32),
        "index": (False, (batch,), np.int64),
    }


@dataclass
class Machine:
    cuda: FakeCuda
    trt: FakeTensorRt
    engine: TensorRtEngine


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    cuda = FakeCuda()
    trt = FakeTensorRt(cuda, tensors(), compute)
    api = trt.api()
    monkeypatch.setattr(adapter, "load", lambda name: api)
    monkeypatch.setattr(adapter, "installed", lambda: ())
    monkeypatch.setattr(loading, "open_device", lambda: Device(cuda))
    return Machine(cuda, trt, engine_of(PLAN))


def engine_of(plan: bytes, **options: bool) -> TensorRtEngine:
    core = _core.ExternalEngine(
        doubled(), backend="tensorrt", precision="fp32", max_batch=MAX_BATCH, fingerprint="f",
        device="d", plan=plan,
    )  # fmt: skip
    return TensorRtEngine(core, **options)


def test_plans_run_on_the_first_gpu_that_cuda_shows(tmp_path: Path) -> None:
    path = tmp_path / "x.engine"
    engine_of(PLAN).save(path)
    with pytest.raises(_core.InputError, match=r"device 1: .* CUDA_VISIBLE_DEVICES"):
        load(path, device=1)


def images(batch: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(batch, 3)).astype(np.float32)


def test_results(machine: Machine) -> None:
    for batch in (1, 5, 8, 5, 2):
        x = images(batch, batch)
        result = machine.engine.infer(x)
        np.testing.assert_array_equal(result["y"], 2 * x)
        np.testing.assert_array_equal(result["index"], x.argmax(axis=1))
        assert result["index"].dtype == np.int64


WORK = ("copy in", "copy out", "kernels", "cudaGraphLaunch", "cudaStreamBeginCapture",
        "cudaStreamEndCapture", "cudaEventRecord", "cudaEventSynchronize",
        "cudaStreamSynchronize")  # fmt: skip


def test_the_first_run_of_a_batch_size_captures_a_graph_that_later_ones_launch(
    machine: Machine,
) -> None:
    machine.engine.infer(images(4))
    inference = ["copy in", "cudaGraphLaunch", "copy out", "copy out", "cudaEventRecord",
                 "cudaEventSynchronize"]  # fmt: skip
    assert machine.cuda.recorded(*WORK) == [
        "copy in", "kernels", "cudaStreamSynchronize", "cudaStreamBeginCapture", "kernels",
        "cudaStreamEndCapture", *inference,
    ]  # fmt: skip
    machine.engine.infer(images(4))
    assert machine.cuda.recorded(*WORK) == inference
    assert len(machine.trt.contexts) == 1
    machine.engine.infer(images(2))
    assert machine.cuda.recorded("cudaStreamBeginCapture") == ["cudaStreamBeginCapture"]
    assert [context.shapes["x"] for context in machine.trt.contexts] == [(4, 3), (2, 3)]
    machine.engine.infer(images(4))
    assert machine.cuda.recorded(*WORK) == inference


def test_a_failed_capture_leaves_launches_one_by_one(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.cuda.failing["cudaStreamEndCapture"] = Status.CAPTURE_INVALIDATED
    x = images(3)
    for _ in range(2):
        np.testing.assert_array_equal(machine.engine.infer(x)["y"], 2 * x)
    assert "batch 3 runs without a CUDA graph" in caplog.text
    assert "CAPTURE_INVALIDATED" in caplog.text
    assert machine.cuda.recorded("cudaGraphLaunch", "kernels")[-2:] == ["kernels", "kernels"]


def test_work_that_tensorrt_does_not_let_capture_is_not(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "fake_tensorrt.FakeContext.is_stream_capturable", lambda self, stream: False, raising=False
    )
    np.testing.assert_array_equal(machine.engine.infer(images(3))["y"], 2 * images(3))
    assert machine.cuda.recorded("cudaGraphLaunch", "cudaStreamBeginCapture") == []


def test_enqueue_returns_what_can_be_waited_for_and_writes_in_place(machine: Machine) -> None:
    context = machine.engine.create_context()
    first, second = images(2, 1), images(3, 2)
    y = np.empty((2, 3), np.float32)
    one = context.enqueue({"x": first, "y": y})
    two = context.enqueue(second)
    assert one.wait()["y"] is y
    np.testing.assert_array_equal(y, 2 * first)
    np.testing.assert_array_equal(two.wait()["y"], 2 * second)
    assert two.ready()
    assert one.wait()["y"] is y
    y.flags.writeable = False
    with pytest.raises(_core.InputError, match="'y' must be writeable"):
        context.enqueue({"x": first, "y": y})


def test_an_inference_that_is_in_flight_is_not_ready(machine: Machine) -> None:
    inference = machine.engine.create_context().enqueue(images(1))
    machine.cuda.failing["cudaEventQuery"] = Status.NOT_READY
    assert not inference.ready()
    inference.wait()
    assert inference.ready()


def test_a_failed_inference_says_what_tensorrt_says(machine: Machine) -> None:
    machine.cuda.failing["cudaStreamEndCapture"] = Status.CAPTURE_INVALIDATED  # No graph.
    context = machine.engine.create_context()
    context.enqueue(images(1)).wait()
    machine.trt.contexts[0].broken = True
    with pytest.raises(_core.BackendError, match=r"cannot run batch 1.*illegal memory access"):
        context.enqueue(images(1))
    machine.trt.contexts[0].broken = False
    np.testing.assert_array_equal(context.enqueue(images(1)).wait()["y"], 2 * images(1))


def test_an_error_of_the_device_stays_with_its_inference(machine: Machine) -> None:
    context = machine.engine.create_context()
    context.enqueue(images(1)).wait()
    failed = context.enqueue(images(1))
    machine.cuda.failing["cudaEventSynchronize"] = Status.OUT_OF_MEMORY
    with pytest.raises(_core.BackendError, match="cudaEventSynchronize fails: OUT_OF_MEMORY"):
        failed.wait()
    machine.cuda.failing.clear()
    np.testing.assert_array_equal(context.enqueue(images(1)).wait()["y"], 2 * images(1))
    with pytest.raises(_core.BackendError):
        failed.wait()


def test_arrays_and_batches_that_do_not_fit_are_refused(machine: Machine) -> None:
    with pytest.raises(_core.InputError, match=r"batch 13, the engine takes 1 ... 12"):
        machine.engine.infer(images(13))
    with pytest.raises(_core.InputError, match=r"'x' takes float32 \[batch, 3\]"):
        machine.engine.infer(np.zeros((2, 4), np.float32))
    with pytest.raises(_core.BackendError, match=r"run batch 9.*outside the optimization profile"):
        machine.engine.infer(images(9))


def test_a_static_plan_runs_smaller_batches_in_its_own(machine: Machine) -> None:
    machine.trt.tensors = tensors(8)
    for batch in (8, 3, 1):
        x = images(batch, batch)
        result = machine.engine.infer(x)
        np.testing.assert_array_equal(result["y"], 2 * x)
        np.testing.assert_array_equal(result["index"], x.argmax(axis=1))
    assert len(machine.trt.contexts) == 1
    with pytest.raises(_core.InputError, match="batch 3: the plan runs it as 8; measure that"):
        machine.engine.bench(BenchOptions(batch=3))


def test_a_batch_below_the_profile_runs_as_its_smallest(machine: Machine) -> None:
    machine.trt.least = 4
    np.testing.assert_array_equal(machine.engine.infer(images(2))["y"], 2 * images(2))
    np.testing.assert_array_equal(machine.engine.infer(images(5))["y"], 2 * images(5))
    assert [context.shapes["x"] for context in machine.trt.contexts] == [(4, 3), (5, 3)]


def test_a_few_batch_sizes_stay_and_all_memory_goes_back(machine: Machine) -> None:
    machine.trt.most = MAX_BATCH
    for batch in range(1, 12):
        machine.engine.infer(images(batch))
    gc.collect()
    # A host's and a device's memory of three tensors for each of the eight that stay.
    assert len(machine.cuda.memory) == 8 * 3 * 2
    machine.engine = engine_of(PLAN)
    machine.trt.contexts.clear()
    gc.collect()
    assert machine.cuda.memory == {}


def test_threads_share_an_engine(machine: Machine) -> None:
    errors = []

    def work(seed: int) -> None:
        for turn in range(20):
            x = images(1 + (seed + turn) % 4, seed)
            if not np.array_equal(machine.engine.infer(x)["y"], 2 * x):
                errors.append((seed, turn))

    # The stand-in captures for one stream at a time, so that every size is captured before.
    contexts = [machine.engine.create_context() for _ in range(4)]
    for context in contexts:
        for batch in range(1, 5):
            context.enqueue(images(batch)).wait()
    machine.engine._idle = contexts
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


# Measuring.


def test_bench_measures_copies_and_kernels_by_events(machine: Machine) -> None:
    options = BenchOptions(batch=4, iterations=5, warm_up_ms=0, duration_s=0)
    result = machine.engine.bench(options)
    assert len(result.traces) >= 5
    assert result.random_input
    for trace in result.traces:
        # The stand-in's device lets a millisecond pass from event to event.
        assert (trace.h2d_ms, trace.compute_ms, trace.d2h_ms) == (1, 1, 1)
        assert trace.enqueue_ms >= 0
    summary = _core.summarize(result.traces, 4, 1)
    assert summary.h2d.mean == summary.d2h.mean == 1
    y = np.frombuffer(result.outputs[0], np.float32)
    assert y.shape == (12,)
    assert np.abs(y).max() <= 2
    assert y.std() > 0


def test_bench_drops_the_warm_up_and_runs_on_given_data(machine: Machine) -> None:
    # Four events a query: the third query begins to compute nine milliseconds after the start.
    options = BenchOptions(batch=2, iterations=3, warm_up_ms=9, duration_s=0, inputs=[images(2)])
    result = machine.engine.bench(options)
    assert result.warm_up_queries == 2
    assert not result.random_input
    np.testing.assert_array_equal(
        np.frombuffer(result.outputs[0], np.float32).reshape(2, 3), 2 * images(2)
    )


def test_bench_stops_when_asked_and_refuses_what_does_not_fit(machine: Machine) -> None:
    asked = []

    def stop(elapsed: float, queries: int) -> bool:
        asked.append((elapsed, queries))
        return False

    endless = BenchOptions(duration_s=-1, warm_up_ms=0, progress=stop, streams=2)
    result = machine.engine.bench(endless)
    assert len(asked) == 1
    assert asked[0][1] > 0
    assert len(result.traces) >= asked[0][1]
    for options, message in (
        (BenchOptions(threads=True), "one host thread"),
        (BenchOptions(iterations=0), "1 or more"),
        (BenchOptions(warm_up_ms=-1), "not be negative"),
        (BenchOptions(duration_s=-1), "progress callback"),
        (BenchOptions(inputs=[images(1)] * 2), "1 inputs, got data for 2"),
    ):
        with pytest.raises(_core.InputError, match=message):
            machine.engine.bench(options)


def test_layers_are_timed_in_a_run_of_their_own(machine: Machine) -> None:
    profile = machine.engine.profile(2, 3)
    assert [(layer.name, layer.total_ms, layer.median_ms) for layer in profile] == [
        ("conv", 6, 2), ("relu", 1.5, 0.5),
    ]  # fmt: skip
    assert machine.cuda.recorded("cudaGraphLaunch") == []
    context = engine_of(PLAN, profiling=True).create_context()
    context.enqueue(images(2)).wait()
    times = [(layer.name, layer.milliseconds) for layer in context.layer_times()]
    assert times == [("conv", 2), ("relu", 0.5)]
    assert machine.engine.create_context().layer_times() == []


def test_layers_are_what_the_inspector_tells(machine: Machine) -> None:
    """Names alone, the form of 10 and the form of 11."""
    assert machine.engine.layers(2) == [
        Layer("one", "", "", ""), Layer("two", "gemm", "f16", "fast"),
        Layer("three", "conv", "i8", "x"),
    ]  # fmt: skip


# Why it does not run.


def test_a_plan_that_tensorrt_refuses(machine: Machine) -> None:
    machine.trt.refusal = "The engine plan file\nis not compatible"
    with pytest.raises(_core.BackendError) as caught:
        machine.engine.infer(images(1))
    assert str(caught.value) == (
        "tensorrt 11.1.0.106 cannot load the plan on Fake GPU, compute capability 8.9: "
        "The engine plan file is not compatible"
    )


def test_rtx_on_a_gpu_without_kernels_of_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.cuda.capability = (9, 0)
    machine.trt.refusal = "The engine cannot run on this GPU, which has compute capability 9.0."
    api = machine.trt.api(adapter.RTX, (1, 7, 1, 116))
    monkeypatch.setattr(adapter, "load", lambda name: api)
    plan = b"vtrt" + bytes(12) + (34).to_bytes(8, "little") + bytes([1, 7, 1, 116]) + b"a plan"
    with pytest.raises(_core.BackendError, match=r"9.0.*need the other TensorRT"):
        engine_of(plan).infer(images(1))


def test_a_plan_of_another_version(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    api = machine.trt.api(version=(10, 16, 1, 11))
    monkeypatch.setattr(adapter, "load", lambda name: api)
    with pytest.raises(
        _core.BackendError, match=r"made by tensorrt 11.1.0.106 and this is tensorrt"
    ):
        machine.engine.infer(images(1))


@pytest.mark.parametrize("exact", [False, True])
def test_a_plan_that_does_not_fit_is_built_again_with_a_warning(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    exact: bool,
) -> None:
    api = machine.trt.api(version=(10, 16, 1, 11))
    built = []

    def build_plan(api: object, graph: _core.Graph, **options: object) -> bytes:
        built.append((api, graph.hash(), options["precision"], str(options["batches"])))
        return b"another plan"

    monkeypatch.setattr(adapter, "load", lambda name: api)
    monkeypatch.setattr(adapter, "installed", lambda: (adapter.ENTERPRISE,))
    monkeypatch.setattr(loading, "build_plan", build_plan)
    engine = engine_of(PLAN, require_exact_device=exact)
    if exact:
        with pytest.raises(_core.BackendError, match="made by tensorrt 11"):
            engine.infer(images(1))
        assert built == []
        return
    for _ in range(2):
        np.testing.assert_array_equal(engine.infer(images(2))["y"], 2 * images(2))
    assert built == [(api, doubled().hash(), "fp32", "batch 1 to 12, tuned for 12")]
    assert "made by tensorrt 11.1.0.106 and this is tensorrt 10.16.1.11" in caplog.text
    assert "building it again from the graph" in caplog.text


def test_rtx_builds_nothing_again_for_a_gpu_that_it_does_not_know(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said is then why the plan does not run, and not why another cannot be built."""
    machine.cuda.capability = (9, 0)
    machine.trt.ComputeCapability = SimpleNamespace(__members__={"SM89": 89})
    machine.trt.refusal = "The engine cannot run on this GPU"
    api = machine.trt.api(adapter.RTX, (11, 1, 0, 106))
    monkeypatch.setattr(adapter, "load", lambda name: api)
    monkeypatch.setattr(adapter, "installed", lambda: (adapter.RTX,))
    with pytest.raises(_core.BackendError, match="this is tensorrt_rtx"):
        machine.engine.infer(images(1))


def test_a_plan_of_another_graph(machine: Machine) -> None:
    machine.trt.tensors = tensors() | {"y": (False, (-1, 4), np.float32)}
    with pytest.raises(_core.InputError, match=r"'y' is float32 \[-1, 4\] in the plan"):
        machine.engine.infer(images(1))
    machine.trt.tensors = {"x": tensors()["x"]}
    with pytest.raises(_core.InputError, match="the plan has the inputs and outputs x, the engine"):
        machine.engine.infer(images(1))


@pytest.mark.parametrize(
    ("status", "driver", "message"),
    [
        (Status.INSUFFICIENT_DRIVER, 0, "no NVIDIA driver here"),
        (Status.INSUFFICIENT_DRIVER, 12020, "for CUDA 12.2 and cuda-python for 13.1"),
        (Status.NO_DEVICE, 13000, "no GPU is visible"),
    ],
)
def test_a_machine_without_a_device(status: Status, driver: int, message: str) -> None:
    cuda = FakeCuda()
    cuda.failing["cudaGetDeviceCount"], cuda.driver = status, driver
    with pytest.raises(_core.BackendError, match=message):
        Device(cuda)


def test_memory_that_is_not_there(machine: Machine) -> None:
    machine.cuda.failing["cudaMalloc"] = Status.OUT_OF_MEMORY
    with pytest.raises(_core.BackendError, match="cudaMalloc fails: OUT_OF_MEMORY"):
        machine.engine.infer(images(1))


def test_this_machine_has_no_driver() -> None:
    """For real, where it is so."""
    runtime = pytest.importorskip("cuda.bindings.runtime")
    if runtime.cudaDriverGetVersion()[1]:
        pytest.skip("this machine has an NVIDIA driver")
    with pytest.raises(_core.BackendError, match="no NVIDIA driver here"):
        open_device()
