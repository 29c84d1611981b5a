"""What TensorRT networks mean, proved without executing them: each is read back, through the read
API alone, into a Graph that the CPU engine runs (tensorrt_readback.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import networks
from chexnet_trt import _core
from chexnet_trt.models import NETWORKS, build_random_graph
from chexnet_trt.preprocess import preset
from chexnet_trt.uff import from_tensorflow
from int8_networks import needs_int8
from one_op_graphs import CASES, ELSEWHERE, Case
from random_core_graphs import RandomGraph
from synthetic_xray import synthetic_xray
from tensorrt_networks import computed, needs_rtx, network_of, run
from tensorrt_readback import read_back

pytestmark = needs_rtx
TOLERANCE = 1e-5
INPUT, SCORES = "input_tensor", "chexnet_sigmoid_tensor"
LOGITS = {"resnet50_v2": "resnet_model/dense/BiasAdd", "densenet121": "predictions/BiasAdd"}


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name].shape == value.shape
        assert found[name].dtype == value.dtype
        np.testing.assert_allclose(found[name], value, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.op}-{case.name}")
def test_one_op(case: Case) -> None:
    """With a dynamic batch at two sizes, and static."""
    graph = case.graph()
    dynamic = network_of(graph)
    for batch in (1, 3):
        expected = run(graph, case.feeds(batch), batch)
        assert_same(computed(dynamic, case.feeds(batch), batch), expected)
    assert_same(computed(network_of(graph, batch=3), case.feeds(), 3), expected)


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.op in ("lrn", "pad", "slice")], ids=lambda case: case.op
)
def test_layers_have_types_that_the_reference_names(case: Case, precision: str) -> None:
    """tensorrt_rtx takes more than NVIDIA's reference says of the others."""
    built = network_of(case.graph(), precision)
    assert {layer.get_output(0).dtype.name for layer in built.layers("LRN")} <= {"FLOAT"}
    for layer in built.layers("SLICE"):
        filled = layer.mode.name == "FILL"
        assert filled == (case.op == "pad" and case.name != "none")
        assert not filled or layer.get_output(0).dtype.name not in ("BF16", "INT64")


def test_every_op_has_a_case() -> None:
    assert {case.op for case in CASES} | ELSEWHERE == set(_core.op_names())


@pytest.mark.parametrize("seed", range(40))
def test_ops_in_a_row(seed: int) -> None:
    """Where layouts change and values meet that have different ones."""
    drawn = RandomGraph(seed)
    feeds = drawn.feeds(2)
    expected = run(drawn.graph, feeds, 2)
    found = computed(network_of(drawn.graph), feeds, 2)
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=10 * TOLERANCE, atol=TOLERANCE)


