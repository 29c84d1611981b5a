"""Small networks for int8, with random weights, and data for them; their scores mean nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import networks
from chexnet_trt import _core
from chexnet_trt.uff import from_tensorflow
from graph_defs import DType, GraphMaker, Shape

NETWORK: dict[str, Any] = {
    "inputs": {networks.INPUT: (networks.CHANNELS, networks.SIZE, networks.SIZE)},
    "outputs": [networks.SCORES],
    "preprocessing": "unit",
}

needs_int8 = pytest.mark.skipif(
    "int8" not in _core.device_precisions("openvino"), reason="this CPU computes no int8 exactly"
)
needs_mixed = pytest.mark.skipif(
    "mixed" not in _core.device_precisions("openvino"), reason="this CPU has no bf16 beside int8"
)


def pixels(count: int, size: int = networks.SIZE, seed: int = 0) -> np.ndarray:
    """Random uint8 [count, size, size, 3]."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, size, size, networks.CHANNELS), np.uint8)


def write_chain(
    path: Path,
    *,
    layers: int = 3,
    size: int = networks.SIZE,
    filters: int = 8,
    outlier: float = 1,
    batch: int = -1,
    element: str = "float32",
) -> Path:
    """conv_0 ... conv_(layers - 1), each 3x3 with ReLU, then mean, dense, sigmoid.

    Channel 0 of conv_0 is `outlier` times as large as the others, and conv_1 does not use it: with
    a large outlier int8 leaves nothing of the channels that conv_1 does use.
    """
    rng = np.random.default_rng(1)
    maker = GraphMaker()
    value = maker.node(
        "Placeholder", networks.INPUT, dtype=DType(element),
        shape=Shape((batch, size, size, networks.CHANNELS)),
    )  # fmt: skip
    channels = networks.CHANNELS
    for index in range(layers):
        weights = rng.normal(0, (2 / (9 * channels)) ** 0.5, (3, 3, channels, filters))
        if index == 0:
            weights[..., 0] = abs(weights[..., 0]) * outlier
        if index == 1:
            weights[:, :, 0] = 0
        kernel = maker.const(f"kernel_{index}", weights.astype(element))
        maker.node(
            "Conv2D", f"conv_{index}", [value, kernel], T=DType(element), strides=[1, 1, 1, 1],
            padding="SAME", data_format="NHWC",
        )  # fmt: skip
        value = maker.node("Relu", f"relu_{index}", [f"conv_{index}"], T=DType(element))
        channels = filters
    maker.const("axes", np.int32([1, 2]))
    maker.node(
        "Mean", "features", [value, "axes"], T=DType(element), Tidx=DType("int32"),
        keep_dims=False,
    )  # fmt: skip
    maker.const("dense", rng.normal(0, 4, (filters, networks.CLASSES)).astype(element))
    maker.node(
        "MatMul", "product", ["features", "dense"], T=DType(element), transpose_a=False,
        transpose_b=False,
    )  # fmt: skip
    maker.node("Sigmoid", networks.SCORES, ["product"], T=DType(element))
    path.write_bytes(from_tensorflow(maker.graph, [networks.SCORES], quiet=True))
    return path
