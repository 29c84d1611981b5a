"""self-test against stand-ins for CUDA and TensorRT, and what it says where there is no GPU."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import networks
from chexnet_trt import _core
from chexnet_trt.builder import compile_core
from chexnet_trt.cli import main
from chexnet_trt.native_engine import NativeEngine
from chexnet_trt.self_testing import PERMITTED, compare_with_cpu
from chexnet_trt.tensorrt import adapter, loading
from chexnet_trt.tensorrt.device import Device
from fake_cuda import FakeCuda, Status
from fake_tensorrt import FakeTensorRt
from tensorrt_networks import needs_rtx

PLAN = b"ftrt" + bytes(20) + bytes([11, 1, 0, 106])
TENSORS = {
    "image": (True, (-1, 3, 8, 8), np.float32),
    "scores": (False, (-1, 4), np.float32),
    "categories": (False, (-1,), np.int64),
}


def graph() -> _core.Graph:
    """Image [batch, 3, 8, 8] -> four scores and the largest, with random weights."""
    builder = _core.GraphBuilder()
    weights = np.random.default_rng(0).normal(size=(3, 3, 3, 4)).astype("f4")
    builder.add("input", "image", [], {"shape": [None, 3, 8, 8], "layout": "nchw"})
    builder.add("constant", "weights", [], {"value": weights})
    builder.add("conv2d", "conv", ["image", "weights"], {"layout": "nchw"})
    builder.add("reduce", "mean", ["conv"], {"kind": "mean", "axes": [2, 3]})
    builder.add("activation", "sigmoid", ["mean"], {"kind": "sigmoid"})
    builder.add("arg_max", "largest", ["sigmoid"], {"axis": 1})
    builder.add_output("scores", "sigmoid")
    builder.add_output("categories", "largest")
    return builder.finish()


@pytest.fixture
def engine_file(tmp_path: Path) -> Callable[..., str]:
    def write(precision: str = "fp16", manifest: dict[str, Any] | None = None) -> str:
        core = _core.ExternalEngine(
            graph(), backend="tensorrt", precision=precision, max_batch=4, fingerprint="f",
            device="d", plan=PLAN,
        )  # fmt: skip
        core.manifest = json.dumps(manifest or {})
        core.save(str(tmp_path / "x.engine"))
        return str(tmp_path / "x.engine")

    return write


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeTensorRt:
    """Its TensorRT computes what the CPU does, plus `gpu.error` in every score."""
    core, _ = compile_core(graph(), max_batch=4, timing_budget_ms=0, embed_blob=False)
    cpu, cuda = NativeEngine(core), FakeCuda()

    def compute(inputs: Any) -> dict[str, np.ndarray]:
        result = cpu.infer({name: array.copy() for name, array in inputs.items()})
        return result | {"scores": result["scores"] + trt.error}

    trt = FakeTensorRt(cuda, TENSORS, compute)
    trt.error = 0.0
    api = trt.api()
    monkeypatch.setattr(adapter, "load", lambda name: api)
    monkeypatch.setattr(adapter, "installed", lambda: ())
    monkeypatch.setattr(loading, "open_device", lambda: Device(cuda))
    return trt


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    status = main(["self-test", *map(str, words)])
    return status, capsys.readouterr().out


def test_the_same(gpu: FakeTensorRt, engine_file: Any, capsys: Any) -> None:
    status, out = run(capsys, engine_file())
    assert status == 0
    assert out.endswith("PASSED\n")
    assert "input: RANDOM pixels" in out
    assert [line.split()[:2] for line in out.splitlines()[4:-1]] == [
        ["1", "scores"], ["1", "categories"], ["4", "scores"], ["4", "categories"],
    ]  # fmt: skip


def test_another_result(gpu: FakeTensorRt, engine_file: Any, capsys: Any) -> None:
    gpu.error = 0.02
    status, out = run(capsys, engine_file(), "--json", "--batch", 3)
    facts = json.loads(out)
    assert status == 1
    assert facts["verdict"] == "FAILED"
    assert facts["made_by"] == "tensorrt 11.1.0.106"
    scores, categories = facts["outputs"]
    assert scores["largest"] == pytest.approx(0.02, abs=1e-6)
    assert not scores["passed"]
    assert categories["passed"]
    assert run(capsys, engine_file(), "--tolerance", 0.03)[0] == 0
    assert run(capsys, engine_file("int8"))[0] == 0
    gpu.error = np.nan
    status, out = run(capsys, engine_file("int8"), "--json")
    assert status == 1
    assert json.loads(out)["outputs"][0]["largest"] is None


def test_a_result_that_does_not_come_again(
    gpu: FakeTensorRt, engine_file: Any, capsys: Any
) -> None:
    compute, runs = gpu.compute, []

    def drifting(inputs: Any) -> dict[str, np.ndarray]:
        runs.append(1)
        result = compute(inputs)
        # Set up, found, another input, again.
        return result | {"scores": result["scores"] + 0.006 * (len(runs) - 3)}

    gpu.compute = drifting
    status, out = run(capsys, engine_file(), "--batch", 2, "--json")
    row = json.loads(out)["outputs"][0]
    assert status == 1
    assert row["largest"] == pytest.approx(0.006, abs=1e-6)
    assert row["again"] == pytest.approx(0.012, abs=1e-6)


def test_categories_are_judged_in_fp32(gpu: FakeTensorRt, engine_file: Any, capsys: Any) -> None:
    compute = gpu.compute
    gpu.compute = lambda inputs: compute(inputs) | {"categories": np.int64(3)}
    assert run(capsys, engine_file("fp16"))[0] == 0
    status, out = run(capsys, engine_file("fp32"))
    assert status == 1
    assert "categories" in next(line for line in out.splitlines() if "FAILED" in line)


def test_images(gpu: FakeTensorRt, engine_file: Any, capsys: Any, tmp_path: Path) -> None:
    from PIL import Image

    from chexnet_trt.preprocess import preset

    manifest = {"preprocess": preset("torch", 8, 8, 3).to_json(), "marks": ["random weights"]}
    pixels = np.random.default_rng(1).integers(0, 256, (9, 7, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    status, out = run(capsys, engine_file(manifest=manifest), "--images", tmp_path / "a.png")
    assert status == 0
    assert "input: images" in out
    assert "The weights are RANDOM" in out
    assert main(["self-test", engine_file(), "--images", str(tmp_path / "a.png")]) == 2
    assert "knows its preprocessing" in capsys.readouterr().err


def test_it_says_why_it_does_not_run(gpu: FakeTensorRt, engine_file: Any, capsys: Any) -> None:
    gpu.cuda.failing["cudaGetDeviceCount"], gpu.cuda.driver = Status.INSUFFICIENT_DRIVER, 0
    status, out = run(capsys, engine_file())
    assert status == 1
    assert out.splitlines()[-1].startswith("NOT RUN: no NVIDIA driver here")
    status, out = run(capsys, engine_file(), "--json")
    assert status == 1
    assert json.loads(out)["verdict"] == "NOT RUN"
    assert json.loads(out)["reason"].startswith("no NVIDIA driver here")
    assert json.loads(out)["outputs"] == []


@needs_rtx
def test_an_engine_of_this_machine(small_uff: Path, tmp_path: Path, capsys: Any) -> None:
    """For real: it is built, and says why it does not run, or runs."""
    engine, size = str(tmp_path / "x.engine"), f"{networks.CHANNELS},{networks.SIZE}"
    words = ["--uffInput", f"{networks.INPUT},{size},{networks.SIZE}", "--output", networks.SCORES]
    built = main(["build", str(small_uff), *words, "--backend", "tensorrt", "-o", engine])
    assert built == 0
    capsys.readouterr()
    status, out = run(capsys, engine, "--json")
    facts = json.loads(out)
    assert facts["made_by"].startswith("tensorrt_rtx 1.")
    if facts["verdict"] == "NOT RUN":
        assert status == 1
        assert facts["reason"]
    else:
        assert (status, facts["verdict"]) == (0, "PASSED")


def test_bad_usage(gpu: FakeTensorRt, engine_file: Any, small_engine: Path, capsys: Any) -> None:
    assert main(["self-test", str(small_engine)]) == 2
    assert "which others are compared with" in capsys.readouterr().err
    assert main(["self-test", engine_file(), "--batch", "5"]) == 2
    assert "--batch 5: the engine takes 1 to 4" in capsys.readouterr().err


def test_larger_outputs_are_judged_by_their_size() -> None:
    """Maps of activations are not within 0 ... 1, as scores are."""

    class Scaled(NativeEngine):
        factor = 1.0

        def infer(self, batch: Any) -> dict[str, np.ndarray]:
            result = super().infer(batch)
            return {name: value * np.float32(self.factor) for name, value in result.items()}

    builder = _core.GraphBuilder()
    builder.add("input", "x", [], {"shape": [None, 2]})
    builder.add("unary", "y", ["x"], {"kind": "square"})
    builder.add_output("y", "y")
    engine = Scaled(compile_core(builder.finish(), timing_budget_ms=0, embed_blob=False)[0])

    def feeds(batch: int, seed: int) -> dict[str, np.ndarray]:
        return {"x": np.full((batch, 2), 100.0 + seed, np.float32)}

    engine.factor = 1 + PERMITTED["fp32"] / 2
    (row,) = compare_with_cpu(engine, feeds, [1])
    assert row.passed
    assert row.largest > 0.1
    engine.factor = 1 + 2 * PERMITTED["fp32"]
    assert not compare_with_cpu(engine, feeds, [1])[0].passed
