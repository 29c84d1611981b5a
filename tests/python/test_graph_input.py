from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from chexnet_trt import InputError
from chexnet_trt.integrated.graph_input import graph_input, image_batch, random_batch
from chexnet_trt.preprocess import preset
from graph_defs import DType, GraphMaker, Shape

pytest.importorskip("tensorboard")


def graph(shape=(-1, 8, 10, 3)):
    maker = GraphMaker()
    maker.placeholder("images", shape)
    return maker.graph


@pytest.mark.parametrize(
    ("shape", "layout"),
    [((-1, 8, 10, 3), "nhwc"), ((-1, 3, 8, 10), "nchw"), ((4, 8, 10, 1), "nhwc")],
)
def test_layouts(shape, layout):
    spec = graph_input(graph(shape), "images:0", batch_size=4)
    assert (spec.name, spec.layout, spec.shape) == ("images", layout, (-1, *shape[1:]))
    assert spec.batch == (4 if shape[0] == 4 else None)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((-1, -1, -1, 3), r"of shape \[\?, \?, \?, 3\] does not say which size"),
        ((-1, 30), r"of shape \[\?, 30\] does not say"),
        ((16, 8, 10, 3), "takes batches of 16: give --batch_size=16"),
        ((-1, 8, 10, 4), "4 channels"),
    ],
)
def test_inputs_that_do_not_fit(shape, message):
    with pytest.raises(InputError, match=message):
        graph_input(graph(shape), "images", batch_size=4)


def test_an_input_that_is_not_there():
    with pytest.raises(InputError, match=r"no input 'input_tensor' \(--input_node\).*: images"):
        graph_input(graph(), "input_tensor", batch_size=1)


def test_an_input_of_bytes():
    maker = GraphMaker()
    maker.node("Placeholder", "images", dtype=DType("uint8"), shape=Shape((-1, 8, 10, 3)))
    with pytest.raises(InputError, match="'images' takes uint8; images are float32"):
        graph_input(maker.graph, "images", batch_size=1)


def test_images_are_decoded_to_the_graphs_size_and_fill_the_batch(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png"):
        pixels = rng.integers(0, 256, (31, 17, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    spec = graph_input(graph(), "images", batch_size=5)
    batch = image_batch(spec.feed("imagenet-tf"), str(tmp_path), 5)
    assert batch.shape == (5, 8, 10, 3)
    contract = preset("imagenet-tf", 10, 8, 3)
    for row, name in zip(batch, ["a.png", "b.png", "a.png", "b.png", "a.png"], strict=True):
        np.testing.assert_array_equal(row, contract.apply(tmp_path / name, "nhwc"))


def test_values_of_another_size_are_refused(tmp_path):
    """The whitepaper's script fed 224 x 224 to a network of 256 x 256."""
    np.save(tmp_path / "values.npy", np.zeros((1, 7, 10, 3), np.float32))
    spec = graph_input(graph(), "images", batch_size=1)
    with pytest.raises(
        InputError, match=r"'images' takes float32 \[8, 10, 3\], got .* \[7, 10, 3\]"
    ):
        image_batch(spec.feed("imagenet-tf"), str(tmp_path / "values.npy"), 1)


def test_random_batches_are_the_same_every_time():
    spec = graph_input(graph(), "images", batch_size=2)
    batch = random_batch(spec, 2)
    assert (batch.shape, batch.dtype) == ((2, 8, 10, 3), np.float32)
    assert 0 <= batch.min() < batch.max() < 1
    np.testing.assert_array_equal(batch, random_batch(spec, 2))
