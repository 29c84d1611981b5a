"""Writes tests/data/small_resnet_v2.uff and .f32: what TensorFlow computes of a network.

python tools/make_tensorflow_fixture.py

The network is ResNet-50 v2 with fewer and narrower blocks and RANDOM weights. The .f32 file holds
little-endian float32 numbers: IMAGES random images, NCHW 3 x SIZE x SIZE, then their 14 scores by
TensorFlow, whose rounding the file depends on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from chexnet_trt import uff
from chexnet_trt.marks import RANDOM, mark_graph_def
from chexnet_trt.models import resnet50_v2
from chexnet_trt.models.networks import INPUT, SCORES, build_random_graph
from chexnet_trt.models.random_weights import synthetic_images
from chexnet_trt.preprocess import preset

DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
NAME = "small_resnet_v2"
IMAGES = 4
SIZE = 32
BLOCKS = ((16, 2, 1), (24, 2, 2))  # as resnet50_v2.BLOCKS


def main() -> None:
    resnet50_v2.BLOCKS = BLOCKS
    graph = build_random_graph(resnet50_v2.NAME, image_size=SIZE, seed=5)
    mark_graph_def(graph, [RANDOM])
    expected = preset(resnet50_v2.PREPROCESSING, SIZE, SIZE, 3)
    images = synthetic_images(np.random.default_rng(6), IMAGES, SIZE)
    images = ((images - expected.mean) / expected.std).astype(np.float32)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        definition = tf.compat.v1.GraphDef.FromString(graph.SerializeToString())
        tf.import_graph_def(definition, name="")
        scores = session.run(f"{SCORES}:0", {f"{INPUT}:0": images})
    (DATA / f"{NAME}.uff").write_bytes(uff.from_tensorflow(graph, [SCORES], quiet=True))
    numbers = np.concatenate([images.transpose(0, 3, 1, 2).ravel(), scores.ravel()])
    numbers.astype("<f4").tofile(DATA / f"{NAME}.f32")
    print(f"{NAME}: scores", np.quantile(scores, [0, 0.1, 0.5, 0.9, 1]))


if __name__ == "__main__":
    main()
