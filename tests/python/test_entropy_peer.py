"""The entropy threshold against independent implementations of the published method.

NVIDIA's: `_compute_amax_entropy` of TensorRT-Model-Optimizer at commit 5a4242faf414
(modelopt/torch/quantization/calib/histogram.py), run once on the counts and bin edges of our
histogram of the data below; the bins that it kept are recorded here. The definition is the same but
for one thing: of a candidate that holds nothing it computes 0 / 0, and NumPy's argmin takes that
NaN for the smallest. So it keeps the empty bins below a constant, one bin less than we do. Zeros
alone leave it without an answer. Values far from zero without any near it are cut off, by the NaN
and by the definition itself; we ask a candidate to hold 99 % of the counts, and all thresholds
below hold more than 99.9 %.

ONNX Runtime's: `HistogramCollector.get_entropy_threshold`, run here on the same counts, mirrored.
It differs in five ways, and gives our threshold exactly when all five are undone (done by hand for
gaussian, relu and far outliers):
1. the histogram is signed, and a slice has one more bin on the right than on the left;
2. the bin of the zeros keeps its count;
3. a level is floor(bins / levels) bins, and the remainder is added to the last level's count but
   gets no share of it;
4. the shares are cut to whole numbers;
5. bins that are empty, or were so before the outliers were added, get 0.0001 counts.
With 128 levels a sign the thresholds agree where no bin is cut, come close on smooth data, and part
where zeros or empty bins are many (relu 2.51 to our 3.92, far outliers 9.41 to 4.91).

The weights of the ResNet-50 are RANDOM (tools/make_histogram_fixture.py).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chexnet_trt._core import Histogram, entropy_threshold

FIXTURE = Path(__file__).resolve().parents[1] / "data" / "resnet50_v2_histograms.npz"
COUNT = 200_000


def stream() -> np.random.RandomState:
    """NumPy's frozen generator: the same numbers in every release."""
    return np.random.RandomState(2017)


def far_outliers() -> np.ndarray:
    modes = np.where(np.arange(COUNT) % 2, 3.0, -3.0)
    near = 0.5 * stream().standard_normal(COUNT) + modes
    return np.concatenate([near, stream().uniform(80, 120, 20)])


DATA = {
    "gaussian": lambda: stream().standard_normal(COUNT),
    "half-normal": lambda: np.abs(stream().standard_normal(COUNT)),
    "relu of gaussian": lambda: np.maximum(stream().standard_normal(COUNT), 0),
    "uniform": lambda: stream().uniform(-1, 1, COUNT),
    "bimodal with far outliers": far_outliers,
    "constant": lambda: np.full(COUNT, 0.7),
    "single value": lambda: np.array([-3.25]),
}

NVIDIA_KEEPS = {
    "gaussian": 2135,
    "half-normal": 2135,
    "relu of gaussian": 2007,
    "uniform": 4096,
    "bimodal with far outliers": 157,
    "constant": 2867,
    "single value": 3328,
}

NVIDIA_KEEPS_OF_RESNET50 = {
    "max_pooling2d/MaxPool": 3372,
    "Relu_1": 1891,
    "add_9": 2220,
    "conv2d_34/Conv2D": 2137,
    "Relu_48": 2859,
}


def histogram_of(values: np.ndarray) -> Histogram:
    histogram = Histogram()
    histogram.add(np.ascontiguousarray(values, np.float32))
    return histogram


def resnet50_histogram(name: str) -> Histogram:
    """The recorded counts, filled anew with the middles of the bins."""
    fixture = np.load(FIXTURE)
    row = list(fixture["names"]).index(name)
    middles = (np.arange(4096) + 0.5) * fixture["widths"][row]
    histogram = histogram_of(np.repeat(middles, fixture["counts"][row]))
    assert histogram.bin_width == fixture["widths"][row]
    return histogram


def bins_apart(histogram: Histogram, threshold: float) -> float:
    return abs(entropy_threshold(histogram) - threshold) / histogram.bin_width


@pytest.mark.parametrize("name", DATA)
def test_within_one_bin_of_nvidia(name: str):
    histogram = histogram_of(DATA[name]())
    assert bins_apart(histogram, NVIDIA_KEEPS[name] * histogram.bin_width) <= 1


@pytest.mark.parametrize("name", NVIDIA_KEEPS_OF_RESNET50)
def test_within_one_bin_of_nvidia_on_resnet50(name: str):
    histogram = resnet50_histogram(name)
    assert bins_apart(histogram, NVIDIA_KEEPS_OF_RESNET50[name] * histogram.bin_width) <= 1


def test_zeros_have_a_range():
    assert entropy_threshold(histogram_of(np.zeros(COUNT))) == 1.0


def onnxruntime_threshold(histogram: Histogram) -> float:
    calibrate = pytest.importorskip(
        "onnxruntime.quantization.calibrate", reason="needs onnxruntime, of the extra 'peers'"
    )
    counts = histogram.counts.astype(np.int64)
    mirrored = np.concatenate([counts[::-1], counts])
    edges = np.arange(-len(counts), len(counts) + 1) * histogram.bin_width
    largest = np.float32(histogram.max_abs)
    levels = 256
    collector = calibrate.HistogramCollector("entropy", True, len(mirrored), levels, 99.99, "same")
    signed = (mirrored, edges.astype(np.float32), -largest, largest)
    return float(collector.get_entropy_threshold(signed, levels)[1])


@pytest.mark.parametrize("name", ["uniform", "constant", "single value"])
def test_within_one_bin_of_onnxruntime_where_nothing_is_cut(name: str):
    histogram = histogram_of(DATA[name]())
    assert bins_apart(histogram, onnxruntime_threshold(histogram)) <= 1


@pytest.mark.parametrize("name", ["gaussian", "half-normal"])
def test_near_onnxruntime_on_smooth_data(name: str):
    histogram = histogram_of(DATA[name]())
    assert onnxruntime_threshold(histogram) == pytest.approx(entropy_threshold(histogram), rel=0.05)
