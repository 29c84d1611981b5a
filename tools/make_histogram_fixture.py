"""Writes tests/data/resnet50_v2_histograms.npz: activations of ResNet-50 v2 with RANDOM weights.

python -m chexnet_trt freeze --random-weights --network resnet50_v2 -o resnet50_v2.pb
python tools/make_histogram_fixture.py resnet50_v2.pb

Needs TensorFlow, on whose rounding the file depends: after another run the thresholds recorded in
tests/python/test_entropy_peer.py must be found anew.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFilter

from chexnet_trt._core import Histogram
from chexnet_trt.preprocess import preset

FIXTURE = Path(__file__).resolve().parents[1] / "tests" / "data" / "resnet50_v2_histograms.npz"
IMAGES = 2
FILM = 1024  # pixels a side
# A signed map after pooling, two after ReLU (early, last), the residual trunk, a convolution.
VALUES = ("max_pooling2d/MaxPool", "Relu_1", "add_9", "conv2d_34/Conv2D", "Relu_48")


def draw(seed: int) -> Image.Image:
    """What the fixture was made from: a chest of a few shapes, plainer than sample-data's."""
    rng = np.random.default_rng(seed)
    film = Image.new("L", (FILM, FILM), 25)
    pen = ImageDraw.Draw(film)
    pen.rounded_rectangle((110, 60, 914, 1100), radius=260, fill=150)
    for left, right in ((210, 470), (554, 814)):
        pen.ellipse((left, 170, right, 830), fill=55)
    heart = rng.integers(-40, 40)
    pen.ellipse((420 - heart, 470 - heart, 720 + heart, 800 + heart), fill=165)
    pen.rectangle((485, 60, 540, 1024), fill=190)
    for rib in range(9):
        top = 190 + rib * 72
        pen.arc((180, top, 500, top + 170), 190, 345, fill=120, width=12)
        pen.arc((524, top, 844, top + 170), 195, 350, fill=120, width=12)
    shift = tuple(int(offset) for offset in rng.integers(-40, 40, 2))
    film = film.rotate(rng.uniform(-4, 4), translate=shift, fillcolor=25)
    pixels = np.asarray(film.filter(ImageFilter.GaussianBlur(9)), np.float32)
    pixels = pixels * rng.uniform(0.8, 1.2) + rng.normal(0, 4, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def films() -> np.ndarray:
    """float32 [IMAGES, 256, 256, 3]: synthetic films, no patient's."""
    contract = preset("imagenet-tf", 256, 256, 3)
    return np.stack([contract.apply(draw(seed), "nhwc") for seed in range(IMAGES)])


def activations(frozen: Path) -> list[np.ndarray]:
    graph = tf.compat.v1.GraphDef.FromString(frozen.read_bytes())
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(graph, name="")
        fetches = [f"resnet_model/{value}:0" for value in VALUES]
        return session.run(fetches, {"input_tensor:0": films()})


def main() -> None:
    counts = np.zeros((len(VALUES), 4096), np.uint32)
    widths = np.zeros(len(VALUES))
    for row, values in enumerate(activations(Path(sys.argv[1]))):
        histogram = Histogram()
        histogram.add(np.ascontiguousarray(values))
        counts[row, : len(histogram.counts)] = histogram.counts
        widths[row] = histogram.bin_width
    np.savez_compressed(FIXTURE, names=np.array(VALUES), widths=widths, counts=counts)


if __name__ == "__main__":
    main()
