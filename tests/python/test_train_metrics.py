from __future__ import annotations

import math

import numpy as np
import pytest

from chexnet_trt.tensorflow_import import import_tensorflow
from chexnet_trt.train.metrics import Metrics, auroc_in_bins, table


def some_scores(classes: int = 3):
    rng = np.random.default_rng(0)
    labels = (rng.random((400, classes)) < 0.2).astype(np.uint8)
    return labels, (rng.normal(size=labels.shape) + labels).astype(np.float32)


def test_loss_is_that_of_large_logits_too():
    labels, logits = np.array([[1, 0]], np.uint8), np.array([[-1000.0, 0.0]], np.float32)
    assert Metrics.of(labels, logits).loss == pytest.approx((1000 + math.log(2)) / 2)


@pytest.mark.parametrize(
    ("logits", "expected"), [([np.inf, -np.inf], 0), ([-np.inf, 0], np.inf), ([np.nan, 0], np.nan)]
)
def test_loss_of_a_network_that_diverged(logits, expected):
    found = Metrics.of(np.array([[1, 0]], np.uint8), np.array([logits], np.float32)).loss
    assert found == pytest.approx(expected, nan_ok=True)


def test_a_class_without_positives_is_undefined_and_left_out_of_the_mean():
    labels, logits = some_scores()
    labels[:, 1] = 0
    metrics = Metrics.of(labels, logits)
    assert math.isnan(metrics.auroc[1])
    assert metrics.macro == pytest.approx((metrics.auroc[0] + metrics.auroc[2]) / 2)
    fields = metrics.to_json("abc")
    assert fields["auroc"]["b"] is None
    assert "undefined" in table(fields)[1]
    assert table(fields)[-1] == f"  {'macro':<20} {metrics.macro:.4f}"


@pytest.mark.tensorflow
def test_bins_are_those_of_tensorflow():
    pytest.importorskip("tensorflow")
    import_tensorflow("a test")
    import tensorflow as tf

    labels, logits = some_scores()
    scores = 1 / (1 + np.exp(-4 * logits.astype(np.float64)))
    for index, found in enumerate(auroc_in_bins(labels.astype(np.float64), scores)):
        metric = tf.keras.metrics.AUC(num_thresholds=200)
        metric.update_state(labels[:, index], scores[:, index])
        assert found == pytest.approx(float(metric.result()), abs=1e-5)
