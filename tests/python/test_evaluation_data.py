from __future__ import annotations

import csv
import json
import logging
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("google_crc32c")

import nih_files
import record_files
from chexnet_trt._core import InputError
from chexnet_trt.evaluation.data import is_table, open_labelled
from chexnet_trt.images import read_image
from chexnet_trt.labels import LABELS


@pytest.fixture
def folder(tmp_path) -> Path:
    record_files.write_records(tmp_path / "records", (2, 3, 4))
    return tmp_path / "records"


@pytest.fixture
def nih(tmp_path) -> Path:
    nih_files.write_data_set(tmp_path)
    return tmp_path


def test_records(folder):
    found = open_labelled(folder)
    expected = record_files.examples("test", 4)
    assert found.names == tuple(example.name for example in expected)
    assert found.truth.patients == tuple(example.patient for example in expected)
    np.testing.assert_array_equal(found.truth.labels, [example.labels for example in expected])
    assert found.truth.labels.dtype == np.uint8
    assert found.truth.classes == LABELS
    assert (found.truth.split, found.truth.synthetic) == ("test", True)
    for (_, image), example in zip(found.source, expected, strict=True):
        (plane,) = read_image(image)
        assert record_files.png(np.asarray(plane)) == example.encoded
    assert len(open_labelled(folder, "validation").truth) == 6


def test_classes_can_be_chosen(folder):
    found = open_labelled(folder)
    part = found.of_classes(["Mass", "Hernia"])
    columns = [LABELS.index("Mass"), LABELS.index("Hernia")]
    np.testing.assert_array_equal(part.truth.labels, found.truth.labels[:, columns])
    assert part.truth.classes == ("Mass", "Hernia")
    assert part.source is found.source


def test_damaged_records_are_refused(folder):
    (shard, *_) = sorted(folder.glob("test-*"))
    content = bytearray(shard.read_bytes())
    content[-5] ^= 1
    shard.write_bytes(content)
    with pytest.raises(InputError, match=shard.name):
        open_labelled(folder)
    shard.unlink()
    with pytest.raises(InputError, match="lacks the shard"):
        open_labelled(folder)


def test_an_empty_split(tmp_path):
    record_files.write_records(tmp_path / "records", (2, 0, 1))
    with pytest.raises(InputError, match=r"validation of '.*records' holds no image"):
        open_labelled(tmp_path / "records", "validation")


@pytest.mark.parametrize(("split", "in_test"), [(None, True), ("test", True), ("train", False)])
def test_nih_folder(nih, split, in_test):
    rows = [row for row in nih_files.rows() if (int(row[3]) % 5 == 0) == in_test]
    found = open_labelled(nih, split)
    assert found.names == tuple(row[0] for row in rows)
    assert found.truth.patients == tuple(row[3] for row in rows)
    for labels, row in zip(found.truth.labels, rows, strict=True):
        findings = set(row[1].split("|")) - {"No Finding"}
        assert {LABELS[k] for k in np.flatnonzero(labels)} == findings
    assert found.truth.split == (split or "test")
    assert not found.truth.synthetic
    assert [Path(name).name for name, _ in found.source] == list(found.names)
    (nih / "SYNTHETIC.txt").write_text("drawn")
    assert open_labelled(nih, split).truth.synthetic


@pytest.mark.parametrize("split", ["test", "train"])
def test_nih_lists_that_share_a_patient_are_refused(nih, split):
    first = open_labelled(nih).names[0]
    patient = first[:8]
    kept = (nih / "train_val_list.txt").read_text()
    (nih / "train_val_list.txt").write_text(f"{first}\n{kept}")
    with pytest.raises(InputError, match=f"leakage: the image '{first}' comes twice"):
        open_labelled(nih, split)
    tests = (nih / "test_list.txt").read_text().replace(first, "").split()
    assert any(name.startswith(patient) for name in tests)
    (nih / "test_list.txt").write_text("\n".join(tests))
    with pytest.raises(InputError, match=rf"leakage: '{patient}_\d+.png' of test_list.txt and"):
        open_labelled(nih, split)


def test_a_missing_list_of_the_other_split_is_not_needed(nih):
    (nih / "train_val_list.txt").unlink()
    assert open_labelled(nih).truth.split == "test"


def test_nih_folder_without_validation_or_with_gaps(nih, caplog):
    with pytest.raises(InputError, match="has no validation split; make one with prepare"):
        open_labelled(nih, "validation")
    names = open_labelled(nih).names
    for path in sorted(nih.rglob(names[0])):
        path.unlink()
    with caplog.at_level(logging.WARNING, "chexnet_trt"):
        assert open_labelled(nih).names == names[1:]
    assert f"1 of the {len(names)} images of {nih / 'test_list.txt'} are missing" in caplog.text
    (nih / "test_list.txt").write_text("99999999_000.png\n")
    with pytest.raises(InputError, match=r"lists '99999999_000.png', which is not in"):
        open_labelled(nih)


