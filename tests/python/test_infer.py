from __future__ import annotations

import argparse
import csv
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import chexnet_trt
from chexnet_trt._core import InputError
from chexnet_trt.commands import infer
from chexnet_trt.labels import LABELS
from chexnet_trt.preprocess import preset


def spec(name, shape, layout="plain", element="float32"):
    return SimpleNamespace(name=name, shape=tuple(shape), layout=layout, element=element)


class MeanEngine:
    """Score k of an image is its mean fed value + k / 100; remembers the batches it was fed."""

    max_batch = 4
    timing_only = False

    def __init__(self, classes=14, layout="nchw", element="float32", manifest=None, outputs=None):
        shape = (-1, 3, 6, 8) if layout == "nchw" else (-1, 6, 8, 3)
        self.inputs = [spec("input_tensor", shape, layout, element)]
        name = "chexnet_sigmoid_tensor"
        self.outputs = outputs or [spec("categories", [-1]), spec(name, [-1, classes])]
        self.manifest = {"preprocess": preset("unit", 8, 6, 3).to_json()}
        self.manifest = self.manifest if manifest is None else manifest
        self.batches = []

    def infer(self, array):
        assert array.shape[1:] == self.inputs[0].shape[1:]
        self.batches.append(array)
        means = array.astype(np.float32).reshape(len(array), -1).mean(axis=1)
        return {
            item.name: means[:, None] + np.arange(np.prod(item.shape[1:]), dtype=np.float32) / 100
            for item in self.outputs
        }


class MapEngine(MeanEngine):
    """MeanEngine with class activation maps of 2x2 cells."""

    def __init__(self, classes=14, mapped=14):
        super().__init__(classes)
        self.outputs = [*self.outputs, spec("class_activation_maps", [-1, mapped, 2, 2])]

    def infer(self, array):
        outputs = super().infer(array)
        shape = (len(array), *self.outputs[-1].shape[1:])
        outputs["class_activation_maps"] = np.ones(shape, np.float32)
        return outputs


def run(engine, *words):
    parser = argparse.ArgumentParser()
    infer.add_arguments(parser)
    return infer.run_engine(engine, parser.parse_args(["net.engine", *map(str, words)]))


@pytest.fixture
def folder(tmp_path):
    for index, value in enumerate((51, 102, 153)):
        Image.fromarray(np.full((9, 9), value, np.uint8)).save(tmp_path / f"{index}.png")
    return tmp_path


def test_table_in_the_engines_order(folder, capsys):
    assert run(MeanEngine(), folder / "0.png") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(folder / "0.png")
    assert [line.split()[0] for line in lines[1:15]] == list(LABELS)
    assert lines[1].split()[1:] == ["0.2000", "######"]
    assert float(lines[14].split()[1]) == pytest.approx(0.33)


def test_top_is_highest_first(folder, capsys):
    assert run(MeanEngine(), folder / "0.png", "--top", 2) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["Pneumothorax", "Fibrosis"]


def test_json_keeps_order_and_batches(folder, capsys):
    engine = MeanEngine()
    assert run(engine, folder, "--json", "--batch", 2) == 0
    content = json.loads(capsys.readouterr().out)
    assert [len(batch) for batch in engine.batches] == [2, 1]
    assert content["output"] == "chexnet_sigmoid_tensor"
    assert content["preprocess"]["name"] == "unit"
    cardiomegaly = [image["scores"]["Cardiomegaly"] for image in content["images"]]
    assert np.allclose(cardiomegaly, [0.2, 0.4, 0.6])


def test_csv(folder, capsys):
    path = folder / "scores.csv"
    assert run(MeanEngine(), folder, "--csv", path) == 0
    assert run(MeanEngine(), folder, "--csv", "-") == 0
    text = path.read_text()
    assert capsys.readouterr().out == text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert np.allclose([float(row["Hernia"]) for row in rows], [0.23, 0.43, 0.63])


