from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from chexnet_trt._core import InputError
from chexnet_trt.heatmap_arguments import (
    Pictures,
    add_heatmap_arguments,
    wants_pictures,
)
from chexnet_trt.labels import LABELS
from chexnet_trt.scoring import Scored
from dicom_files import film, save


def parsed(*words: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_heatmap_arguments(parser)
    return parser.parse_args(list(map(str, words)))


def scored(path: Path, classes: int = 14) -> Scored:
    """Class 2 has the highest score, then 1, then 0, then the others."""
    scores = np.linspace(0.3, 0.1, classes, dtype=np.float32)
    scores[:3] = 0.7, 0.8, 0.9
    maps = np.random.default_rng(0).normal(size=(classes, 2, 2)).astype(np.float32)
    return Scored(path, scores, maps)


@pytest.fixture
def films(tmp_path):
    """Two films of one name in two folders, and a DICOM file of that name too."""
    paths = [tmp_path / "a" / "film.png", tmp_path / "b" / "Film.png", tmp_path / "b" / "film.dcm"]
    for index, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        pixels = np.full((30, 20), 60 * index, np.uint8)
        if path.suffix == ".png":
            Image.fromarray(pixels).save(path)
        else:
            save(film(pixels), path)
    return paths


def test_the_classes_of_the_highest_scores(films, tmp_path):
    out = tmp_path / "maps"
    written = Pictures(parsed("--heatmap", out), films[:1], LABELS).write(scored(films[0]))
    assert list(written.heatmaps) == ["Effusion", "Emphysema", "Cardiomegaly"]
    assert written.heatmaps["Effusion"] == str(out / "film.Effusion.png")
    assert sorted(path.name for path in out.iterdir()) == [
        "film.Cardiomegaly.png", "film.Effusion.png", "film.Emphysema.png",
    ]  # fmt: skip
    args = parsed("--heatmap", out, "--heatmap-top", 1)
    assert list(Pictures(args, films[:1], LABELS).write(scored(films[0])).heatmaps) == ["Effusion"]


def test_the_classes_that_are_named(films, tmp_path):
    words = ["--heatmap", tmp_path, "--heatmap-class", "PT", "--heatmap-class", "mass"]
    pictures = Pictures(parsed(*words, "--heatmap-class", "Mass"), films[:1], LABELS)
    assert list(pictures.write(scored(films[0])).heatmaps) == ["Pleural_Thickening", "Mass"]
    with pytest.raises(InputError, match="--heatmap-class Cat: no such class; the engine has Card"):
        Pictures(parsed("--heatmap", tmp_path, "--heatmap-class", "Cat"), films[:1], LABELS)


def test_films_of_one_name_get_pictures_of_their_own(films, tmp_path):
    args = parsed("--heatmap", tmp_path / "maps", "--heatmap-top", 1)
    pictures = Pictures(args, [*films, films[0]], LABELS)
    names = [
        Path(pictures.write(scored(path)).heatmaps["Effusion"]).name for path in [*films, films[0]]
    ]
    assert names == [
        "film.Effusion.png", "Film-2.Effusion.png", "film-3.Effusion.png", "film.Effusion.png",
    ]  # fmt: skip
    assert {path.name for path in (tmp_path / "maps").iterdir()} == set(names)


def test_names_that_no_file_can_have(films, tmp_path):
    labels = ["a/b", "a:b", "A_B", *map(str, range(11))]
    pictures = Pictures(parsed("--heatmap", tmp_path / "maps"), films[:1], labels)
    assert [Path(file).name for file in pictures.write(scored(films[0])).heatmaps.values()] == [
        "film.A_B-3.png", "film.a_b-2.png", "film.a_b.png",
    ]  # fmt: skip


def test_pictures_of_a_dicom_film_show_it_as_a_viewer_does(films, tmp_path):
    dark = save(film(np.full((600, 500), 10, np.uint8)), tmp_path / "dark.dcm")
    light = save(
        film(np.full((600, 500), 10, np.uint8), PhotometricInterpretation="MONOCHROME1"),
        tmp_path / "light.dcm",
    )
    pictures = Pictures(parsed("--heatmap", tmp_path / "maps"), [dark, light], LABELS)
    means = []
    for path in (dark, light):
        maps = np.full((14, 2, 2), -1, np.float32)
        maps[3, 0, 0] = 1
        row = Scored(path, np.linspace(1, 0, 14, dtype=np.float32), maps)
        with Image.open(pictures.write(row).heatmaps["Cardiomegaly"]) as picture:
            means.append(np.asarray(picture)[:600].mean())
    assert means == [10, 245]


def test_a_figure_is_of_one_film(films, tmp_path):
    target = tmp_path / "figure.png"
    written = Pictures(parsed("--figure", target), films[:1], LABELS).write(scored(films[0]))
    assert (written.figure, written.heatmaps) == (str(target), {})
    with Image.open(target) as picture:
        assert picture.width > 1000
    with pytest.raises(InputError, match="--figure shows one film; 3 are given"):
        Pictures(parsed("--figure", target), films, LABELS)


def test_a_film_without_scores_has_no_pictures(films, tmp_path):
    pictures = Pictures(parsed("--heatmap", tmp_path / "maps"), films, LABELS)
    assert pictures.write(Scored(films[0], error="broken")).heatmaps == {}
    assert list((tmp_path / "maps").iterdir()) == []


def test_no_film_is_overwritten(films, tmp_path):
    other = films[0].with_name("film.Effusion.png")
    other.write_bytes(films[0].read_bytes())
    args = parsed("--heatmap", films[0].parent)
    pictures = Pictures(args, [films[0], other], LABELS)
    with pytest.raises(InputError, match=r"film\.Effusion\.png' is one of the films"):
        pictures.write(scored(films[0]))
    assert other.read_bytes() == films[0].read_bytes()
    with pytest.raises(InputError, match="is one of the films"):
        Pictures(parsed("--figure", films[0]), films[:1], LABELS).write(scored(films[0]))


def test_places_that_cannot_be_written_to(films, tmp_path):
    with pytest.raises(InputError, match="cannot make the folder"):
        Pictures(parsed("--heatmap", films[0]), films, LABELS)
    with pytest.raises(InputError, match="there is no folder"):
        Pictures(parsed("--figure", tmp_path / "none" / "f.png"), films[:1], LABELS)


def test_maps_of_no_numbers_name_the_film(films, tmp_path):
    broken = Scored(films[0], np.full(14, np.nan, np.float32), np.full((14, 2, 2), np.nan))
    with pytest.raises(InputError, match=r"film\.png': the class activation maps hold"):
        Pictures(parsed("--heatmap", tmp_path / "maps"), films, LABELS).write(broken)


def test_a_choice_of_classes_needs_a_picture():
    assert not wants_pictures(parsed())
    assert wants_pictures(parsed("--figure", "f.png"))
    for words in (["--heatmap-top", "2"], ["--heatmap-class", "Mass"]):
        with pytest.raises(InputError, match=f"{words[0]} needs --heatmap DIR or --figure FILE"):
            wants_pictures(parsed(*words))
