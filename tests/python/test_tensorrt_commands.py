"""The commands that run engines take those of TensorRT: plans that were built for real, run by
stand-ins that compute what the CPU does.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorboard")
pytest.importorskip("google_crc32c")

import chexnet_trt as ct
import labelled_files
from chexnet_trt.cli import main
from chexnet_trt.tensorrt import adapter, loading
from chexnet_trt.tensorrt.device import Device
from fake_cuda import FakeCuda
from fake_tensorrt import FakeTensorRt
from networks import CHANNELS, CLASSES, INPUT, MAX_BATCH, SCORES, SIZE
from tensorrt_networks import needs_rtx

pytestmark = needs_rtx


@pytest.fixture(scope="module")
def built(small_uff: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the same network as small_engine."""
    path = tmp_path_factory.mktemp("tensorrt") / "small.engine"
    ct.build(
        small_uff, inputs={INPUT: (CHANNELS, SIZE, SIZE)}, outputs=[SCORES], max_batch=MAX_BATCH,
        preprocessing="unit", backend="tensorrt",
    ).save(path)  # fmt: skip
    return path


@pytest.fixture
def engine(built: Path, small: ct.Engine, monkeypatch: Any, tmp_path: Path) -> Path:
    """A copy of its own, on a machine where it runs."""

    def compute(inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        return small.infer({name: array.copy() for name, array in inputs.items()})

    tensors = {
        INPUT: (True, (-1, CHANNELS, SIZE, SIZE), np.float32),
        SCORES: (False, (-1, CLASSES), np.float32),
    }
    cuda = FakeCuda()
    trt = FakeTensorRt(cuda, tensors, compute)
    api = trt.api(adapter.RTX, adapter.load(adapter.RTX).version)
    monkeypatch.setattr(adapter, "load", lambda name: api)
    monkeypatch.setattr(loading, "open_device", lambda: Device(cuda))
    path = tmp_path / "own.engine"
    path.write_bytes(built.read_bytes())
    return path


def test_infer(engine: Path, small_engine: Path, tmp_path: Path, capsys: Any) -> None:
    for index, pixels in enumerate(labelled_files.pixels(6)):
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    tables = []
    for path in (engine, small_engine):
        words = [str(path), str(tmp_path), "--batch", "4", "--csv", "-"]
        assert main(["infer", *words]) == 0
        tables.append(list(csv.reader(capsys.readouterr().out.splitlines())))
    assert tables[0] == tables[1]
    assert len(tables[0]) == 7


def test_evaluate(
    engine: Path, small_engine: Path, small: ct.Engine, tmp_path: Path, capsys: Any
) -> None:
    """The gate against the CPU's, and thresholds, which leave the plan as it is."""
    records = labelled_files.write_records(tmp_path / "records", small)
    plan = bytes(ct.load(engine).plan or b"")
    words = ["--data", str(records), "--json", "--resamples", "50"]
    words += ["--reference", str(small_engine), "--choose-thresholds", "youden"]
    assert main(["evaluate", str(engine), *words]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["thresholds"]
    stored = ct.load(engine)
    assert stored.manifest["thresholds"]
    assert bytes(stored.plan or b"") == plan
    assert stored.backend == "tensorrt"


def test_trtexec(engine: Path, tmp_path: Path, capsys: Any) -> None:
    files = {name: tmp_path / f"{name}.json" for name in ("Times", "Output", "Profile")}
    words = [f"--export{name}={path}" for name, path in files.items()]
    words += ["--batch=2", "--iterations=4", "--duration=0", "--warmUp=0", "--dumpProfile"]
    assert main(["trtexec", f"--loadEngine={engine}", "--useCudaGraph", *words]) == 0
    out = capsys.readouterr().out
    for text in (
        "note: --useCudaGraph: ", "H2D Latency: min = 1 ms", "Compute Time: min = 1 ms",
        "D2H Latency: min = 1 ms", "are the device's, by its own events", "conv", "RANDOM numbers",
    ):  # fmt: skip
        assert text in out
    (first, *_) = json.loads(files["Times"].read_text())
    assert (first["h2dMs"], first["computeMs"], first["d2hMs"]) == (1, 1, 1)
    assert first["endD2hMs"] - first["startH2dMs"] == 3
    assert json.loads(files["Profile"].read_text())[1]["name"] == "conv"
    (output,) = json.loads(files["Output"].read_text())
    assert output["dimensions"] == f"2x{CLASSES}"


def test_trtexec_runs_on_given_data(
    engine: Path, small: ct.Engine, tmp_path: Path, capsys: Any
) -> None:
    values = np.random.default_rng(5).normal(size=(2, CHANNELS, SIZE, SIZE)).astype(np.float32)
    (tmp_path / "input").write_bytes(values.tobytes())
    words = [f"--loadInputs={INPUT}:{tmp_path / 'input'}", f"--exportOutput={tmp_path / 'o'}"]
    words += ["--batch=2", "--iterations=3", "--duration=0"]
    assert main(["trtexec", f"--loadEngine={engine}", *words]) == 0
    assert "RANDOM" not in capsys.readouterr().out
    (output,) = json.loads((tmp_path / "o").read_text())
    expected = small.infer(values)[SCORES]
    np.testing.assert_allclose(np.reshape(output["values"], (2, CLASSES)), expected, atol=1e-6)


def test_layers_and_deserialising(engine: Path, capsys: Any) -> None:
    assert main(["trtexec", f"--loadEngine={engine}", "--dumpLayerInfo", "--skipInference"]) == 0
    assert "three: conv, i8, x" in capsys.readouterr().out
    assert main(["trtexec", f"--loadEngine={engine}", "--timeDeserialize"]) == 0
    assert "Deserialize: first" in capsys.readouterr().out
    assert main(["inspect", str(engine), "--layers"]) == 0
    assert "three  conv  i8  x" in capsys.readouterr().out
