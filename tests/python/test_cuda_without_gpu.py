"""CUDA engines that are built where no GPU is."""

from __future__ import annotations

import ctypes
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chexnet_trt as ct
import networks
from chexnet_trt import _core, backends
from chexnet_trt.cli import main
from int8_networks import needs_int8

CUDA = next(status for status in _core.backends() if status.name == "cuda")
pytestmark = pytest.mark.skipif(
    bool(CUDA.missing) or not CUDA.cannot_run,
    reason=CUDA.missing or "there is a GPU, so builds time on it",
)

SIZE = f"{networks.INPUT},{networks.CHANNELS},{networks.SIZE},{networks.SIZE}"
WORDS = ["--uffInput", SIZE, "--output", networks.SCORES, "--backend", "cuda"]
UNTIMED = "no GPU, kernels not timed"


@pytest.fixture(scope="module")
def engine_file(small_uff: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    target = str(tmp_path_factory.mktemp("cuda") / "x.engine")
    assert main(["build", str(small_uff), *WORDS, "--fp16", "--max-batch", "4", "-o", target]) == 0
    return target


def test_the_lowest_precision_is_taken_and_the_engine_says_so(engine_file: str) -> None:
    engine = ct.load(engine_file)
    assert (engine.backend, engine.precision, engine.max_batch) == ("cuda", "fp16", 4)
    assert engine.device == UNTIMED
    precision = engine.manifest["precision"]
    assert precision["timing_input"] is None
    rows = {row["precision"]: row for row in precision["candidates"]}
    assert rows["fp16"]["reason"] == "the lowest that is permitted: nothing is timed"
    assert rows["fp32"]["reason"] == "not the lowest that is permitted"
    assert [row["median_ms"] for row in rows.values()] == [None, None]
    assert engine.manifest["hardware"]["device"] == UNTIMED


def test_build_and_inspect_print_it(
    small_uff: Path, tmp_path: Path, capsys: Any, caplog: Any
) -> None:
    target = str(tmp_path / "x.engine")
    assert main(["build", str(small_uff), *WORDS, "--fp16", "-o", target]) == 0
    assert "the lowest permitted, nothing timed" in capsys.readouterr().out
    assert caplog.messages == [
        "precisions are not compared, and kernels are timed only where the engine is loaded: "
        + CUDA.cannot_run
    ]
    caplog.clear()
    assert main(["inspect", target, "--layers"]) == 0
    out = capsys.readouterr().out
    assert f"device       {UNTIMED}" in out
    assert "conv_mma_64x64" in out
    assert caplog.messages == []


def test_a_context_is_refused_at_once(engine_file: str) -> None:
    with pytest.raises(_core.BackendError, match=re.escape(CUDA.cannot_run)):
        ct.load(engine_file).create_context()


def test_c_programs_are_told_when_they_load_it(engine_file: str) -> None:
    library = ctypes.CDLL(str(Path(ct.__file__).with_name("libchexnet_trt.so")))
    library.chexnet_trt_last_error.restype = ctypes.c_char_p
    engine = ctypes.c_void_p()
    assert library.chexnet_trt_load_file(engine_file.encode(), ctypes.byref(engine)) != 0
    assert library.chexnet_trt_last_error().decode() == CUDA.cannot_run
    assert not engine.value


@pytest.mark.parametrize(
    "words", [["infer", "ENGINE", "IMAGE"], ["trtexec", "--loadEngine=ENGINE"]]
)
def test_running_is_refused_in_one_line(
    engine_file: str, words: list[str], tmp_path: Path, capfd: Any
) -> None:
    from PIL import Image

    image = tmp_path / "a.png"
    Image.fromarray(np.zeros((9, 7, 3), np.uint8)).save(image)
    words = [word.replace("ENGINE", engine_file).replace("IMAGE", str(image)) for word in words]
    words += ["--preprocess", "torch"] if words[0] == "infer" else []
    assert main(words) != 0
    lines = [line for line in capfd.readouterr().err.splitlines() if "error:" in line]
    assert len(lines) == 1
    assert CUDA.cannot_run in lines[0]


def test_self_test_says_that_it_was_not_run(engine_file: str, capsys: Any) -> None:
    assert main(["self-test", engine_file, "--json"]) == 1
    facts = json.loads(capsys.readouterr().out)
    assert (facts["verdict"], facts["reason"]) == ("NOT RUN", CUDA.cannot_run)
    assert main(["self-test", engine_file]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{engine_file}: fp16, {UNTIMED}"
    assert lines[-1] == f"NOT RUN: {CUDA.cannot_run}"


def test_there_are_no_times_to_keep(small_uff: Path, tmp_path: Path, capsys: Any) -> None:
    words = [*WORDS, "--timing-cache", str(tmp_path / "t.cache"), "-o", str(tmp_path / "x.engine")]
    assert main(["build", str(small_uff), *words]) == 2
    assert "the backend 'cuda' times no kernels here" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_another_device_is_refused(small_uff: Path, capsys: Any) -> None:
    assert main(["build", str(small_uff), *WORDS, "--device", "1"]) == 2
    assert "the backend 'cuda' has device 0 alone here" in capsys.readouterr().err


@needs_int8
def test_int8_is_calibrated_and_checked_on_the_cpu(small_uff: Path, tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(1)
    films = tmp_path / "films"
    films.mkdir()
    for number in range(32):
        pixels = rng.integers(0, 256, (networks.SIZE, networks.SIZE, 3), np.uint8)
        Image.fromarray(pixels).save(films / f"{number}.png")
    target = str(tmp_path / "x.engine")
    words = ["--int8", "--calib-data", str(films), "--preprocess", "torch", "-o", target]
    assert main(["build", str(small_uff), *WORDS, *words]) == 0
    engine = ct.load(target)
    assert engine.precision == "int8"
    assert engine.manifest["hardware"]["accuracy_measured_on"] == "openvino"
    calibration = engine.manifest["calibration"]
    assert calibration["image_count"] == 32
    assert calibration["agreement_on_calibration_images"] is not None


def test_what_does_not_run_is_measured_on_the_cpu() -> None:
    assert backends.measuring("cuda") == backends.measuring("cuda:1") == "openvino"
    assert backends.measuring("openvino") == "openvino"
    assert backends.cannot_run("openvino") == ""
    assert backends.cannot_run("opnevino") == "this version has no backend 'opnevino'"


def test_doctor_says_that_it_builds_alone(capsys: Any) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert f"cuda            {UNTIMED}: fp32, fp16, bf16, int8, mixed" in out
    assert f"builds, runs none: {CUDA.cannot_run}" in out
