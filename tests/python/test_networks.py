from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("tensorboard")

from chexnet_trt._core import InputError
from chexnet_trt.models import NETWORKS, build_graph, build_random_graph
from chexnet_trt.preprocess import preset
from synthetic_xray import synthetic_xray


def zeros(name, shape):
    return np.zeros(shape, np.float32)


@pytest.fixture(scope="module", params=list(NETWORKS))
def random_graph(request):
    return request.param, build_random_graph(request.param)


def by_name(graph):
    return {node.name: node for node in graph.node}


def constant(node):
    tensor = node.attr["value"].tensor
    dtype = {1: np.float32, 3: np.int32}[tensor.dtype]
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    return np.frombuffer(tensor.tensor_content, dtype).reshape(shape)


def test_resnet_has_the_official_nodes():
    graph = build_graph("resnet50_v2", zeros)
    nodes = by_name(graph)
    assert len(nodes) == len(graph.node)
    operations = Counter(node.op for node in graph.node)
    assert operations["Conv2D"] == 53
    assert operations["FusedBatchNorm"] == operations["Relu"] == 49
    assert operations["Add"] == 16
    assert operations["Pad"] == 7
    scope = "resnet_model"
    assert list(nodes[f"{scope}/conv2d/Conv2D"].input) == [
        f"{scope}/Pad",
        f"{scope}/conv2d/kernel/read",
    ]
    # The projection of the second block layer comes first, behind a Pad of zeros.
    assert nodes[f"{scope}/conv2d_11/Conv2D"].input[0] == f"{scope}/Pad_1"
    assert not constant(nodes[f"{scope}/Pad_1/paddings"]).any()
    assert constant(nodes[f"{scope}/conv2d_11/kernel"]).shape == (1, 1, 256, 512)
    assert constant(nodes[f"{scope}/conv2d_13/kernel"]).shape == (3, 3, 128, 128)
    assert constant(nodes[f"{scope}/Pad_2/paddings"]).tolist() == [[0, 0], [1, 1], [1, 1], [0, 0]]
    assert list(nodes[f"{scope}/add_1"].input) == [f"{scope}/conv2d_7/Conv2D", f"{scope}/add"]
    tail = ["Relu_48", "Mean", "final_reduce_mean", "Squeeze", "dense/MatMul"]
    for before, after in pairwise(tail):
        assert nodes[f"{scope}/{after}"].input[0] == f"{scope}/{before}"
    assert nodes["chexnet_sigmoid_tensor"].input[0] == f"{scope}/final_dense"
    assert nodes["categories"].input[0] == f"{scope}/final_dense"


def test_densenet_has_kerass_nodes():
    graph = build_graph("densenet121", zeros)
    nodes = by_name(graph)
    assert len(nodes) == len(graph.node)
    operations = Counter(node.op for node in graph.node)
    assert operations["Conv2D"] == 120
    assert operations["FusedBatchNorm"] == operations["Relu"] == 121
    assert operations["ConcatV2"] == 58
    assert operations["AvgPool"] == 3
    assert list(nodes["conv5_block16_concat/concat"].input)[:2] == [
        "conv5_block15_concat/concat",
        "conv5_block16_2_conv/Conv2D",
    ]
    assert constant(nodes["pool4_conv/kernel"]).shape == (1, 1, 1024, 512)
    assert constant(nodes["predictions/kernel"]).shape == (1024, 14)


@pytest.mark.parametrize(
    ("network", "count"), [("resnet50_v2", 23_574_478), ("densenet121", 7_051_854)]
)
def test_parameter_count(network, count):
    sizes = {}

    def source(name, shape):
        sizes[name] = math.prod(shape)
        return zeros(name, shape)

    build_graph(network, source, image_size=64)
    assert sum(sizes.values()) == count


@pytest.mark.parametrize("network", list(NETWORKS))
def test_channels_first_transposes_once_and_runs_nchw(network):
    graph = build_graph(network, zeros, data_format="channels_first")
    formats = {node.attr["data_format"].s for node in graph.node if "data_format" in node.attr}
    operations = Counter(node.op for node in graph.node)
    assert formats == {b"NCHW", b"NHWC"}
    assert {n.op for n in graph.node if n.attr["data_format"].s == b"NHWC"} == {"BiasAdd"}
    assert operations["Transpose"] == 1
    pool = next(node for node in graph.node if node.op == "MaxPool")
    assert list(pool.attr["ksize"].list.i) == [1, 1, 3, 3]
    assert [dim.size for dim in by_name(graph)["input_tensor"].attr["shape"].shape.dim] == [
        -1,
        256,
        256,
        3,
    ]


def test_weights_must_fit():
    with pytest.raises(InputError, match=r"'resnet_model/conv2d/kernel' have shape \(3,\), not"):
        build_graph("resnet50_v2", lambda name, shape: np.zeros(3, np.float32))
    with pytest.raises(InputError, match="unknown network 'vgg'"):
        build_graph("vgg", zeros)


def test_seed_decides_the_weights():
    def kernel(seed):
        graph = build_random_graph("densenet121", image_size=32, seed=seed)
        return constant(by_name(graph)["conv3_block2_1_bn/moving_mean"])

    assert np.array_equal(kernel(1), kernel(1))
    assert not np.allclose(kernel(1), kernel(2))


@pytest.mark.tensorflow
@pytest.mark.parametrize("network", list(NETWORKS))
def test_tensorflow_infers_the_shapes_of_channels_first(network):
    tf = pytest.importorskip("tensorflow")
    graph = build_graph(network, zeros, data_format="channels_first", image_size=96, num_classes=5)
    with tf.Graph().as_default() as loaded:
        tf.compat.v1.import_graph_def(
            tf.compat.v1.GraphDef.FromString(graph.SerializeToString()), name=""
        )
        scores = loaded.get_tensor_by_name("chexnet_sigmoid_tensor:0")
    assert scores.shape.as_list() == [None, 5]


@pytest.mark.tensorflow
def test_random_networks_behave_like_trained_ones(random_graph):
    tf = pytest.importorskip("tensorflow")
    network, graph = random_graph
    expected = preset(NETWORKS[network].preprocessing, 256, 256, 3)
    images = np.stack([expected.apply(synthetic_xray(seed), "nhwc") for seed in range(4)])
    blocks = [
        node.name
        for node in graph.node
        if "block_layer" in node.name or node.op in ("ConcatV2", "Add", "Mean")
    ]
    with tf.Graph().as_default() as loaded:
        tf.compat.v1.import_graph_def(
            tf.compat.v1.GraphDef.FromString(graph.SerializeToString()), name=""
        )
        with tf.compat.v1.Session(graph=loaded) as session:
            names = ["chexnet_sigmoid_tensor", "categories", *blocks]
            values = session.run([f"{name}:0" for name in names], {"input_tensor:0": images})
    scores, categories = values[:2]
    assert scores.shape == (4, 14)
    assert np.array_equal(categories, scores.argmax(axis=1))
    assert np.mean((scores > 0.02) & (scores < 0.98)) > 0.9
    logits = np.log(scores / (1 - scores))
    assert logits.std(axis=0).mean() > 0.3
    for name, value in zip(blocks, values[2:], strict=True):
        assert 0.1 < value.std() < 10, name
