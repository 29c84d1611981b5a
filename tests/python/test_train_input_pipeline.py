from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

import training_files
from chexnet_trt.tensorflow_import import import_tensorflow

pytestmark = pytest.mark.tensorflow
pytest.importorskip("tensorflow")

IMAGES = 40


@pytest.fixture(scope="module")
def module():
    import_tensorflow("a test")
    from chexnet_trt.train import input_pipeline

    return input_pipeline


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return training_files.write_records(tmp_path_factory.mktemp("pipeline") / "records")


@pytest.fixture(scope="module", params=["cached", "read each epoch"])
def split(request, module, dataset):
    shards = dataset.splits["train"].shards
    with pytest.MonkeyPatch.context() as patch:
        if request.param != "cached":
            patch.setattr(module, "_CACHED_SHARE", 0)
        yield module.Split(
            dataset.shards("train"), [s.records for s in shards], training_files.SIZE,
            training_files.SIZE, 14,
        )  # fmt: skip


def pixels(batches) -> list[bytes]:
    return [image.tobytes() for images, *_ in batches for image in images.numpy()]


def epoch(pipeline, number=0, skip=0, batches=10, seed=0):
    return pixels(pipeline.training(batch=4, batches=batches, seed=seed, epoch=number, skip=skip))


def test_an_epoch_has_every_image_once_in_an_order_of_its_own(module, split):
    pipeline = module.InputPipeline(split)
    first, second = epoch(pipeline), epoch(pipeline, 1)
    assert len(set(first)) == IMAGES
    assert set(first) == set(second)
    assert first != second
    assert epoch(pipeline, seed=1) not in (first, second)


def test_another_process_goes_on_where_the_first_was(module, split):
    whole = epoch(module.InputPipeline(split), 3)
    rest = epoch(module.InputPipeline(split), 3, skip=12, batches=7)
    assert rest == whole[12:]


@pytest.mark.parametrize("workers", [2, 3])  # 4 shards: two divide them, three do not
def test_workers_share_the_images(module, split, workers):
    parts = [
        epoch(module.InputPipeline(split, worker, workers), batches=split.steps(12, workers))
        for worker in range(workers)
    ]
    everything = [image for part in parts for image in part]
    assert len(everything) == len(set(everything))
    assert sum(split.images_of(worker, workers) for worker in range(workers)) == IMAGES


def test_validation_has_every_image_once_and_fills_up(module, split):
    batches = list(module.InputPipeline(split).validation(batch=16, batches=3))
    valid = np.concatenate([valid for _, _, valid in batches])
    assert valid.tolist() == [1] * IMAGES + [0] * 8
    assert len(set(pixels(batches)[:IMAGES])) == IMAGES


def test_images_and_labels_are_those_of_the_records(module, split, dataset):
    expected = {
        np.asarray(Image.open(io.BytesIO(e.encoded))).tobytes(): e.labels.tolist()
        for e in dataset.examples("train")
    }
    found = {
        image.tobytes(): label.tolist()
        for images, labels in module.InputPipeline(split).training(
            batch=4, batches=10, seed=0, epoch=0, skip=0
        )
        for image, label in zip(images.numpy(), labels.numpy(), strict=True)
    }
    assert found == expected


def test_smaller_images_are_resized_as_inference_resizes_them(module, split):
    small = dataclasses.replace(split, image_size=16)
    (images, _, _), *_ = module.InputPipeline(small).validation(batch=4, batches=10)
    (whole, _, _), *_ = module.InputPipeline(split).validation(batch=4, batches=10)
    for image, full in zip(images.numpy(), whole.numpy(), strict=True):
        expected = Image.fromarray(full[..., 0]).resize((16, 16), Image.Resampling.BILINEAR)
        assert np.abs(image[..., 0].astype(int) - np.asarray(expected).astype(int)).max() <= 1
