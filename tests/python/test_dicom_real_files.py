"""The DICOM files that pydicom ships for its own tests: real headers of many makers.

Three are computed radiographs (of a neck, their pixels reduced to 16x16 by who published them); the
nearest to radiographs of a usual size are a CT slice and an MR slice whose modality is rewritten to
DX here. The network has random weights.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest

pytest.importorskip("tensorboard")

from chexnet_trt._core import InputError
from chexnet_trt.cli import main
from chexnet_trt.images import read_image
from dicom_files import film, save
from int8_networks import needs_int8
from networks import INPUT, SCORES
from synthetic_xray import synthetic_xray

ROOT = Path(pydicom.data.DATA_ROOT) / "test_files"
FILES = sorted(path for path in ROOT.rglob("*") if path.is_file() and path.suffix != ".txt")
FRONTAL_CR = ("6247", "6278")
LATERAL_CR = "6154"
RADIOGRAPHS = ("CR", "DX", "RG", "OT", "SC", "")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


def real(name: str) -> Path:
    (path,) = (path for path in FILES if path.name == name)
    return path


def modality(path: Path) -> str | None:
    try:
        dataset = pydicom.dcmread(path, specific_tags=["Modality"])
    except Exception:
        return None
    return dataset.get("Modality") or ""


@pytest.fixture
def infer(small_engine, capsys):
    """infer(files): (exit status, what it says of each file, the error stream)."""

    def run(*files: Path) -> tuple[int, dict[str, dict], str]:
        status = main(["infer", str(small_engine), "--json", *map(str, files)])
        printed = capsys.readouterr()
        entries = json.loads(printed.out)["images"]
        assert [entry["image"] for entry in entries] == [str(file) for file in files]
        return status, {entry["image"]: entry for entry in entries}, printed.err

    return run


def test_every_file_is_scored_or_refused_by_name_in_one_line(infer):
    status, entries, errors = infer(*FILES)
    assert status == 1
    assert len(entries) > 100
    scored = {name for name, entry in entries.items() if "scores" in entry}
    for name in scored:
        scores = list(entries[name]["scores"].values())
        assert len(scores) == 14
        assert all(0 <= score <= 1 for score in scores)
    refused = [entry["error"] for name, entry in entries.items() if name not in scored]
    assert errors.splitlines() == [f"skipped: {error}" for error in refused]
    for name, entry in entries.items():
        if name not in scored:
            assert name in entry["error"]
    assert {str(real(name)) for name in (*FRONTAL_CR, "image_dfl.dcm")} <= scored
    assert "its view is LL; give a frontal one" in entries[str(real(LATERAL_CR))]["error"]


def test_other_modalities_are_refused_by_their_name(infer):
    _, entries, _ = infer(*FILES)
    others = 0
    for path in FILES:
        kind = modality(path)
        if kind is None or kind in RADIOGRAPHS:
            continue
        others += 1
        assert f"its modality is {kind}; only radiographs" in entries[str(path)]["error"]
    assert others > 80


def test_a_neck_is_scored_with_a_warning(infer, caplog):
    status, _, _ = infer(real("6247"))
    assert status == 0
    assert "6247' says that it shows another part of the body than the chest" in caplog.text


def as_radiograph(content: bytes) -> bytes:
    """With its modality rewritten where it is CT or MR with an explicit VR."""
    for kind in (b"CT", b"MR"):
        content = content.replace(b"\x08\0\x60\0CS\x02\0" + kind, b"\x08\0\x60\0CS\x02\0DX")
    return content


def outcome(path: Path) -> str:
    try:
        read_image(path)
    except InputError as error:
        return str(error)
    return "read"


def test_damage_to_real_files_is_read_or_an_input_error(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "damaged.dcm"
    outcomes = set()
    for source in FILES:
        content = as_radiograph(source.read_bytes())
        for cut in (False, False, True) if len(content) < 60_000 else ():
            damaged = bytearray(content[: rng.integers(132, len(content))] if cut else content)
            for place in rng.integers(min(132, len(damaged) - 1), len(damaged), 4):
                damaged[place] = rng.integers(256)
            path.write_bytes(damaged)
            outcomes.add(outcome(path))
    for message in outcomes - {"read"}:
        assert "damaged.dcm" in message
        assert "\n" not in message
    assert "read" in outcomes
    assert len(outcomes) > 10


def negative(dataset: pydicom.Dataset) -> pydicom.Dataset:
    """The same film with the stored values and the photometric interpretation inverted."""
    signed = dataset.PixelRepresentation == 1
    last = -1 if signed else 2**dataset.BitsStored - 1
    was_one = dataset.PhotometricInterpretation == "MONOCHROME1"
    dataset.PhotometricInterpretation = "MONOCHROME2" if was_one else "MONOCHROME1"
    stored = dataset.pixel_array
    dataset.PixelData = (last - stored.astype(np.int64)).astype(stored.dtype).tobytes()
    dataset["PixelData"].VR = "OB" if dataset.BitsAllocated == 8 else "OW"
    if "PixelPaddingValue" in dataset:
        dataset.PixelPaddingValue = last - dataset.PixelPaddingValue
    slope = float(dataset.get("RescaleSlope", 1))
    intercept = float(dataset.get("RescaleIntercept", 0))
    if "WindowCenter" in dataset:  # PS3.3 C.11.2.1.2.1: the ramp's middle is half below the centre.
        middle = float(dataset.WindowCenter) - 0.5
        dataset.WindowCenter = f"{slope * last + 2 * intercept - middle + 0.5:.6f}"
    return dataset


@pytest.mark.parametrize("name", [*FRONTAL_CR, "image_dfl.dcm", "CT_small.dcm", "MR_small.dcm"])
def test_monochrome1_and_its_monochrome2_twin_score_alike(infer, tmp_path, name):
    dataset = pydicom.dcmread(real(name))
    if dataset.Modality in ("CT", "MR"):
        dataset.Modality = "DX"
    one, two = tmp_path / "one.dcm", tmp_path / "two.dcm"
    dataset.save_as(one)
    negative(dataset).save_as(two)
    assert one.read_bytes() != two.read_bytes()
    status, entries, _ = infer(one, two)
    assert status == 0
    assert entries[str(one)]["scores"] == pytest.approx(entries[str(two)]["scores"], abs=1e-6)
    wrong = pydicom.dcmread(two)
    kinds = {"MONOCHROME1": "MONOCHROME2", "MONOCHROME2": "MONOCHROME1"}
    wrong.PhotometricInterpretation = kinds[wrong.PhotometricInterpretation]
    wrong.save_as(two)
    _, entries, _ = infer(one, two)
    assert entries[str(one)]["scores"] != pytest.approx(entries[str(two)]["scores"], abs=1e-3)


@needs_int8
def test_int8_is_calibrated_with_dicom_films(small_uff, small_engine, tmp_path, capsys):
    films = tmp_path / "films"
    films.mkdir()
    for name in FRONTAL_CR:
        (films / f"{name}.dcm").write_bytes(real(name).read_bytes())
    for seed in range(4):
        save(film(synthetic_xray(seed, 40)), films / f"synthetic_{seed}.dcm")
    engine = tmp_path / "int8.engine"
    words = ["--uffInput", f"{INPUT},3,8,8", "--output", SCORES, "--preprocess", "unit", "--int8"]
    words += ["--precision-constraints", "obey", "--calib-data", str(films), "-o", str(engine)]
    assert main(["build", str(small_uff), *words, "--json"]) == 0
    calibration = json.loads(capsys.readouterr().out)["calibration"]
    assert calibration["image_count"] == 6
    rows = []
    for path in (small_engine, engine):
        assert main(["infer", str(path), "--json", str(films)]) == 0
        images = json.loads(capsys.readouterr().out)["images"]
        rows.append([list(image["scores"].values()) for image in images])
    assert np.abs(np.subtract(*rows)).max() < 0.05
    assert rows[0] != rows[1]
