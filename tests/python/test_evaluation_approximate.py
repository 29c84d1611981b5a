"""The approximation against TensorFlow's own."""

from __future__ import annotations

import numpy as np
import pytest

from chexnet_trt.evaluation.approximate import approximate_auroc
from chexnet_trt.evaluation.auroc import auroc

RNG = np.random.default_rng(0)
LABELS = (RNG.random((500, 4)) < (0.5, 0.05, 0.3, 0.1)).astype(np.uint8)
SCORES = np.stack(
    [
        RNG.random(500),
        np.clip(LABELS[:, 1] * 0.3 + RNG.normal(0.2, 0.2, 500), 0, 1),
        np.round(RNG.random(500) * 199) / 199,  # on the thresholds themselves
        1e-4 * (LABELS[:, 3] + RNG.random(500)),
    ],
    axis=1,
).astype(np.float32)


@pytest.mark.tensorflow
def test_it_is_that_of_tensorflow():
    tf = pytest.importorskip("tensorflow").compat.v1
    expected = []
    with tf.Graph().as_default(), tf.Session() as session:
        for k in range(LABELS.shape[1]):
            value, update = tf.metrics.auc(tf.constant(LABELS[:, k]), tf.constant(SCORES[:, k]))
            session.run(tf.local_variables_initializer())
            session.run(update)
            expected.append(session.run(value))
    np.testing.assert_allclose(approximate_auroc(LABELS, SCORES), expected, rtol=0, atol=1e-6)


def test_scores_in_one_bin_lose_their_order():
    exact, approximate = auroc(LABELS, SCORES), approximate_auroc(LABELS, SCORES)
    np.testing.assert_allclose(approximate[:3], exact[:3], atol=0.01)
    assert exact[3] > 0.9
    assert approximate[3] == pytest.approx(0.5, abs=1e-4)


def test_classes_without_a_value():
    labels = np.array([[0, 1, 0], [0, 1, 1]])
    scores = np.array([[0.1, 0.1, 0.1], [0.2, 0.2, np.nan]])
    assert np.isnan(approximate_auroc(labels, scores)).all()
