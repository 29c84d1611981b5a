from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from chexnet_trt._core import InputError
from chexnet_trt.heatmap import CAVEAT, ClassActivation, Film, draw_figure, draw_heatmap
from chexnet_trt.heatmap.colors import blend, colorize
from chexnet_trt.heatmap.drawing import ACCENT, BACKGROUND, fitted, font
from chexnet_trt.labels import LABELS

GRAY = 100


def film(width: int = 60, height: int = 40) -> Film:
    return Film(Image.new("RGB", (width, height), (GRAY, GRAY, GRAY)), "film.png")


def hot_at(row: int, column: int, value: float = 6, classes: int = 14) -> np.ndarray:
    """Maps of 2x3 cells: class 0 is `value` at one of them and -1 elsewhere, the others are -1."""
    maps = np.full((classes, 2, 3), -1, np.float32)
    maps[0, row, column] = value
    return maps


def test_contributions_sum_to_the_logit_without_its_bias():
    maps = np.random.default_rng(0).normal(size=(14, 3, 5)).astype(np.float32)
    sums = ClassActivation(maps).contributions.sum(axis=(1, 2))
    assert np.allclose(sums, maps.mean(axis=(1, 2)), atol=1e-6)


def test_one_scale_for_all_classes_of_a_film():
    maps = hot_at(0, 0)
    maps[1, 1, 2] = 3
    activation = ClassActivation(maps)
    assert activation.scale == pytest.approx(1)
    assert activation.intensity(0, (3, 2)).max() == pytest.approx(1)
    assert activation.intensity(1, (3, 2)).max() == pytest.approx(0.5)
    assert activation.intensity(2, (3, 2)).max() == 0


def test_what_takes_away_is_not_shown():
    activation = ClassActivation(np.full((2, 2, 3), -1, np.float32))
    assert activation.scale == 0
    assert not activation.intensity(0, (7, 5)).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_maps_of_no_numbers_are_refused(bad):
    with pytest.raises(InputError, match="infinite or no number"):
        ClassActivation(hot_at(0, 0, bad))