# One wrong thing each, of those that a lowering gets wrong; the shapes stay as they are.
MISTAKES: dict[str, tuple[str, str, Callable[[Any], None]]] = {
    "odd padding at the beginning": ("conv2d-same_nhwc", "CONVOLUTION", lambda layer: (
        setattr(layer, "pre_padding", (1, 1)), setattr(layer, "post_padding", (1, 0)))),
    "a weight": ("conv2d-static_batch", "CONVOLUTION", lambda layer: setattr(
        layer, "kernel", layer.kernel + np.eye(1, layer.kernel.size, dtype="f4")[0])),
    "padding counted": ("average_pool-padded_nchw", "POOLING", lambda layer: setattr(
        layer, "average_count_excludes_padding", False)),
    "maximum for average": ("average_pool-remainder", "POOLING", lambda layer: setattr(
        layer, "type", type(layer.type).MAX)),
    "alpha of elu": ("activation-elu", "ACTIVATION", lambda layer: setattr(layer, "alpha", 0.5)),
    "beta of softplus": ("activation-softplus", "ACTIVATION", lambda layer: setattr(
        layer, "beta", 0.5)),
    "alpha of lrn": ("lrn-nchw", "LRN", lambda layer: setattr(
        layer, "alpha", layer.alpha / layer.window_size)),
    "another sum": ("reduce-mean_12", "REDUCE", lambda layer: setattr(
        layer, "op", type(layer.op).SUM)),
    "a minimum": ("arg_max-axis_3", "TOPK", lambda layer: setattr(layer, "op", type(layer.op).MIN)),
    "operands swapped": ("binary-sub_two", "ELEMENTWISE", lambda layer: layer.set_input(
        1, layer.get_input(0))),
    "another operation": ("binary-add_right", "ELEMENTWISE", lambda layer: setattr(
        layer, "op", type(layer.op).PROD)),
    "another function": ("unary-sin", "UNARY", lambda layer: setattr(
        layer, "op", type(layer.op).COS)),
    "one row later": ("slice-strided", "SLICE", lambda layer: setattr(
        layer, "start", (0, 0, 0, 2))),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_seen(mistake: str) -> None:
    name, kind, make = MISTAKES[mistake]
    (case,) = (case for case in CASES if f"{case.op}-{case.name}" == name)
    graph = case.graph()
    built = network_of(graph)
    expected = run(graph, case.feeds(), 3)
    assert_same(computed(built, case.feeds(), 3), expected)
    make(built.layers(kind)[0])
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_same(computed(built, case.feeds(), 3), expected)


# Whole networks.


@pytest.fixture(scope="module", params=list(NETWORKS))
def chexnet(request: pytest.FixtureRequest) -> _core.Graph:
    """At 3x256x256 with random weights, optimised: scores, logits and categories."""
    pytest.importorskip("tensorboard")
    graph = build_random_graph(request.param)
    outputs = [SCORES, "categories", LOGITS[request.param]]
    parser = _core.uff.UffParser()
    parser.register_input(INPUT, [3, 256, 256])
    return _core.optimize(parser.parse_buffer(from_tensorflow(graph, outputs, quiet=True)))[0]


def films(graph: _core.Graph, count: int) -> dict[str, np.ndarray]:
    outputs = {name for name, _ in graph.outputs}
    (name,) = (key for key, logits in LOGITS.items() if logits in outputs)
    values = preset(NETWORKS[name].preprocessing, 256, 256, 3)
    return {INPUT: np.stack([values.apply(synthetic_xray(seed), "nchw") for seed in range(count)])}


def test_chexnet_in_fp32(chexnet: _core.Graph) -> None:
    feeds = films(chexnet, 2)
    expected = run(chexnet, feeds, 2)
    assert expected[SCORES].std() > 0.01
    assert_same(computed(network_of(chexnet), feeds, 2), expected)


def test_chexnet_with_maps(chexnet: _core.Graph) -> None:
    graph = _core.add_class_activation(chexnet)
    feeds = films(chexnet, 2)
    found = computed(network_of(graph), feeds, 2)
    assert found[_core.CLASS_ACTIVATION_OUTPUT].shape[:2] == (2, 14)
    assert_same(found, run(graph, feeds, 2))


def test_chexnet_of_bytes(chexnet: _core.Graph) -> None:
    """With the preprocessing inside; a static batch, too."""
    graph = _core.optimize(_core.embed_preprocessing(chexnet, [123.7, 116.8, 103.9], [1, 2, 3]))[0]
    pixels = np.stack([synthetic_xray(seed) for seed in range(2)])
    feeds = {INPUT: np.repeat(pixels[:, None], 3, axis=1)}
    expected = run(graph, feeds, 2)
    assert_same(computed(network_of(graph, batch=2), feeds, 2), expected)


def rounded(array: np.ndarray, precision: str) -> np.ndarray:
    if precision == "fp16":
        return array.astype(np.float16).astype(np.float32)
    bits = array.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


def with_rounded_constants(graph: _core.Graph, precision: str) -> _core.Graph:
    builder = _core.GraphBuilder()
    for node in graph.nodes:
        attributes = node.attributes
        if node.op == "constant" and node.element_type == "float32":
            attributes = {"value": rounded(node.value, precision)}
        builder.add(node.op, node.name, [source.name for source in node.inputs], attributes)
    for name, node in graph.outputs:
        builder.add_output(name, node.name)
    return builder.finish()


@pytest.mark.parametrize(("precision", "element"), [("fp16", "HALF"), ("bf16", "BF16")])
def test_chexnet_in_half(chexnet: _core.Graph, precision: str, element: str) -> None:
    """It is the network of the rounded weights, and everything within is of the type asked for."""
    feeds = films(chexnet, 1)
    expected = run(with_rounded_constants(chexnet, precision), feeds)
    built = network_of(chexnet, precision)
    assert_same(computed(built, feeds, 1, widened=True), expected)
    kinds = {}
    for index in range(built.network.num_layers):
        layer = built.network.get_layer(index)
        kinds[layer.type.name] = kinds.get(layer.type.name, set()) | {
            layer.get_output(0).dtype.name
        }
    assert kinds["CONVOLUTION"] == kinds["ACTIVATION"] - {"FLOAT"} == {element}
    outputs = map(built.network.get_output, range(built.network.num_outputs))
    assert {output.dtype.name for output in outputs} == {"FLOAT", "INT64"}


def dequantized(node: _core.Node) -> _core.Node | None:
    """The dequantize that a value comes from by casts, reshapes and the like."""
    while len(node.inputs) == 1:
        node = node.inputs[0]
    return node if node.op == "dequantize" else None


def scales(graph: _core.Graph) -> dict[str, tuple[bytes, ...]]:
    """For every convolution and matmul in int8: the bits of its input's scale, of its weights'
    scales and of its weights, [..., input channels, output channels].
    """
    found = {}
    for node in graph.nodes:
        if node.op not in ("conv2d", "matmul"):
            continue
        source, weights = map(dequantized, node.inputs)
        if source is None or weights is None:
            continue
        stored = weights.inputs[0].value
        if node.attributes.get("transpose_b"):
            stored = stored.T
        found[node.name] = (
            source.inputs[1].value.tobytes(),
            weights.inputs[1].value.tobytes(),
            stored.tobytes(),
        )
    return found


def quantized(graph: _core.Graph) -> _core.Graph:
    """With ranges drawn at random, which prove as much as calibrated ones do."""
    rng = np.random.default_rng(1)
    points = _core.quantization_points(graph, set(), signed_only=True)
    ranges = {name: float(rng.uniform(1, 8)) for name, _, _ in points}
    return _core.quantize(graph, ranges, set(), signed_only=True)


def quantize_scales(graph: _core.Graph) -> dict[tuple[str, str], bytes]:
    """Of activations, by op and int8 value."""
    return {
        (node.op, (node if node.op == "quantize" else node.inputs[0]).name): node.inputs[
            1
        ].value.tobytes()
        for node in graph.nodes
        if node.op in ("quantize", "dequantize") and node.inputs[0].op != "constant"
    }


@pytest.mark.parametrize("precision", ["int8", "mixed"])
def test_chexnet_in_int8(chexnet: _core.Graph, precision: str) -> None:
    """Scales and weights are equal bit for bit."""
    graph = quantized(chexnet)
    built = network_of(graph, precision)
    found = read_back(built.api.trt, built.network, widened=True)
    assert len(scales(graph)) > 50
    assert scales(found) == scales(graph)
    assert quantize_scales(found) == quantize_scales(graph)


@needs_int8
def test_chexnet_computes_the_same_in_int8(chexnet: _core.Graph) -> None:
    graph, feeds = quantized(chexnet), films(chexnet, 1)
    assert_same(computed(network_of(graph, "int8"), feeds, 1), run(graph, feeds))


def test_a_wrong_scale_is_seen(chexnet: _core.Graph) -> None:
    graph = quantized(chexnet)
    built = network_of(graph, "int8")
    scale = built.layers("QUANTIZE")[0].get_input(1).name
    (layer,) = (layer for layer in built.layers("CONSTANT") if layer.get_output(0).name == scale)
    layer.weights = np.nextafter(layer.weights, np.float32(1))
    assert quantize_scales(read_back(built.api.trt, built.network)) != quantize_scales(graph)


REAL = ["zhucheng725-lenet5/lenet5.uff", "allarobot-lenet5/lenet5.uff",
        "xuansan915-mnist/model.uff", "xuansan915-mnist/dot.uff",
        "grumperka-lenet5/lenet5.uff"]  # fmt: skip


@pytest.mark.models
@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize("name", REAL)
def test_real_networks(models_dir: Any, name: str, order: str) -> None:
    parser = _core.uff.UffParser()
    size = [1, 28, 28] if order == "NCHW" else [28, 28, 1]
    parser.register_input("input_1", size, getattr(_core.uff.UffInputOrder, order))
    graph = _core.optimize(parser.parse(str(models_dir / name)))[0]
    feeds = {"input_1": np.random.default_rng(3).uniform(0, 1, (2, *size)).astype("f4")}
    assert_same(computed(network_of(graph), feeds, 2), run(graph, feeds, 2))
    int8 = quantized(graph)
    built = network_of(int8, "int8")
    found = read_back(built.api.trt, built.network, 2)
    assert len(scales(int8)) >= 2
    assert scales(found) == scales(int8)
    assert quantize_scales(found) == quantize_scales(int8)


def test_the_unoptimised_network(small_uff: Any) -> None:
    parser = _core.uff.UffParser()
    parser.register_input(networks.INPUT, [networks.CHANNELS, networks.SIZE, networks.SIZE])
    graph = parser.parse(str(small_uff))
    feeds = {networks.INPUT: networks.small_images(3)}
    assert_same(computed(network_of(graph), feeds, 3), run(graph, feeds, 3))
