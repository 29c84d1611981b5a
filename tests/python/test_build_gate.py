"""build --gate: precisions that fail it are not taken, and the manifest keeps the result."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorboard")
pytest.importorskip("google_crc32c")

import chexnet_trt as ct
import labelled_files
import record_files
from chexnet_trt import _core
from chexnet_trt.cli import main
from chexnet_trt.evaluation.record import accuracy_lines
from chexnet_trt.labels import LABELS
from chexnet_trt.records import open_dataset
from int8_networks import needs_int8
from networks import INPUT, SCORES, SIZE
from tensorrt_networks import needs_rtx

FLAGS = ["--uffInput", f"{INPUT},3,8,8", "--output", SCORES, "--preprocess", "unit"]
LENIENT = ["--max-macro-loss=0.1", "--max-class-loss=0.1", "--max-class-bound=0.1",
           "--max-flip-rate=0.5", "--min-spearman=0.5"]  # fmt: skip


@pytest.fixture(scope="module")
def records(small, tmp_path_factory) -> Path:
    return labelled_files.write_records(tmp_path_factory.mktemp("data") / "records", small)


@pytest.fixture(scope="module")
def calibration(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("calibration") / "images.npy"
    np.save(path, np.repeat(labelled_files.pixels(20, 3)[..., None], 3, axis=3))
    return str(path)


@pytest.fixture
def build(small_uff, tmp_path, capsys):
    """build(words): what the command prints, and the engine file that it may have written."""

    def run(*words: object, status: int = 0) -> tuple[str, str, Path]:
        target = tmp_path / "net.engine"
        arguments = ["build", str(small_uff), *FLAGS, "--max-batch", "4", "-o", str(target)]
        assert main([*arguments, *map(str, words)]) == status
        printed = capsys.readouterr()
        return printed.out, printed.err, target

    return run


def test_accuracy_and_thresholds_are_kept(small, records, build, capsys):
    printed, _, target = build("--gate", records)
    manifest = ct.load(target).manifest
    accuracy, thresholds = manifest["accuracy"], manifest["thresholds"]
    assert (accuracy["split"], accuracy["n"], accuracy["patients"]) == ("test", 400, 200)
    assert accuracy["synthetic"] is True
    assert accuracy["gate"] is None  # It is fp32 itself.
    assert sorted(accuracy["per_class"]) == sorted(LABELS)
    row = accuracy["per_class"]["Mass"]
    assert row["ci_lo"] < row["auroc"] < row["ci_hi"]
    assert accuracy["per_class"]["Pneumonia"]["auroc"] is None
    assert (thresholds["rule"], thresholds["split"]) == ("youden", "validation")
    assert "accuracy   SYNTHETIC data" in printed
    assert f"accuracy   macro AUROC {accuracy['macro']['auroc']:.4f}" in printed
    assert main(["inspect", str(target)]) == 0
    shown = capsys.readouterr().out
    for line in accuracy_lines(accuracy):
        assert f"accuracy     {line}\n" in shown


@needs_int8
def test_a_precision_that_passes_is_described(records, calibration, build):
    words = ["--int8", "--precision-constraints", "obey", "--calib-data", calibration]
    printed, _, target = build(*words, "--gate", records, *LENIENT)
    accuracy = ct.load(target).manifest["accuracy"]
    assert ct.load(target).precision == "int8"
    assert accuracy["gate"]["passed"] is True
    assert accuracy["gate"]["limits"]["macro_loss"] == 0.1
    row = accuracy["per_class"]["Cardiomegaly"]
    assert abs(row["delta_vs_fp32"]) < 0.1
    assert 0 <= row["flip_rate"] < 0.5
    assert accuracy["macro"]["delta_vs_fp32"] != 0
    assert re.search("gate against fp32: passed, of [0-9]+ criteria 3 excluded", printed)


def test_images_of_the_gate_are_not_calibrated_with(records, build, tmp_path):
    films = [(row.name, row.encoded) for row in open_dataset(records).examples("test")][:3]
    for name, encoded in films:
        (tmp_path / name).write_bytes(encoded)
    table = tmp_path / "net.calib"
    words = ["--int8", "--calib-data", tmp_path, "--calib", table, "--gate", records, *LENIENT]
    _, error, target = build(*words, status=2)
    assert error.startswith("chexnet_trt build: error: 3 of the 3 images to calibrate with are")
    assert not target.exists()
    assert not table.exists()


@needs_int8
def test_a_precision_that_fails_is_not_taken(records, calibration, build):
    words = ["--int8", "--calib-data", calibration, "--gate", records, *LENIENT]
    printed, _, target = build(*words, "--max-score-change=1e-6")
    engine = ct.load(target)
    assert engine.precision == "fp32"
    reasons = {
        row["precision"]: row["reason"] for row in engine.manifest["precision"]["candidates"]
    }
    assert reasons["int8"].startswith("fails the gate: p99 of the score change 0.0")
    assert reasons["int8"] in printed


@needs_rtx
@needs_int8
def test_the_gate_of_a_build_for_tensorrt_is_held_on_the_cpu(records, calibration, build):
    words = ["--backend", "tensorrt", "--int8", "--calib-data", calibration, "--gate", records]
    printed, _, target = build(*words, *LENIENT)
    engine = ct.load(target)
    assert (engine.backend, engine.precision) == ("tensorrt", "int8")
    assert engine.manifest["accuracy"]["gate"]["passed"] is True
    assert engine.manifest["hardware"]["accuracy_measured_on"] == "openvino"
    printed, _, target = build(*words, *LENIENT, "--max-score-change=1e-6")
    assert ct.load(target).precision == "fp32"
    assert "int8  fails the gate" in printed


@needs_rtx
def test_what_the_cpu_cannot_score_is_not_built_for_tensorrt(records, build, monkeypatch):
    monkeypatch.setattr(_core, "device_precisions", lambda backend: ["fp32"])
    printed, _, target = build("--backend", "tensorrt", "--fp16", "--gate", records, *LENIENT)
    assert ct.load(target).precision == "fp32"
    assert "fp16  the gate cannot score it: this CPU does not compute it" in printed


@needs_int8
def test_a_forced_precision_that_fails_writes_nothing(records, calibration, build, tmp_path):
    words = ["--int8", "--precision-constraints", "obey", "--calib-data", calibration]
    words += ["--gate", records, *LENIENT, "--max-score-change=1e-6"]
    printed, error, _ = build(*words, status=1)
    assert printed == ""
    assert "int8 against fp32\n" in error
    assert "failed: p99 of the score change, limit 1e-06" in error
    assert error.endswith("limit 1e-06; no engine was written\n")
    assert list(tmp_path.iterdir()) == []


@needs_int8
def test_strict_fails_what_cannot_be_decided(small, calibration, build, tmp_path):
    few = labelled_files.write_records(tmp_path / "few", small, test=80)
    words = ["--int8", "--precision-constraints", "obey", "--calib-data", calibration]
    words += ["--gate", few, *LENIENT, "--max-class-bound=0.0001", "--max-class-loss=1"]
    printed, _, _ = build(*words)
    assert re.search("gate against fp32: passed, of [0-9]+ criteria .*undecidable", printed)
    _, error, _ = build(*words, "--strict", status=1)
    assert "undecidable: bound of the class loss, limit 0.0001" in error


def test_other_images_and_rules(records, build):
    _, _, target = build(
        "--gate", records, "--gate-split", "validation", "--gate-thresholds", "specificity=0.8"
    )
    manifest = ct.load(target).manifest
    assert (manifest["accuracy"]["split"], manifest["accuracy"]["n"]) == ("validation", 100)
    assert manifest["thresholds"]["rule"] == "specificity=0.8"


def test_json(records, build):
    printed, _, target = build("--gate", records, "--json")
    facts = json.loads(printed)
    assert facts == {"engine": str(target), **ct.load(target).manifest}


def test_names_of_the_scores_decide(records, build, tmp_path, caplog):
    names = tmp_path / "names.txt"
    names.write_text("\n".join(np.roll(LABELS, 2)))
    straight = ct.load(build("--gate", records)[2]).manifest["accuracy"]["macro"]["auroc"]
    assert "label order" not in caplog.text
    rolled = ct.load(build("--gate", records, "--labels", names)[2]).manifest
    assert "the label order looks wrong: " in caplog.text
    assert rolled["accuracy"]["macro"]["auroc"] < straight - 0.2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--gate-split", "test"], "--gate-split is for the gate: give --gate DIR"),
        (["--gate-thresholds", "youden"], "--gate-thresholds is for the gate"),
        (["--max-macro-loss", "0"], "--max-macro-loss is for the gate"),
        (["--strict"], "--strict is for the gate"),
        (["--gate", "gone"], "no folder 'gone'"),
        (["--gate", "DATA", "--int8", "--random-ranges"], "with --random-ranges they mean none"),
        (["--gate", "EMPTY"], "has no Data_Entry_2017"),
    ],
)
def test_bad_input(small_uff, records, tmp_path, capsys, words, says):
    (tmp_path / "empty").mkdir()
    paths = {"DATA": str(records), "EMPTY": str(tmp_path / "empty")}
    target = tmp_path / "net.engine"
    line = ["build", str(small_uff), *FLAGS, "-o", str(target)]
    assert main([*line, *(paths.get(word, word) for word in words)]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert len(error.splitlines()) == 1
    assert not target.exists()


def test_images_need_a_preprocessing(small_uff, records, tmp_path, capsys):
    target = tmp_path / "net.engine"
    words = ["build", str(small_uff), *FLAGS[:4], "--gate", str(records), "-o", str(target)]
    assert main(words) == 2
    assert "say how they are preprocessed, --preprocess" in capsys.readouterr().err
    assert not target.exists()


def test_an_unreadable_film_stops_the_gate(small, build, small_uff, tmp_path, capsys):
    images = labelled_files.pixels(6)
    labels = np.zeros((6, len(LABELS)), np.uint8)
    rows = labelled_files.examples("test", images, labels)
    broken = [*rows[:-1], type(rows[0])("x.png", b"no film", labels[0], "p", "PA", 0)]
    record_files.write_records(
        tmp_path / "records", (0, 0, 0), size=SIZE, test=broken,
        validation=labelled_files.examples("validation", images, labels),
    )  # fmt: skip
    build("--gate", tmp_path / "records", status=2)
    assert not (tmp_path / "net.engine").exists()


def test_an_fp32_without_numbers_stops_the_gate(records, build, monkeypatch):
    monkeypatch.setattr(
        "chexnet_trt.evaluation.scored.Scorer.score_all",
        lambda self, source, *_: np.full((len(source), self.num_scores), np.nan, np.float32),
    )
    _, error, target = build("--gate", records, status=2)
    assert "5600 scores of fp32 are infinite or no number: no reference" in error
    assert not target.exists()