def test_a_cell_lies_over_its_part_of_the_film():
    """Whatever the aspect ratio: of 2x3 cells each covers half the height and a third of the
    width."""
    for width, height in ((60, 40), (30, 120)):
        intensity = ClassActivation(hot_at(1, 2)).intensity(0, (width, height))
        assert intensity.shape == (height, width)
        rows, columns = np.nonzero(intensity == intensity.max())
        assert rows.mean() == pytest.approx(0.875 * height, abs=1)
        assert columns.mean() == pytest.approx(width * 11 / 12, abs=1)
        assert not intensity[: height // 4, : width // 2].any()


def test_intensities_are_linear_between_the_centres_of_cells():
    intensity = ClassActivation(np.float32([[[0, 2]]])).intensity(0, (40, 3))
    assert np.allclose(np.diff(intensity[1, 11:29]), 1 / 20, atol=1e-6)
    assert intensity[1, 9] == 0
    assert intensity[1, 30] == 1


def test_lightness_of_the_colours_rises_evenly():
    """ITU-R BT.709 luminance, so that order does not rest on hue."""
    linear = (colorize(np.linspace(0, 1, 33)) / 255) ** 2.2
    lightness = np.cbrt(linear @ np.array([0.2126, 0.7152, 0.0722]))
    steps = np.diff(lightness)
    assert (steps > 0).all()
    assert steps.max() < 4 * steps.min()


def test_blending_leaves_a_film_bare_where_the_map_is_zero():
    intensity = np.zeros((40, 60), np.float32)
    intensity[:, 30:] = 1
    pixels = np.asarray(blend(film().picture, intensity))
    assert (pixels[:, :30] == GRAY).all()
    assert (np.ptp(pixels[:, 30:], axis=2) > 30).all()


def test_films_are_shown_in_their_aspect_ratio_and_not_too_large(tmp_path):
    path = tmp_path / "film.png"
    Image.fromarray(np.full((300, 100), GRAY, np.uint8)).save(path)
    assert Film.read(path, "film.png").picture.size == (100, 300)
    reduced = Film.read(path, "a\nb", largest=60)
    assert reduced.picture.size == (20, 60)
    assert reduced.picture.getpixel((5, 5)) == (GRAY, GRAY, GRAY)
    assert "\n" not in reduced.name
    Image.fromarray(np.full((4, 4), 60_000, np.uint16)).save(path)
    assert Film.read(path, "deep").picture.getpixel((0, 0)) == (233, 233, 233)
    Image.new("RGB", (4, 4), (1, 2, 3)).save(path)
    assert Film.read(path, "colour").picture.getpixel((0, 0)) == (1, 2, 3)


def test_a_heat_map_is_the_film_over_a_legend():
    large = film(500, 400)
    picture = draw_heatmap(large, ClassActivation(hot_at(0, 0)), 0, "Mass", 0.8)
    assert picture.width == 500
    assert picture.height > 400
    pixels = np.asarray(picture)
    assert (pixels[300:400, 300:] == GRAY).all()
    assert np.ptp(pixels[100, 80]) > 30
    legend = pixels[400:]
    assert (legend == BACKGROUND).all(axis=2).mean() > 0.5
    assert (np.ptp(legend, axis=2) > 100).any()  # the colour bar
    other = draw_heatmap(large, ClassActivation(hot_at(0, 0)), 0, "Hernia", 0.1)
    assert not np.array_equal(np.asarray(other)[400:], legend)


def test_what_is_to_be_known_of_an_engine_stands_in_its_pictures():
    activation, large = ClassActivation(hot_at(0, 0)), film(500, 400)
    pictures = [
        (
            draw_heatmap(large, activation, 0, "Mass", 0.8, caveat),
            draw_figure(large, activation, LABELS, [0.5] * 14, [0], caveat),
        )
        for caveat in (CAVEAT, "Trained on SYNTHETIC images. " * 10)
    ]
    for plain, marked in zip(*pictures, strict=True):
        rows = np.flatnonzero((np.asarray(plain) != np.asarray(marked)).any(axis=(1, 2)))
        assert len(rows)
        assert rows.min() > 400


@pytest.mark.parametrize("size", [(1, 1), (2000, 3), (3, 2000)])
def test_films_of_any_shape_can_be_drawn(size):
    activation = ClassActivation(hot_at(0, 0))
    picture = draw_heatmap(film(*size), activation, 0, "A name " * 40, 0.5)
    assert picture.width == max(size[0], 420)
    draw_figure(film(*size), activation, LABELS, [0.5] * 14, [0])


def accented(picture: Image.Image) -> np.ndarray:
    """How many pixels of a row have the colour of a marked bar."""
    return (np.asarray(picture) == ACCENT).all(axis=2).sum(axis=1)


def test_a_figure_has_a_bar_a_score_and_marks_the_classes_shown():
    activation = ClassActivation(hot_at(0, 0))
    scores = [index / 14 for index in range(14)]
    one = accented(draw_figure(film(), activation, LABELS, scores, [13]))
    low = accented(draw_figure(film(), activation, LABELS, scores, [7]))
    assert one.max() / low.max() == pytest.approx(13 / 7, abs=0.05)
    assert np.flatnonzero(one).max() < np.flatnonzero(low).min()  # highest first
    three = accented(draw_figure(film(), activation, LABELS, scores, [13, 12, 7]))
    assert len(np.unique(three[three > 0])) == 3


def test_a_figure_holds_the_film_and_a_heat_map_a_class():
    activation = ClassActivation(hot_at(0, 0))
    sizes = {
        count: draw_figure(film(), activation, LABELS, [0.5] * 14, range(count)).size
        for count in (1, 2, 3, 4)
    }
    assert sizes[2] == sizes[3]
    assert sizes[1][1] < sizes[3][1]
    assert sizes[4][0] > sizes[3][0]


def test_long_texts_are_cut():
    assert fitted("Mass", 20, 500) == "Mass"
    cut = fitted("Pleural Thickening", 20, 100)
    assert cut.endswith("...")
    assert font(20).getlength(cut) <= 100
