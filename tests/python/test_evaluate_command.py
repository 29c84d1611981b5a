"""evaluate, on tiny engines of random weights and labels made from their scores."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorboard")
pytest.importorskip("google_crc32c")

import chexnet_trt as ct
import labelled_files
import nih_files
import record_files
from chexnet_trt.cli import main
from chexnet_trt.evaluation.auroc import auroc
from chexnet_trt.evaluation.record import threshold_lines
from chexnet_trt.labels import LABELS
from networks import CHANNELS, INPUT, MAX_BATCH, SCORES, SIZE


def build(uff: Path, target: Path, names: list[str] | None = None, **options: object) -> Path:
    inputs = {INPUT: (CHANNELS, SIZE, SIZE)}
    ct.build(
        uff, inputs=inputs, outputs=[SCORES], max_batch=MAX_BATCH, preprocessing="unit",
        class_names=names, **options,
    ).save(target)  # fmt: skip
    return target


@pytest.fixture(scope="module")
def records(small, tmp_path_factory) -> Path:
    return labelled_files.write_records(tmp_path_factory.mktemp("data") / "records", small)


@pytest.fixture
def engine(small_engine, tmp_path) -> Path:
    path = tmp_path / "own.engine"
    path.write_bytes(small_engine.read_bytes())
    return path


@pytest.fixture(scope="module")
def nih(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("nih")
    nih_files.write_data_set(folder)
    return folder


@pytest.fixture(scope="module")
def random_engine(small_uff, tmp_path_factory) -> Path:
    """For timing only, by its manifest."""
    path = build(small_uff, tmp_path_factory.mktemp("random") / "random.engine")
    engine = ct.load(path)
    engine.manifest = engine.manifest | {"calibration": {"random_ranges": True}}
    engine.save(path)
    return path


@pytest.fixture
def evaluate(capsys):
    """evaluate(words): what the command prints; with --json its content."""

    def run(*words: object, status: int = 0):
        capsys.readouterr()
        assert main(["evaluate", *map(str, words), "--resamples", "50"]) == status
        printed = capsys.readouterr().out
        return json.loads(printed) if "--json" in words else printed

    return run


def test_figures_are_those_of_the_scores(small, engine, records, evaluate):
    facts = evaluate(engine, "--data", records, "--json")
    images = labelled_files.pixels(400, 1)
    scores = labelled_files.scores_of(small, images)
    labels = labelled_files.labels_like(scores)
    expected = auroc(labels, scores)
    rows = facts["evaluation"]["classes"]
    assert [row["name"] for row in rows] == list(LABELS)
    for row, value, count in zip(rows, expected, labels.sum(0), strict=True):
        assert row["positives"] == count
        assert row["auroc"]["value"] == (None if np.isnan(value) else pytest.approx(value))
    assert facts["evaluation"]["macro"]["value"] == pytest.approx(np.nanmean(expected))
    assert facts["evaluation"]["origin"] == {
        "split": "test", "n": 400, "patients": 200, "synthetic": True,
    }  # fmt: skip
    assert (facts["comparison"], facts["gate"], facts["thresholds"]) == (None, None, None)


def test_the_table(engine, records, evaluate):
    printed = evaluate(engine, "--data", records)
    assert "test: 400 images of 200 patients\nSYNTHETIC data: these figures say nothing" in printed
    assert "intervals: bootstrap of patients, 50 resamples, seed 0" in printed
    assert "* Pneumonia: no positive image" in printed  # A constant score of this network.
    assert "macro (13 classes)" in printed
    assert "approx" not in printed
    assert "approx" in evaluate(engine, "--data", records, "--approximate")


def test_thresholds_are_chosen_on_validation_and_stored(small, engine, records, evaluate, tmp_path):
    before, manifest = ct.load(engine), ct.load(engine).manifest
    printed = evaluate(engine, "--data", records, "--choose-thresholds", "sensitivity=0.9")
    assert f"stored the thresholds in {engine}" in printed
    assert "thresholds: sensitivity=0.9 on validation, 100 images, SYNTHETIC" in printed
    after = ct.load(engine, require_exact_device=True)
    stored = after.manifest["thresholds"]
    assert after.manifest == manifest | {"thresholds": stored}
    assert (stored["split"], stored["n"], stored["synthetic"]) == ("validation", 100, True)
    images = labelled_files.pixels(100, 0)
    scores = labelled_files.scores_of(small, images)
    labels = labelled_files.labels_like(scores)
    for k, name in enumerate(LABELS):
        if labels[:, k].any():
            found = scores[labels[:, k] > 0, k] >= stored["per_class"][name]
            assert found.mean() >= 0.9
            assert name != "Cardiomegaly" or found.mean() < 0.97
    np.testing.assert_array_equal(
        labelled_files.scores_of(after, images), labelled_files.scores_of(before, images)
    )
    assert [path.name for path in tmp_path.iterdir()] == ["own.engine"]
    facts = evaluate(engine, "--data", records, "--json")
    assert facts["thresholds"] == stored
    assert facts["evaluation"]["classes"][0]["threshold"] == stored["per_class"][LABELS[0]]


def test_an_engine_passes_the_gate_against_itself(small_engine, engine, records, evaluate):
    printed = evaluate(engine, "--data", records, "--reference", small_engine)
    assert "gate: passed" in printed
    assert "label order" not in printed
    facts = evaluate(engine, "--data", records, "--reference", small_engine, "--json")
    assert facts["gate"]["passed"]
    assert facts["comparison"]["largest"] == 0
    assert facts["reference"]["evaluation"] == facts["evaluation"]
    # Of the reference, for want of stored ones, and not on what is evaluated.
    found = {key: facts["thresholds"][key] for key in ("rule", "split", "n")}
    assert found == {"rule": "youden", "split": "validation", "n": 100}
    assert "thresholds" not in ct.load(engine).manifest


def test_a_wrong_label_order_fails_with_that_advice(
    small_uff, small_engine, records, evaluate, tmp_path
):
    order = np.random.default_rng(0).permutation(len(LABELS))
    shuffled = build(small_uff, tmp_path / "shuffled.engine", [LABELS[k] for k in order])
    words = ["--data", records, "--reference", small_engine]
    printed = evaluate(shuffled, *words, "--choose-thresholds", "youden", status=1)
    assert "gate: FAILED" in printed
    assert "the label order looks wrong: " in printed
    assert f"In the engine's order they seem to be, as in the whitepaper: {', '.join(LABELS)};" in (
        printed
    )
    assert "the gate failed: no thresholds" in printed
    assert "thresholds" not in ct.load(shuffled).manifest
    assert "the label order looks wrong" in evaluate(shuffled, "--data", records)


def test_labels_in_another_order_but_right_are_the_same(
    small_uff, small_engine, records, evaluate, tmp_path
):
    """The names decide, not the places."""
    names = list(np.roll(LABELS, 5))
    labels = tmp_path / "names.txt"
    labels.write_text("\n".join(names))
    right = evaluate(small_engine, "--data", records, "--json")
    wrong = evaluate(small_engine, "--data", records, "--labels", labels, "--json")
    assert right["advice"] is None
    assert "the label order looks wrong" in wrong["advice"]
    renamed = build(small_uff, tmp_path / "renamed.engine", names)
    labels.write_text("\n".join(LABELS))
    found = evaluate(renamed, "--data", records, "--labels", labels, "--json")
    assert found["evaluation"] == right["evaluation"]


def test_another_network_fails_without_that_advice(small_engine, records, evaluate, tmp_path):
    import networks

    other = build(networks.write_uff(tmp_path / "other.uff", seed=1), tmp_path / "other.engine")
    printed = evaluate(other, "--data", records, "--reference", small_engine, status=1)
    assert "failed: macro AUROC loss" in printed
    limits = ["--max-macro-loss=1", "--max-class-loss=1", "--max-class-bound=1",
              "--max-flip-rate=1", "--max-score-change=1", "--min-spearman=0"]  # fmt: skip
    words = ["--data", records, "--reference", small_engine, *limits]
    assert "gate: passed" in evaluate(other, *words)


def test_a_reference_without_numbers_is_refused(engine, records, monkeypatch, capsys):
    monkeypatch.setattr(
        "chexnet_trt.evaluation.scored.Scorer.score_all",
        lambda self, source, *_: np.full((len(source), self.num_scores), np.nan, np.float32),
    )
    assert main(["evaluate", str(engine), "--data", str(records), "--reference", str(engine)]) == 2
    assert f"5600 scores of {engine} are infinite or no number" in capsys.readouterr().err


def test_scores_as_csv(small, small_engine, engine, records, evaluate, tmp_path):
    target = tmp_path / "scores.csv"
    printed = evaluate(engine, "--data", records, "--reference", small_engine, "--csv", target)
    assert f"wrote {target}" in printed
    rows = list(csv.DictReader(target.read_text().splitlines()))
    scores = labelled_files.scores_of(small, labelled_files.pixels(400, 1))
    assert [row["image"] for row in rows] == [f"test_{k}.png" for k in range(400)]
    for k, name in enumerate(LABELS):
        found = np.float32([row[name] for row in rows])
        np.testing.assert_array_equal(found, scores[:, k])
        np.testing.assert_array_equal(np.float32([row[f"reference:{name}"] for row in rows]), found)
        assert {row[f"label:{name}"] for row in rows} <= {"0", "1"}
    assert "patient" not in target.read_text()


def test_a_table_of_some_findings(engine, evaluate, tmp_path, caplog):
    images = labelled_files.pixels(60, 2)
    rows = [["image", "patient", "Mass", "Edema"]]
    for k, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{k}.png")
        rows.append([f"{k}.png", k // 3, int(image.mean() > 128), k % 2])
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    words = [engine, "--data", tmp_path / "labels.csv"]
    facts = evaluate(*words, "--choose-thresholds", "youden", "--json")
    assert [row["name"] for row in facts["evaluation"]["classes"]] == ["Mass", "Edema"]
    assert facts["evaluation"]["origin"]["patients"] == 20
    assert set(ct.load(engine).manifest["thresholds"]["per_class"]) == {"Mass", "Edema"}
    assert ct.load(engine).manifest["thresholds"]["split"] == "labels.csv"
    assert "not evaluated, scores without labels: Cardiomegaly, Emphysema" in caplog.text


def test_inspect_prints_thresholds(engine, records, evaluate, capsys):
    evaluate(engine, "--data", records, "--choose-thresholds", "youden")
    capsys.readouterr()
    assert main(["inspect", str(engine)]) == 0
    printed = capsys.readouterr().out
    (line,) = threshold_lines(ct.load(engine).manifest["thresholds"])
    assert f"thresholds   {line}\n" in printed
    assert line.startswith("youden on validation; SYNTHETIC data: Atelectasis ")


def test_nothing_is_written_by_an_interrupted_run(engine, records, tmp_path, monkeypatch, capsys):
    content = engine.read_bytes()

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("chexnet_trt.progress.ProgressLine.__call__", interrupt)
    words = ["evaluate", str(engine), "--data", str(records), "--choose-thresholds", "youden"]
    assert main([*words, "--csv", str(tmp_path / "scores.csv")]) == 130
    assert list(tmp_path.iterdir()) == [engine]
    assert engine.read_bytes() == content


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ENGINE"], "--data"),
        (["gone.engine", "--data", "DATA"], "gone.engine"),
        (["DATA/dataset.json", "--data", "DATA"], "is not an engine file"),
        (["ENGINE", "--data", "gone"], "there is no folder 'gone'"),
        (["ENGINE", "--data", "gone.csv"], "'gone.csv'"),
        (["ENGINE", "--data", "gone.csv", "--split", "test"], "is a table, which has no splits"),
        (["ENGINE", "--data", "DATA", "--split", "all"], "--split"),
        (["ENGINE", "--data", "DATA", "--images-root", "."], "is for the images of a .csv"),
        (["ENGINE", "--data", "DATA", "--strict"], "--strict is for the gate: give --reference"),
        (["ENGINE", "--data", "DATA", "--max-flip-rate", "0"], "--max-flip-rate is for the gate"),
        (["ENGINE", "--data", "DATA", "--choose-thresholds", "best"], "expected youden"),
        (["ENGINE", "--data", "DATA", "--resamples", "0"], "--resamples"),
        (["ENGINE", "--data", "DATA", "--csv", "DATA"], "it is a folder; name a file"),
        (["ENGINE", "--data", "DATA", "--labels", "TWO"], "2 labels, but the output"),
        (["ENGINE", "--data", "DATA", "--labels", "DIGITS"], "is a class of the data; name them"),
        (["ENGINE", "--data", "DATA", "--reference", "TWO"], "is not an engine file"),
        (["ENGINE", "--data", "DATA", "--output", "nowhere"], "has no output 'nowhere'"),
        (["ENGINE", "--data", "DATA", "--batch", "5"], "--batch 5: the engine takes 1 to 4"),
        (["RANDOM", "--data", "DATA"], "timing only"),
        (["ENGINE", "--data", "NIH", "--choose-thresholds", "youden"], "has no validation split"),
    ],
)
def test_bad_input(engine, random_engine, records, nih, tmp_path, capsys, words, says):
    (tmp_path / "two.txt").write_text("Mass\nEdema\n")
    (tmp_path / "digits.txt").write_text("\n".join(map(str, range(14))))
    paths = {
        "ENGINE": engine, "DATA": records, "DATA/dataset.json": records / "dataset.json",
        "TWO": tmp_path / "two.txt", "DIGITS": tmp_path / "digits.txt", "RANDOM": random_engine,
        "NIH": nih,
    }  # fmt: skip
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    try:
        status = main(["evaluate", *(str(paths.get(word, word)) for word in words)])
    except SystemExit as stop:
        status = stop.code
    error = capsys.readouterr().err
    assert status == 2
    assert says in error
    assert len(error.splitlines()) == 1
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_damaged_films_are_named(small, engine, tmp_path, capsys):
    images = labelled_files.pixels(4)
    rows = labelled_files.examples("test", images, np.zeros((4, len(LABELS)), np.uint8))
    rows = [rows[0], replace(rows[1], encoded=b"no film"), replace(rows[2], encoded=b"")]
    record_files.write_records(tmp_path / "records", (0, 1, 0), test=rows)
    assert main(["evaluate", str(engine), "--data", str(tmp_path / "records")]) == 2
    error = capsys.readouterr().err
    assert "2 of 3 images cannot be used" in error
    assert "test-00001-of-00002.tfrecord[0]" in error


def test_nih_folders_are_evaluated(engine, nih, evaluate):
    words = ["--data", nih, "--split", "train", "--json"]
    facts = evaluate(engine, *words)
    assert facts["evaluation"]["origin"]["split"] == "train"
    assert evaluate(engine, *words, "--reference", engine)["thresholds"]["split"] == "train"
    hernia = facts["evaluation"]["classes"][LABELS.index("Hernia")]
    assert (hernia["positives"], hernia["flag"]) == (1, "only 1 positive, fewer than 20")
