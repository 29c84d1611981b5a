"""sample-data from the command line: the folder, its table and lists, what is refused."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from chexnet_trt import nih
from chexnet_trt.cli import main
from chexnet_trt.images import read_image
from chexnet_trt.labels import LABELS
from chexnet_trt.synthetic import Options, dataset, write_dataset

SMALL = Options(images=12, seed=5, size=64)


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / "set"
    write_dataset(path, SMALL)
    return path


def test_table_and_lists_are_those_of_nih(folder):
    table = (folder / "Data_Entry_2017_v2020.csv").read_text().splitlines()
    assert table[0] == (
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,"
        "View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
    )
    entries = nih.read_entries(nih.entries_file(folder))
    assert len(entries) == SMALL.images
    assert {entry.view for entry in entries} <= {"PA", "AP"}
    for row, entry in zip(csv.reader(table[1:]), entries, strict=True):
        assert len(row) == 11
        assert row[0] == f"{int(entry.patient):08}_{int(row[2]):03}.png"
        assert int(entry.patient) > 30_805, "no real patient's number"
        assert row[1] == ("|".join(sorted(entry.findings)) or "No Finding")
        assert 0 <= int(row[4]) <= 95
    train, test = (nih.read_split(folder / name) for name in (nih.TRAIN_LIST, nih.TEST_LIST))
    assert train | test == {entry.image for entry in entries}
    assert not {name[:8] for name in train} & {name[:8] for name in test}
    assert nih.image_paths(folder, train | test).keys() == train | test


def test_every_film_says_that_it_is_synthetic(folder):
    assert nih.is_synthetic([folder / "Data_Entry_2017_v2020.csv"])
    assert (folder / nih.SYNTHETIC_MARK).read_text().startswith("SYNTHETIC\n")
    corners = set()
    for path in folder.rglob("*.png"):
        with Image.open(path) as image:
            assert image.mode == "L"
            assert image.size == (64, 64)
            assert "no patient" in image.text["synthetic"]
            corners.add(np.asarray(image)[-6:, :30].tobytes())
    assert len(corners) == 1
    assert np.frombuffer(corners.pop(), np.uint8).max() > 100, "nothing is written there"


def test_bytes_depend_on_neither_jobs_nor_count(folder, tmp_path):
    write_dataset(tmp_path / "jobs", SMALL, jobs=2)
    assert files(tmp_path / "jobs") == files(folder)
    write_dataset(tmp_path / "fewer", Options(images=8, seed=5, size=64))
    fewer = {name: data for name, data in files(tmp_path / "fewer").items() if ".png" in name}
    assert len(fewer) == 8
    assert fewer.items() <= files(folder).items()
    write_dataset(tmp_path / "other", Options(images=8, seed=6, size=64))
    assert not set(fewer.values()) & set(files(tmp_path / "other").values())


def test_dicom_films_show_what_the_pngs_show(tmp_path):
    pydicom = pytest.importorskip("pydicom")
    options = Options(images=8, seed=1, size=128, dicom=4)
    write_dataset(tmp_path / "set", options)
    kinds = set()
    paths = sorted((tmp_path / "set" / "dicom").iterdir())
    assert len(paths) == 4
    for path in paths:
        header = pydicom.dcmread(path)
        kinds.add(header.PhotometricInterpretation)
        assert header.PatientID == f"SYNTHETIC-{path.name[:8]}"
        assert header.BitsStored == 12
        (film,) = read_image(path)
        (png,) = read_image(tmp_path / "set/images_001/images" / f"{path.stem}.png")
        # 0.5 from rounding to 8 bits, 0.04 from rounding to 12.
        assert np.abs(np.asarray(film) - np.asarray(png, np.float32)).max() < 0.55
    assert kinds == {"MONOCHROME1", "MONOCHROME2"}
    write_dataset(tmp_path / "again", options, jobs=2)
    assert files(tmp_path / "again") == files(tmp_path / "set")


def test_an_interrupted_run_leaves_no_table(tmp_path, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(dataset, "render", fail)
    assert main(["sample-data", "-o", str(tmp_path / "set"), "--images=8", "--jobs=1"]) == 130
    assert (tmp_path / "set" / nih.SYNTHETIC_MARK).exists()
    assert not list((tmp_path / "set").glob("*.csv"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "is not empty; name a new folder"),
        (["--images=7"], "7 films are too few"),
        (["--size=32"], "give 64 to 4096"),
        (["--dicom=-1"], "give a number of films or 'all'"),
    ],
)
def test_refused(tmp_path, options, message, capsys):
    (tmp_path / "file").touch()
    assert main(["sample-data", "-o", str(tmp_path), *options]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_cannot_be_made(tmp_path, capsys):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "no" / "set"):
        assert main(["sample-data", "-o", str(path), "--images=8"]) == 2
        assert f"cannot write '{path}'" in capsys.readouterr().err


def test_the_summary_counts_the_findings(tmp_path, capsys):
    words = ["sample-data", "--images=8", "--size=64", "--jobs=1", "-o"]
    assert main([*words, str(tmp_path / "a"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["synthetic"] is True
    entries = nih.read_entries(nih.entries_file(tmp_path / "a"))
    assert facts["findings"] == {
        name: sum(name in entry.findings for entry in entries) for name in LABELS
    }
    assert main([*words, str(tmp_path / "b")]) == 0
    assert "8 SYNTHETIC films" in capsys.readouterr().out
