"""Engines through the real CPU backend, from the committed golden file: y = 2 * x + 1."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import numpy as np
import pytest

from chexnet_trt import _core
from chexnet_trt import engine as engines

GOLDEN = Path(__file__).parents[1] / "data" / "golden_v1.engine"


@pytest.fixture
def golden() -> engines.Engine:
    return engines.load(GOLDEN)


def numbers(batch: int) -> np.ndarray:
    return np.arange(3 * batch, dtype=np.float32).reshape(batch, 3)


def test_golden_engine_is_rebuilt_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "chexnet_trt"):
        engine = engines.load(GOLDEN)
    assert "was compiled for" in caplog.text
    for batch in (1, 3, 4):
        scores = engine.infer(numbers(batch))
        assert list(scores) == ["y"]
        np.testing.assert_allclose(scores["y"], 2 * numbers(batch) + 1)


def test_there_is_one_cpu() -> None:
    with pytest.raises(_core.InputError, match="device 1: the backend 'openvino' has device 0"):
        engines.load(GOLDEN, device=1)


def test_exact_device_is_refused() -> None:
    with pytest.raises(_core.InputError, match="was compiled for"):
        engines.load(GOLDEN, require_exact_device=True)


def test_description(golden: engines.Engine) -> None:
    assert golden.inputs[0].name == "x"
    assert golden.inputs[0].element == "float32"
    assert golden.inputs[0].shape == [-1, 3]
    assert golden.max_batch == 4
    assert golden.precision == "fp32"
    assert golden.manifest == {"golden": 1}


def test_save_keeps_manifest_and_fits_this_device(golden: engines.Engine, tmp_path: Path) -> None:
    golden.manifest = {"labels": ["Hernia"]}
    golden.save(tmp_path / "x.engine")
    again = engines.load(tmp_path / "x.engine", require_exact_device=True)
    assert again.manifest == {"labels": ["Hernia"]}
    np.testing.assert_allclose(again.infer(numbers(4))["y"], 2 * numbers(4) + 1)


@pytest.mark.parametrize(
    ("bindings", "message"),
    [
        (numbers(5), "has batch 5, the engine takes 1 ... 4"),
        (numbers(1).astype(np.float64), "takes float32 .batch, 3., got float64"),
        (numbers(1)[:, :2], r"got float32 \[1, 2\]"),
        (numbers(1)[0], r"got float32 \[3\]"),
        ({"z": numbers(1)}, "no input or output 'z'"),
        ({}, "no array for the input 'x'"),
        ({"x": [[1, 2, 3]]}, "got a list"),
        ({"x": numbers(1), "y": np.zeros((2, 3), np.float32)}, "'y' takes float32"),
    ],
)
def test_wrong_arrays_are_refused(golden: engines.Engine, bindings: object, message: str) -> None:
    with pytest.raises(_core.InputError, match=message):
        golden.infer(bindings)  # type: ignore[arg-type]


def test_strided_input_is_copied(golden: engines.Engine) -> None:
    strided = np.asfortranarray(numbers(4))
    np.testing.assert_allclose(golden.infer(strided)["y"], 2 * numbers(4) + 1)


def test_enqueue_keeps_buffers_alive_and_writes_in_place(golden: engines.Engine) -> None:
    context = golden.create_context()
    y = np.zeros((2, 3), np.float32)
    first = context.enqueue({"x": numbers(2), "y": y})
    second = context.enqueue(numbers(3))
    np.testing.assert_allclose(y, 2 * numbers(2) + 1)
    assert first.wait()["y"] is y
    np.testing.assert_allclose(second.wait()["y"], 2 * numbers(3) + 1)
    assert second.ready()


def test_buffers_are_bound_in_place_and_outlive_the_engine() -> None:
    engine = engines.load(GOLDEN)
    buffers = engine.create_buffers(3)
    assert {name: (array.dtype, array.shape) for name, array in buffers.items()} == {
        "x": (np.float32, (3, 3)),
        "y": (np.float32, (3, 3)),
    }
    assert not any(array.any() or array.ctypes.data % 64 for array in buffers.values())
    buffers["x"][:] = numbers(3)
    assert engine.create_context().enqueue(buffers).wait()["y"] is buffers["y"]
    del engine
    np.testing.assert_allclose(buffers["y"], 2 * numbers(3) + 1)


def test_output_that_cannot_be_written_is_refused(golden: engines.Engine) -> None:
    y = np.zeros((1, 3), np.float32)
    y.flags.writeable = False
    with pytest.raises(_core.InputError, match="writeable"):
        golden.create_context().enqueue({"x": numbers(1), "y": y})


def test_threads_share_an_engine(golden: engines.Engine) -> None:
    wrong: list[int] = []

    def work(index: int) -> None:
        for _ in range(20):
            x = numbers(1 + index % 4) + index
            if not np.allclose(golden.infer(x)["y"], 2 * x + 1):
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_nodes_of_the_graph_outlive_the_engine() -> None:
    nodes = engines.load(GOLDEN).graph.nodes
    assert [node.name for node in nodes if node.op == "input"] == ["x"]


def test_compiled_batch_sizes_can_be_limited(golden: engines.Engine) -> None:
    assert golden.max_cached_batches == 0
    golden.max_cached_batches = 1
    for batch in (1, 2, 3, 2, 1):
        np.testing.assert_allclose(golden.infer(numbers(batch))["y"], 2 * numbers(batch) + 1)
    assert golden.max_cached_batches == 1
    with pytest.raises(_core.InputError, match="max_cached_batches -1"):
        golden.max_cached_batches = -1


def test_damaged_and_foreign_files(tmp_path: Path) -> None:
    file = tmp_path / "x.engine"
    content = GOLDEN.read_bytes()
    for bad, message in [
        (b"", "is empty"),
        (content[:500], "is truncated: it has 500 of"),
        (content[:-4] + b"abcd", "damaged in section 'blob/openvino/4'"),
        (content[:8] + b"\x02" + content[9:], "has format 2, this build reads up to 1"),
        (b"ftrt" + bytes(100), "TensorRT plan"),
    ]:
        file.write_bytes(bad)
        with pytest.raises(_core.InputError, match=message):
            engines.load(file)


def test_bench_measures_and_stops(golden: engines.Engine) -> None:
    result = _core.run_bench(golden.core, batch=2, iterations=12, warm_up_ms=0, duration_s=0)
    assert len(result.traces) == 12
    assert result.random_input
    summary = _core.summarize(result.traces, 2, 1)
    assert summary.images_per_second == pytest.approx(2 * summary.throughput_qps)
    assert len(_core.averages(result.traces, 5)) == 2
    stopped = _core.run_bench(golden.core, duration_s=-1, progress=lambda *_: False)
    assert stopped is not None

    def interrupt(*_: object) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _core.run_bench(golden.core, duration_s=-1, threads=True, progress=interrupt)


def test_bench_runs_on_given_data(golden: engines.Engine) -> None:
    result = _core.run_bench(
        golden.core, iterations=1, warm_up_ms=0, duration_s=0, inputs=[numbers(1)]
    )
    assert not result.random_input
    np.testing.assert_allclose(np.frombuffer(result.outputs[0], np.float32), [1, 3, 5])
