"""TensorRT plans of ResNet-50 v2 and DenseNet-121 at 3x256x256, random weights, and of the real
networks of shared/models. Built without a GPU, not run.
"""

from __future__ import annotations

import zlib
from functools import cache

import pytest

pytest.importorskip("tensorboard")

from chexnet_trt import _core
from chexnet_trt import int8 as quantization
from chexnet_trt.backends import TENSORRT_PRECISIONS
from chexnet_trt.int8 import QUANTIZED
from chexnet_trt.models import NETWORKS, build_random_graph
from chexnet_trt.network import Network, read
from chexnet_trt.tensorrt import adapter
from chexnet_trt.tensorrt.options import Options
from chexnet_trt.tensorrt.plan_builder import build_plan
from chexnet_trt.tensorrt.plan_header import read_plan_header
from chexnet_trt.uff import from_tensorflow
from tensorrt_networks import needs_rtx
from test_real_models import NETWORKS as REAL
from test_real_models import OUTPUT as REAL_OUTPUT

pytestmark = needs_rtx

INPUT, SCORES = "input_tensor", "chexnet_sigmoid_tensor"
MAX_BATCH = 8
# Bytes of a plan that are judged by their first few.
BLOCK, SAMPLE = 1 << 16, 1 << 12


@cache
def network(name: str) -> Network:
    frozen = build_random_graph(name)
    parser = _core.uff.UffParser()
    parser.register_input(INPUT, [3, 256, 256])
    parser.register_output(SCORES)
    return read(parser.parse_buffer(from_tensorflow(frozen, [SCORES], quiet=True)))


def plan_of(network: Network, precision: str, *, static: bool = False) -> bytes:
    graph = network.optimized
    if precision in QUANTIZED:
        ranges = quantization.from_random(network).ranges
        graph = _core.quantize(graph, ranges, set(), signed_only=True)
    options = Options(static=static)
    return bytes(
        build_plan(
            adapter.load(adapter.RTX),
            graph,
            precision=precision,
            batches=options.batches(MAX_BATCH),
            options=options,
        )
    )


def weight_bytes(plan: bytes) -> int:
    """What does not compress; the rest of a plan is mostly the text of kernels, which is compiled
    on the device.
    """
    samples = (plan[start : start + SAMPLE] for start in range(0, len(plan), BLOCK))
    return BLOCK * sum(len(zlib.compress(part, 1)) > len(part) / 2 for part in samples)


@cache
def sizes(name: str, precision: str, static: bool) -> tuple[int, int]:
    """Of the plan, and of the weights in it."""
    plan = plan_of(network(name), precision, static=static)
    assert read_plan_header(plan).module == adapter.RTX
    return len(plan), weight_bytes(plan)


@pytest.mark.parametrize("static", [True, False], ids=["static", "dynamic"])
@pytest.mark.parametrize("name", NETWORKS)
def test_16_bits_halve_the_weights(name: str, static: bool):
    _, full = sizes(name, "fp32", static)
    for precision in ("fp16", "bf16"):
        _, weights = sizes(name, precision, static)
        assert 0.45 < weights / full < 0.55


@pytest.mark.parametrize("static", [True, False], ids=["static", "dynamic"])
@pytest.mark.parametrize("name", NETWORKS)
def test_int8_quarters_the_weights(name: str, static: bool):
    plan, weights = sizes(name, "int8", static)
    full_plan, full_weights = sizes(name, "fp32", static)
    assert weights / full_weights < 0.35
    # A DenseNet-121 in int8 has kernels of 72 shapes between its convolutions, 58 of them one for
    # each of its widths, each with 130 KB of CUDA C++ for the compiler on the device, beside 7 MB
    # of int8 weights.
    assert plan / full_plan < {"resnet50_v2": 0.31, "densenet121": 0.51}[name]


@pytest.mark.models
@pytest.mark.parametrize("precision", TENSORRT_PRECISIONS)
@pytest.mark.parametrize("file", REAL)
def test_real_networks_build(models_dir, file: str, precision: str):
    real = read(models_dir / file, inputs={"input_1": (1, 28, 28)}, outputs=[REAL_OUTPUT])
    assert read_plan_header(plan_of(real, precision)).module == adapter.RTX