def test_heat_maps_are_written_and_named(folder, tmp_path, capsys):
    maps = tmp_path / "maps"
    words = [folder / "0.png", folder / "1.png", "--heatmap", maps, "--heatmap-top", 1]
    assert run(MapEngine(), *words) == 0
    printed = capsys.readouterr().out
    assert f"  heat map of Pneumothorax: {maps / '1.Pneumothorax.png'}" in printed.splitlines()
    files = sorted(path.name for path in maps.iterdir())
    assert files == ["0.Pneumothorax.png", "1.Pneumothorax.png"]
    with Image.open(maps / "0.Pneumothorax.png") as picture:
        assert picture.width >= 9
    assert run(MapEngine(), *words, "--json") == 0
    images = json.loads(capsys.readouterr().out)["images"]
    assert [image["heatmaps"] for image in images] == [
        {"Pneumothorax": str(maps / f"{index}.Pneumothorax.png")} for index in (0, 1)
    ]


def test_a_figure_is_written_and_named(folder, tmp_path, capsys):
    target = tmp_path / "figure.png"
    assert run(MapEngine(), folder / "0.png", "--figure", target) == 0
    assert f"  figure: {target}" in capsys.readouterr().out.splitlines()
    assert run(MapEngine(), folder / "0.png", "--figure", target, "--json") == 0
    (image,) = json.loads(capsys.readouterr().out)["images"]
    assert image["figure"] == str(target)
    assert "heatmaps" not in image


def test_bad_films_beside_heat_maps_are_reported(folder, tmp_path, capsys):
    (folder / "1.png").write_bytes(b"no image")
    assert run(MapEngine(), folder, "--heatmap", tmp_path / "maps", "--csv", "-") == 1
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert len(list((tmp_path / "maps").iterdir())) == 6


def test_an_engine_without_maps_says_how_to_get_them(folder, tmp_path):
    words = [folder / "0.png", "--heatmap", tmp_path / "maps"]
    with pytest.raises(InputError, match="no class activation maps; build it again with build --h"):
        run(MeanEngine(), *words)
    assert not (tmp_path / "maps").exists()
    with pytest.raises(InputError, match=r"maps of shape \[-1, 3, 2, 2\] are not those of"):
        run(MapEngine(mapped=3), *words)


def test_maps_are_no_scores(folder, capsys):
    engine = MapEngine()
    engine.outputs = [spec("probabilities", [-1, 14]), engine.outputs[-1]]
    assert run(engine, folder / "0.png", "--json") == 0
    assert json.loads(capsys.readouterr().out)["output"] == "probabilities"


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv", "-"]])
def test_bad_images_are_reported_and_the_others_scored(folder, capsys, form):
    (folder / "1.png").write_bytes(b"no image")
    assert run(MeanEngine(), folder, *form) == 1
    printed = capsys.readouterr()
    assert printed.err == f"skipped: '{folder / '1.png'}' is not an image that can be read\n"
    assert "0.png" in printed.out
    assert "2.png" in printed.out


class OverflowingEngine(MeanEngine):
    """Has no number for Hernia in the second image of a batch."""

    def infer(self, array):
        outputs = super().infer(array)
        outputs["chexnet_sigmoid_tensor"][1, LABELS.index("Hernia")] = np.nan
        return outputs


@pytest.mark.parametrize("form", [[], ["--top", "3"], ["--json"], ["--csv", "-"]])
def test_scores_that_are_no_numbers_are_no_result(folder, capsys, form):
    assert run(OverflowingEngine(), folder, *form) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(f"skipped: '{folder / '1.png'}': scores that are infinite or no")
    assert "0.png" in printed.out
    assert "2.png" in printed.out
    assert "nan" not in printed.out.lower()


def test_nhwc_and_preset(folder, capsys):
    engine = MeanEngine(layout="nhwc", manifest={})
    assert run(engine, folder / "0.png", "--preprocess", "signed-unit") == 0
    assert engine.batches[0].shape == (1, 6, 8, 3)
    assert np.allclose(engine.batches[0], -0.6)


