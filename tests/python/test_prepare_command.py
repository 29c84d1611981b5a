from __future__ import annotations

import json

import pytest

from chexnet_trt.cli import main
from chexnet_trt.records import open_dataset
from nih_files import TABLE_2020, rows, write_data_set


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "nih").mkdir()
    write_data_set(tmp_path / "nih")
    return tmp_path / "nih"


def prepare(*words):
    return main(["prepare", *map(str, words), "--image-size=8"])


def test_a_table_of_the_splits(folder, tmp_path, capsys):
    assert prepare(folder, "-o", tmp_path / "records", "--shards=2") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert lines[0] == f"labels from {folder / TABLE_2020}"
    assert lines[1].endswith("records: 8x8 pixels, official split by patients, seed 0")
    assert "SYNTHETIC" not in printed.out
    splits = open_dataset(tmp_path / "records").splits
    table = {line.split()[0]: line.split()[1:] for line in lines[4:]}
    assert table["images"] == [str(split.images) for split in splits.values()]
    assert table["shards"] == ["2", "2", "2"]
    assert table["Mass"] == [str(split.positives["Mass"]) for split in splits.values()]
    assert table["Hernia"] == ["1", "0", "0"]
    assert len(table) == 17


def test_synthetic_and_missing_are_said_loudly(folder, tmp_path, capsys):
    (folder / "SYNTHETIC.txt").touch()
    next(folder.rglob("*.png")).unlink()
    assert prepare(folder, "-o", tmp_path / "records", "--allow-missing") == 0
    out = capsys.readouterr().out
    assert "\nSYNTHETIC data" in out
    assert "1 images of the table are MISSING and left out" in out


def test_json(folder, tmp_path, capsys):
    words = ["-o", tmp_path / "records", "--split=random", "--seed=3", "--json"]
    assert prepare(folder, *words) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["missing"] == 0
    assert facts["source"] | {"entries_sha256": 0} == {
        "entries": TABLE_2020, "entries_sha256": 0, "split": "random", "seed": 3,
        "allow_missing": False, "missing": 0,
    }  # fmt: skip
    assert sum(split["images"] for split in facts["splits"].values()) == len(rows())


def test_mistakes_are_one_line_and_name_no_patient(folder, tmp_path, capsys):
    assert prepare(folder, "-o", folder) == 2
    assert capsys.readouterr().err == (
        f"chexnet_trt prepare: error: '{folder}' is not empty; remove what is in it or give "
        "another folder\n"
    )
    assert prepare(folder, "-o", tmp_path / "records", "--entries=absent.csv") == 2
    assert "cannot read 'absent.csv': No such file" in capsys.readouterr().err