def write_table(path: Path, header: list[str], rows: list[list[object]]) -> Path:
    for row in rows:
        (path.parent / str(row[0])).touch()
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_table_of_labels(tmp_path, caplog):
    table = write_table(
        tmp_path / "labels.csv",
        ["image", "Effussion", "patient", "age", "hernia"],
        [["a.png", 1, "x", 3, 0], ["b.png", 0, "x", 4, "1.0"]],
    )
    found = open_labelled(table)
    assert found.names == ("a.png", "b.png")
    assert found.truth.classes == ("Effusion", "Hernia")
    assert found.truth.labels.tolist() == [[1, 0], [0, 1]]
    assert found.truth.patients == ("x", "x")
    assert (found.truth.split, found.truth.synthetic) == ("labels.csv", False)
    assert not caplog.records
    (tmp_path / "SYNTHETIC.txt").touch()
    assert open_labelled(table).truth.synthetic


def test_table_without_patients_warns(tmp_path, caplog):
    header, rows = ["image", "Mass"], [["a.png", 1], ["b.png", 0]]
    found = open_labelled(write_table(tmp_path / "labels.csv", header, rows))
    assert len(set(found.truth.patients)) == 2
    assert "has no column 'patient': every image counts as another patient's" in caplog.text


def test_table_of_nih(nih):
    found = open_labelled(nih / nih_files.TABLE_2020)
    rows = nih_files.rows()
    assert found.names == tuple(row[0] for row in rows)
    assert found.truth.patients == tuple(row[3] for row in rows)
    assert found.truth.labels.sum() == sum(
        len(row[1].split("|")) for row in rows if row[1] != "No Finding"
    )


def test_images_of_a_table_elsewhere(tmp_path):
    (tmp_path / "images").mkdir()
    header, rows = ["image", "Mass", "patient"], [["a.png", 1, "p"]]
    table = write_table(tmp_path / "images" / "labels.csv", header, rows)
    table = table.rename(tmp_path / "labels.csv")
    found = open_labelled(table, images_root=tmp_path / "images")
    assert found.names == ("a.png",)
    assert not found.truth.synthetic


def test_films_below_a_mark_are_synthetic_in_any_table(tmp_path):
    images = tmp_path / "drawn" / "images_001" / "images"
    images.mkdir(parents=True)
    rows = [["real.png", 0, "p"], ["drawn.png", 1, "q"]]
    table = write_table(tmp_path / "labels.csv", ["image", "Mass", "patient"], rows)
    (tmp_path / "drawn.png").rename(images / "drawn.png")
    assert not open_labelled(table).truth.synthetic
    (tmp_path / "drawn" / "SYNTHETIC.txt").touch()
    assert open_labelled(table).truth.synthetic


@pytest.mark.parametrize(
    ("header", "row", "says"),
    [
        (["image", "age"], ["a.png", 3], "has no labels: give NIH's columns, or one of 0 and 1"),
        (["image", "Mass"], ["a.png", 2], "line 2: the label '2' is neither 0 nor 1"),
        (["image", "Mass"], ["a.png", ""], "line 2: the label '' is neither 0 nor 1"),
        (["image", "Mass", "patient"], ["a.png", 1, " "], "line 2: the patient is missing"),
        (["image", "PT", "Pleural Thickening"], ["a.png", 1, 1], "two columns of one finding"),
        (["image", "Finding Labels"], ["a.png", "Mass"], "has no column Image Index"),
    ],
)
def test_malformed_tables(tmp_path, header, row, says):
    with pytest.raises(InputError, match=says):
        open_labelled(write_table(tmp_path / "labels.csv", header, [row]))


def test_what_does_not_go_together(tmp_path, folder):
    with pytest.raises(InputError, match="is a table, which has no splits"):
        open_labelled(tmp_path / "labels.csv", "test")
    with pytest.raises(InputError, match="an images root is for the images"):
        open_labelled(folder, images_root=tmp_path)
    with pytest.raises(InputError, match=r"no folder '.*gone'"):
        open_labelled(tmp_path / "gone")
    with pytest.raises(InputError, match=r"'.*gone\.csv' does not exist|cannot read"):
        open_labelled(tmp_path / "gone.csv")
    with pytest.raises(InputError, match="has no Data_Entry_2017"):
        open_labelled(tmp_path)
    fields = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(fields | {"format_version": 2}))
    with pytest.raises(InputError, match="newer than this version reads"):
        open_labelled(folder)


def test_is_table(tmp_path):
    assert is_table("x.CSV")
    assert not is_table(tmp_path)
