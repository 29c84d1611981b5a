"""The calibration core as Python sees it; its behaviour is tested in tests/cpp/calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chexnet_trt import InputError
from chexnet_trt._core import (
    CalibrationTable,
    Histogram,
    Provenance,
    entropy_threshold,
    min_max_threshold,
    percentile_threshold,
    storable_amax,
)

MIXED = st.floats(-(2.0**100), 2.0**100, width=32)


def histogram_of(values: np.ndarray) -> Histogram:
    histogram = Histogram()
    histogram.add(values)
    return histogram


def provenance(**changes: object) -> Provenance:
    fields = {
        "network_sha256": "a" * 64,
        "images_sha256": "b" * 64,
        "image_count": 500,
        "preprocessing_sha256": "c" * 64,
        "algorithm": "entropy",
        "sample_limit": 16384,
    }
    return Provenance(**{**fields, **changes})


@given(arrays(np.float32, st.integers(1, 200), elements=MIXED), st.randoms())
def test_a_histogram_is_that_of_numpy_in_any_order(values: np.ndarray, random):
    histogram = histogram_of(values)
    edges = np.arange(4097) * histogram.bin_width
    expected, _ = np.histogram(np.abs(values).astype(np.float64), edges)
    np.testing.assert_array_equal(histogram.counts, expected[: len(histogram.counts)])
    assert histogram.counts.sum() == histogram.total == len(values)
    shuffled = list(values)
    random.shuffle(shuffled)
    halves = Histogram()
    for half in np.array_split(np.array(shuffled, np.float32), 2):
        halves.add(half)
    np.testing.assert_array_equal(halves.counts, histogram.counts)
    assert halves.bin_width == histogram.bin_width


@given(arrays(np.float32, st.integers(1, 200), elements=MIXED))
def test_thresholds_lie_within_the_data(values: np.ndarray):
    histogram = histogram_of(values)
    largest = float(np.abs(values).max())
    if largest < 1e-30:
        largest = 1.0
    assert min_max_threshold(histogram) == largest
    assert 0 < entropy_threshold(histogram) <= largest
    assert 0 < percentile_threshold(histogram) <= largest


def test_a_percentile_is_that_of_numpy_within_a_bin():
    values = np.random.RandomState(0).standard_normal(100_000).astype(np.float32)
    histogram = histogram_of(values)
    for percentile in (50, 99, 99.99):
        assert percentile_threshold(histogram, percentile) == pytest.approx(
            np.percentile(np.abs(values), percentile), abs=histogram.bin_width
        )


def test_add_takes_float32_in_c_order_of_any_shape():
    assert histogram_of(np.ones((2, 3, 4), np.float32)).total == 24
    assert histogram_of(np.ones((0,), np.float32)).total == 0
    with pytest.raises(TypeError):
        histogram_of(np.ones(3, np.float64))
    with pytest.raises(InputError, match="not finite"):
        histogram_of(np.array([1, np.nan], np.float32))


def test_a_table_is_written_and_read(tmp_path: Path):
    ranges = {"input_tensor": storable_amax(151.061), "conv1/Relu:0": storable_amax(6.25)}
    table = CalibrationTable(CalibrationTable.header_for("entropy"), ranges, provenance())
    table.write(str(tmp_path / "net.cache"))
    read = CalibrationTable.read(str(tmp_path / "net.cache"))
    assert read.header == "TRT-8601-EntropyCalibration2"
    assert read.ranges == ranges
    assert read.provenance is not None
    assert read.provenance.image_count == 500
    assert read.to_text() == table.to_text()


def test_a_table_without_provenance_is_plain():
    table = CalibrationTable.from_text("TRT-7202-EntropyCalibration2\ndata: 3c008912\n")
    assert table.provenance is None
    assert table.ranges["data"] == pytest.approx(0.99634, abs=1e-5)


def test_the_first_field_that_differs_is_named():
    assert provenance().mismatch(provenance()) == ""
    found = provenance(image_count=3, algorithm="minmax")
    assert provenance().mismatch(found) == "image_count is 3 in the table and 500 here"
    found = provenance(calibrator_version=2)
    assert provenance().mismatch(found).startswith("calibrator_version is 2 in the table and 1")


@given(st.text())
def test_any_text_is_a_table_or_refused(text: str):
    try:
        table = CalibrationTable.from_text("TRT-8601-EntropyCalibration2\n" + text)
    except InputError:
        return
    assert CalibrationTable.from_text(table.to_text()).ranges == table.ranges