def test_byte_inputs_get_pixels(folder, capsys):
    engine = MeanEngine(element="uint8", manifest={"preprocess": preset("raw", 8, 6, 3).to_json()})
    assert run(engine, folder / "0.png") == 0
    assert engine.batches[0].dtype == np.uint8
    assert (engine.batches[0] == 51).all()
    with pytest.raises(InputError, match="takes bytes"):
        run(engine, folder / "0.png", "--preprocess", "unit")


def test_no_preprocessing_is_never_guessed(folder):
    with pytest.raises(InputError, match="say it with --preprocess"):
        run(MeanEngine(manifest={}), folder / "0.png")


def test_preprocessing_of_another_size_is_refused(folder):
    manifest = {"preprocess": preset("unit", 224, 224, 3).to_json()}
    with pytest.raises(InputError, match=r"takes 8x6 pixels .* makes 224x224"):
        run(MeanEngine(manifest=manifest), folder / "0.png")


def test_names_of_the_scores(folder, capsys):
    def names(engine, *words):
        assert run(engine, folder / "0.png", "--json", *words) == 0
        return list(json.loads(capsys.readouterr().out)["images"][0]["scores"])

    fields = MeanEngine().manifest
    assert names(MeanEngine(classes=3)) == ["0", "1", "2"]
    labels = {"labels": {"names": ["Effussion", "Mass", "PT"]}}
    stored = fields | labels
    assert names(MeanEngine(3, manifest=stored)) == ["Effusion", "Mass", "Pleural_Thickening"]
    assert names(MeanEngine(2, manifest=stored)) == ["0", "1"]
    (folder / "names.txt").write_text("cat\ndog\n")
    assert names(MeanEngine(2), "--labels", folder / "names.txt") == ["cat", "dog"]
    with pytest.raises(InputError, match=r"has 2 labels, but .* has 3 scores"):
        run(MeanEngine(3), folder / "0.png", "--labels", folder / "names.txt")


def test_choice_of_the_output(folder, capsys):
    pair = [spec("a", [-1, 2]), spec("b", [-1, 1, 3])]
    with pytest.raises(InputError, match="which output has the scores"):
        run(MeanEngine(outputs=pair), folder / "0.png")
    with pytest.raises(InputError, match="no output 'c'; it has a, b"):
        run(MeanEngine(outputs=pair), folder / "0.png", "--output", "c")
    assert run(MeanEngine(outputs=pair), folder / "0.png", "--output", "b", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["images"][0]["scores"]) == 3
    maps = [spec("features", [-1, 4, 4])]
    with pytest.raises(InputError, match="is not one score a class"):
        run(MeanEngine(outputs=maps), folder / "0.png")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--batch", 5], "--batch 5: this engine takes 1 to 4"),
        (["--batch", 0], "--batch 0: this engine takes 1 to 4"),
        (["--top", 0], "--top 0"),
        (["--top", 1, "--csv", "-"], "--top does not go with --csv"),
    ],
)
def test_useless_options(folder, words, message):
    with pytest.raises(InputError, match=message):
        run(MeanEngine(), folder / "0.png", *words)


def test_input_that_takes_no_images(folder):
    engine = MeanEngine()
    engine.inputs = [spec("features", [-1, 128])]
    with pytest.raises(
        InputError, match=r"'features' of shape \[-1, 128\] .* does not take images"
    ):
        run(engine, folder / "0.png")


def test_run_loads_the_engine(folder, capsys, monkeypatch):
    loaded = []

    def load(path, *, device, require_exact_device):
        loaded.append((path, device, require_exact_device))
        return MeanEngine()

    monkeypatch.setattr(chexnet_trt, "load", load, raising=False)
    parser = argparse.ArgumentParser()
    infer.add_arguments(parser)
    assert infer.run(parser.parse_args(["net.engine", str(folder / "0.png")])) == 0
    words = ["net.engine", str(folder / "0.png"), "--require-exact-device", "--device", "1"]
    assert infer.run(parser.parse_args(words)) == 0
    assert loaded == [("net.engine", 0, False), ("net.engine", 1, True)]
