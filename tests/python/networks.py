"""A small convolution network with random weights, as hand-made files; its scores mean nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import chexnet_trt as ct
from chexnet_trt.models.numpy_layers import convolve
from chexnet_trt.uff import from_tensorflow
from chexnet_trt.uff import graph_def as tf
from graph_defs import DType, GraphMaker

INPUT, SCORES = "input_tensor", "chexnet_sigmoid_tensor"
SIZE, CHANNELS, FILTERS, CLASSES, MAX_BATCH = 8, 3, 6, 14, 4


def weights(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = {
        "kernel": (3, 3, CHANNELS, FILTERS), "scale": FILTERS, "offset": FILTERS, "mean": FILTERS,
        "variance": FILTERS, "dense": (FILTERS, CLASSES), "bias": CLASSES,
    }  # fmt: skip
    values = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    values["variance"] = np.square(values["variance"]) + np.float32(0.5)
    return values


def small_graph(seed: int = 0) -> tf.GraphDef:
    """input_tensor [?, 8, 8, 3] -> conv, batch norm, relu, max pool, mean, dense -> 14 sigmoids."""
    maker = GraphMaker()
    maker.placeholder(INPUT, (-1, SIZE, SIZE, CHANNELS))
    for name, value in weights(seed).items():
        maker.const(name, value)
    maker.node(
        "Conv2D", "conv", [INPUT, "kernel"], T=DType("float32"), strides=[1, 1, 1, 1],
        padding="SAME", data_format="NHWC",
    )  # fmt: skip
    maker.node(
        "FusedBatchNorm", "norm", ["conv", "scale", "offset", "mean", "variance"],
        T=DType("float32"), epsilon=1e-3, is_training=False, data_format="NHWC",
    )  # fmt: skip
    maker.node("Relu", "relu", ["norm"], T=DType("float32"))
    maker.node(
        "MaxPool", "pool", ["relu"], T=DType("float32"), ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1],
        padding="VALID", data_format="NHWC",
    )  # fmt: skip
    maker.const("axes", np.int32([1, 2]))
    maker.node(
        "Mean", "features", ["pool", "axes"], T=DType("float32"), Tidx=DType("int32"),
        keep_dims=False,
    )  # fmt: skip
    maker.node(
        "MatMul", "product", ["features", "dense"], T=DType("float32"), transpose_a=False,
        transpose_b=False,
    )  # fmt: skip
    maker.node("BiasAdd", "logits", ["product", "bias"], T=DType("float32"), data_format="NHWC")
    maker.node("Sigmoid", SCORES, ["logits"], T=DType("float32"))
    return maker.graph


def small_scores(images: np.ndarray, seed: int = 0) -> np.ndarray:
    """What the network computes for float32 [batch, 8, 8, 3], in NumPy."""
    w = weights(seed)
    x = convolve(images, w["kernel"], 1, "SAME")
    x = (x - w["mean"]) / np.sqrt(w["variance"] + 1e-3) * w["scale"] + w["offset"]
    x = np.maximum(x, 0).reshape(len(x), SIZE // 2, 2, SIZE // 2, 2, FILTERS).max(axis=(2, 4))
    logits = x.mean(axis=(1, 2)) @ w["dense"] + w["bias"]
    return 1 / (1 + np.exp(-logits))


def small_images(batch: int, seed: int = 0) -> np.ndarray:
    """Random float32 [batch, 3, 8, 8]: what the engine takes."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(batch, CHANNELS, SIZE, SIZE)).astype(np.float32)


def write_pb(path: Path, seed: int = 0) -> Path:
    path.write_bytes(small_graph(seed).SerializeToString())
    return path


def write_uff(path: Path, seed: int = 0) -> Path:
    path.write_bytes(from_tensorflow(small_graph(seed), [SCORES], quiet=True))
    return path


def build_small(uff_file: Path) -> ct.Engine:
    """Takes NCHW images, batches 1 to 4."""
    return ct.build(
        uff_file,
        inputs={INPUT: (CHANNELS, SIZE, SIZE)},
        outputs=[SCORES],
        max_batch=MAX_BATCH,
        preprocessing="unit",
    )
