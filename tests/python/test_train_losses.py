from __future__ import annotations

import numpy as np
import pytest

from chexnet_trt.tensorflow_import import import_tensorflow

pytestmark = pytest.mark.tensorflow
pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def losses():
    import_tensorflow("a test")
    from chexnet_trt.train import losses

    return losses


def test_the_plain_loss(losses):
    labels, logits = np.float32([[1, 0], [0, 0]]), np.float32([[2, -1], [0, 3]])
    p = 1 / (1 + np.exp(-logits))
    expected = -(labels * np.log(p) + (1 - labels) * np.log(1 - p)).mean(axis=1)
    np.testing.assert_allclose(losses.SigmoidCrossEntropy()(labels, logits), expected, rtol=1e-6)


def test_weighted_positives_and_negatives_count_alike(losses):
    labels = np.float32([[1], [0], [0], [0]])
    loss = losses.SigmoidCrossEntropy(losses.class_weights([1], 4))
    found = loss(labels, np.zeros_like(labels)).numpy()
    assert found[0] == pytest.approx(found[1:].sum())
    assert found[0] == pytest.approx(0.75 * np.log(2))


def test_a_class_without_positives_has_no_weight(losses):
    loss = losses.SigmoidCrossEntropy(losses.class_weights([0], 4))
    assert loss(np.float32([[0]]), np.float32([[2]])).numpy() == [0]
