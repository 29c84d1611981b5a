from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("tensorboard")

import chexnet_trt as ct
import nih_files
from chexnet_trt import calibration
from chexnet_trt._core import CalibrationTable
from chexnet_trt.accuracy import Agreement
from chexnet_trt.cli import main
from int8_networks import NETWORK, needs_int8, pixels, write_chain
from networks import INPUT, SCORES

FLAGS = ["--uffInput", f"{INPUT},3,8,8", "--output", SCORES, "--preprocess", "unit"]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films")
    for index, image in enumerate(pixels(10)):
        Image.fromarray(image).save(path / f"{index}.png")
    return path


@pytest.fixture
def calibrate(small_uff, tmp_path, capsys):
    """calibrate(words): what the command prints, and the table that it wrote."""

    def run(*words: object, model: Path = small_uff, status: int = 0) -> tuple[str, Path]:
        target = tmp_path / "net.calib"
        arguments = ["calibrate", str(model), *FLAGS, "-o", str(target), *map(str, words)]
        assert main(arguments) == status
        return capsys.readouterr().out, target

    return run


def test_the_table_is_that_of_the_function(small_uff, films, calibrate):
    printed, target = calibrate("--calib-data", films)
    expected = ct.calibrate(small_uff, films, **NETWORK)
    assert target.read_text() == expected.to_text()
    assert re.fullmatch(rf"wrote {target}: 3 ranges by entropy from 10 images, [\d.]+ s\n", printed)


def test_the_algorithm_and_the_number_of_images(films, calibrate):
    words = ["--calib-algorithm", "percentile", "--calib-percentile", "99", "--calib-images", "4"]
    printed, target = calibrate("--calib-data", films, *words)
    assert "by percentile 99 from 4 images" in printed
    found = CalibrationTable.read(str(target)).provenance
    assert (found.algorithm, found.image_count) == ("percentile 99", 4)


def test_a_table_for_bytes(small_uff, films, calibrate):
    _, target = calibrate("--calib-data", films, "--u8-input")
    expected = ct.calibrate(small_uff, films, **NETWORK, u8_input=True)
    assert target.read_text() == expected.to_text()


def test_by_default_the_table_lies_beside_the_network(small_uff, films, tmp_path, capsys):
    network = tmp_path / "net.uff"
    network.write_bytes(small_uff.read_bytes())
    assert main(["calibrate", str(network), *FLAGS, "--calib-data", str(films)]) == 0
    assert (tmp_path / "net.calib").exists()


@needs_int8
def test_json_has_all_that_is_printed(films, calibrate):
    words = ["--compare-algorithms", "--sensitivity", "--json"]
    printed, target = calibrate("--calib-data", films, *words)
    facts = json.loads(printed)
    assert facts["table"] == str(target)
    assert (facts["algorithm"], facts["values"], facts["images"]) == ("entropy", 3, 10)
    assert list(facts["agreement"]) == ["entropy", "minmax", "percentile 99.99"]
    for fields in facts["agreement"].values():
        assert Agreement.from_json(fields).images == 10
    assert sorted(row["layer"] for row in facts["sensitivity"]) == ["conv", "product"]


@needs_int8
def test_the_chosen_algorithm_is_compared_and_not_run_again(films, calibrate, monkeypatch):
    methods = []
    real = calibration.calibrate_network

    def counted(network, source, method, **options):
        methods.append(str(method))
        return real(network, source, method, **options)

    monkeypatch.setattr("chexnet_trt.commands.calibrate.calibrate_network", counted)
    words = ["--calib-algorithm", "percentile", "--calib-percentile", "99"]
    printed, _ = calibrate("--calib-data", films, "--compare-algorithms", *words)
    assert methods == ["percentile 99", "entropy", "minmax"]
    assert "int8 against fp32, on images of the calibration itself" in printed
    for method in methods:
        assert re.search(rf"^  {method} +score difference mean .* \(10 images\)$", printed, re.M)


@needs_int8
def test_sensitivity_names_the_worst_layer_first(tmp_path, films, calibrate):
    model = write_chain(tmp_path / "chain.uff", outlier=1e4)
    words = ["--sensitivity", "--top", "2", "--calib-algorithm", "minmax"]
    printed, _ = calibrate("--calib-data", films, *words, model=model)
    table = printed.split("one layer in int8 against fp32, on images of the calibration itself")[1]
    _, header, worst, second, rest = table.strip().splitlines()
    assert header.split() == ["SQNR", "dB", "p99", "diff", "layer"]
    assert worst.split()[-1] == "conv_1"
    assert float(worst.split()[0]) < float(second.split()[0])
    assert rest == "... and 2 more; --top=4 shows all"


def test_choosing_from_a_data_set(tmp_path, calibrate):
    data = tmp_path / "nih"
    data.mkdir()
    nih_files.write_data_set(data)
    chosen = tmp_path / "chosen.txt"
    words = ["--choose-from", data, "--calib-images", "20", "--seed", "3", "--save-list", chosen]
    printed, target = calibrate(*words)
    assert f"wrote {chosen}\n" in printed
    assert "from 20 images" in printed
    content = target.read_bytes()
    target.unlink()
    _, target = calibrate("--calib-data", chosen, "--calib-root", data)
    assert target.read_bytes() == content


def test_the_table_serves_a_build(small_uff, films, tmp_path, calibrate, capsys):
    _, target = calibrate("--calib-data", films)
    engine = tmp_path / "net.engine"
    words = ["build", str(small_uff), *FLAGS, "--int8", "--calib", str(target), "-o", str(engine)]
    assert main(words) == 0
    assert engine.exists()


def test_an_interrupt_leaves_nothing(films, small_uff, tmp_path, monkeypatch, capsys):
    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("chexnet_trt.progress.ProgressLine.__call__", interrupt)
    target = tmp_path / "net.calib"
    words = ["calibrate", str(small_uff), *FLAGS, "--calib-data", str(films), "-o", str(target)]
    assert main(words) == 130
    assert capsys.readouterr().err == "chexnet_trt calibrate: error: interrupted\n"
    assert list(tmp_path.iterdir()) == []
