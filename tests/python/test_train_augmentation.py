from __future__ import annotations

import numpy as np
import pytest

from chexnet_trt.tensorflow_import import import_tensorflow

pytestmark = pytest.mark.tensorflow
pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def augmentation():
    import_tensorflow("a test")
    from chexnet_trt.train import augmentation

    return augmentation


def square(count: int = 8, size: int = 64) -> np.ndarray:
    """A bright square left of the middle."""
    images = np.full((count, size, size, 1), 60, np.float32)
    images[:, 24:40, 12:28] = 180
    return images


def centres(images) -> np.ndarray:
    """[N, 2]: of what is bright, (y, x)."""
    bright = np.asarray(images)[..., 0] > 120
    return np.array([np.argwhere(image).mean(axis=0) for image in bright])


def test_the_same_seed_gives_the_same_images(augmentation):
    change = augmentation.Augmentation()
    first = change(square(), np.int32([1, 2]))
    np.testing.assert_array_equal(first, change(square(), np.int32([1, 2])))
    assert not np.array_equal(first, change(square(), np.int32([1, 3])))


def test_changes_are_small_and_of_each_image_by_itself(augmentation):
    images = augmentation.Augmentation()(square(), np.int32([0, 0])).numpy()
    assert images.min() >= 0
    assert images.max() <= 255
    moved = np.abs(centres(images) - centres(square()))
    farthest = 64 * (augmentation.SHIFT + augmentation.SCALE / 2)
    assert 0.5 < moved.max() <= farthest + 1
    assert len(np.unique(np.round(centres(images), 3), axis=0)) == 8


def test_flips_on_request_alone(augmentation):
    plain = centres(augmentation.Augmentation()(square(32), np.int32([0, 0])))[:, 1]
    assert (plain < 31).all()
    flipped = centres(augmentation.Augmentation(flip=True)(square(32), np.int32([0, 0])))[:, 1]
    assert 5 < (flipped > 32).sum() < 27
