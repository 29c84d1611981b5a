"""Graphs with engines compute what TensorFlow computes."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from chexnet_trt._core import BackendError, InputError

tf = pytest.importorskip("tensorflow")
pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("op_library")]

import random_graphs  # noqa: E402
from chexnet_trt.integrated import (  # noqa: E402
    conversion,
    create_inference_graph,
    fallback_calls,
)
from chexnet_trt.integrated.conversion import Settings, build, divide  # noqa: E402
from chexnet_trt.integrated.engines import EngineError, build_engine  # noqa: E402
from chexnet_trt.models import build_graph  # noqa: E402
from tensorflow_graphs import graph_of, ops, random_images, run, v1  # noqa: E402
from trained_models import SIZE, films, random_values  # noqa: E402

WEIGHTS = random_images(0, 8, 8)


def dense(x):
    return tf.nn.relu(tf.matmul(x, WEIGHTS) + 1.0)


def converted(graph, outputs, **options):
    options = {"max_batch_size": 4, "minimum_segment_size": 1} | options
    return create_inference_graph(graph, outputs, **options)


def check(graph, outputs, feed, **options):
    """Converts; every output is within 1e-4 of TensorFlow's. Returns the graph with engines."""
    result = converted(graph, outputs, **options)
    for expected, actual in zip(run(graph, outputs, feed), run(result, outputs, feed), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)
        assert actual.dtype == expected.dtype
    return result


@pytest.mark.parametrize("network", ["resnet50_v2", "densenet121"])
def test_a_whole_network_is_one_engine(network):
    """Random weights. Nothing of the network is left to TensorFlow, `categories` included."""
    values = random_values(network)
    graph = build_graph(network, lambda name, _: values[name], image_size=SIZE, num_classes=14)
    graph = v1.GraphDef.FromString(graph.SerializeToString())
    outputs = ["chexnet_sigmoid_tensor", "categories"]
    feed = {"input_tensor:0": films(network)}
    result = check(graph, outputs, feed, max_batch_size=3)
    assert ops(result) == ["ChexnetTrtEngine", "Identity", "Identity"]
    assert "Const" not in {node.op for node in result.node}


@pytest.mark.parametrize(
    "middle",
    [
        lambda x: tf.math.top_k(x, 8)[0],
        lambda x: tf.where(x > 0.5, x, tf.zeros_like(x)),
        lambda x: tf.strings.to_number(tf.strings.as_string(x, precision=6)),
    ],
    ids=["top_k", "where", "text"],
)
def test_an_op_in_the_middle_that_engines_have_not(middle):
    graph = graph_of(lambda x: tf.sigmoid(dense(middle(dense(x))), name="y"), [None, 8])
    result = check(graph, ["y"], {"x0:0": random_images(1, 3, 8)})
    assert ops(result).count("ChexnetTrtEngine") == 2


def test_a_tail_that_engines_have_not():
    graph = graph_of(lambda x: tf.math.top_k(dense(x), 2, name="best"), [None, 8])
    result = check(graph, ["best"], {"x0:0": random_images(1, 3, 8)})
    assert ops(result) == ["ChexnetTrtEngine", "TopKV2"]


def test_both_outputs_of_an_op_and_an_engine_with_two():
    def build(x):
        values, indices = tf.math.top_k(dense(x), 8)
        tf.tanh(values * 2.0, name="a")
        y = dense(values + tf.cast(indices, tf.float32))
        tf.nn.softmax(y, name="b")
        tf.reduce_sum(y, 1, name="c")

    result = check(graph_of(build, [None, 8]), ["a", "b", "c"], {"x0:0": random_images(1, 4, 8)})
    assert ops(result).count("ChexnetTrtEngine") == 3


def test_branches_over_a_native_node_and_beside_it():
    def build(x, y):
        a, b = dense(x), dense(y)
        tf.identity(tf.concat([tf.cumsum(a, 1), a + b], 1) * 0.5, name="out")

    feed = {"x0:0": random_images(1, 2, 8), "x1:0": random_images(2, 2, 8)}
    result = check(graph_of(build, [None, 8], [None, 8]), ["out"], feed)
    assert ops(result).count("ChexnetTrtEngine") == 2


def test_an_engine_waits_for_what_its_nodes_waited_for():
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 8], "x0")
        with tf.control_dependencies([v1.assert_greater(x, -100.0)]):
            y = dense(tf.identity(x))
        tf.tanh(y, name="y")
    result = check(graph.as_graph_def(), ["y"], {"x0:0": random_images(1, 2, 8)})
    (engine,) = (node for node in result.node if node.op == "ChexnetTrtEngine")
    assert any(name.startswith("^assert_greater") for name in engine.input)
    with pytest.raises(tf.errors.InvalidArgumentError, match="assert"):
        run(result, ["y"], {"x0:0": np.full([2, 8], -200, np.float32)})


def test_what_waits_for_a_node_of_an_engine_waits_for_the_engine():
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 8], "x0")
        with tf.control_dependencies([dense(x)]):
            tf.cumsum(x, 1, name="y")
    result = check(graph.as_graph_def(), ["y"], {"x0:0": random_images(1, 2, 8)})
    (axis,) = (node for node in result.node if node.name == "y/axis")
    assert axis.input == ["^ChexnetTrtEngine_0"]


def test_images_that_the_graph_decodes():
    """Files in, whose number no shape tells; one engine behind the decoding."""
    kernel = random_images(0, 3, 3, 3, 4)

    def decoded(content):
        image = tf.cast(tf.io.decode_png(content, channels=3), tf.float32)
        return tf.ensure_shape(tf.image.resize(image, [16, 16]), [16, 16, 3]) / 255.0

    with tf.Graph().as_default() as graph:
        files = v1.placeholder(tf.string, [None], "files")
        images = tf.map_fn(decoded, files, fn_output_signature=tf.float32)
        x = tf.nn.relu(tf.nn.conv2d(images, kernel, 1, "SAME"))
        tf.sigmoid(tf.reduce_mean(x, [1, 2]), name="y")
    pixels = np.random.default_rng(0).integers(0, 256, [3, 20, 24, 3], np.uint8)
    contents = np.array([tf.io.encode_png(each).numpy() for each in pixels])
    result = check(graph.as_graph_def(), ["y"], {"files:0": contents})
    assert ops(result).count("ChexnetTrtEngine") == 1
    assert {"Conv2D", "Relu", "Mean", "Sigmoid"}.isdisjoint(ops(result))


def test_a_fixed_batch():
    graph = graph_of(lambda x: tf.reshape(dense(x), [2, 4, 2], name="y"), [2, 8])
    check(graph, ["y"], {"x0:0": random_images(1, 2, 8)})
    with pytest.raises(InputError, match=r"the graph's batch is 2.*give max_batch_size 2"):
        converted(graph, ["y"], max_batch_size=1)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(random_graphs.recipes())
def test_random_graphs(rows):
    """No cycle, as TensorFlow imports the result, and the same values."""
    graph, inputs, outputs = random_graphs.build(rows)
    feed = {f"{x}:0": random_images(i, 3, random_graphs.WIDTH) for i, x in enumerate(inputs)}
    check(graph, outputs, feed)


def test_eight_threads_in_one_session():
    graph = graph_of(lambda x: tf.tanh(tf.cumsum(dense(x), 1), name="y"), [None, 8])
    images = [random_images(seed, seed % 4 + 1, 8) for seed in range(24)]
    expected = [run(graph, ["y"], {"x0:0": batch})[0] for batch in images]
    with tf.Graph().as_default() as imported:
        v1.import_graph_def(converted(graph, ["y"]), name="")
        with v1.Session(graph=imported) as session, ThreadPoolExecutor(8) as pool:
            actual = list(pool.map(lambda batch: session.run("y:0", {"x0:0": batch}), images))
    for one, other in zip(expected, actual, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-4)


def test_a_larger_batch_is_an_error_or_falls_back():
    graph = graph_of(lambda x: tf.tanh(dense(x), name="y"), [None, 8])
    feed = {"x0:0": random_images(1, 5, 8)}
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"batch 5 is above the engine's 4"):
        run(converted(graph, ["y"]), ["y"], feed)
    before = fallback_calls()
    check(graph, ["y"], feed, fallback=True)
    assert fallback_calls() == before + 1


def test_an_engine_that_cannot_be_built_is_an_error_or_stays_in_tensorflow(monkeypatch, caplog):
    """The other segment gets an output more, which the nodes in TensorFlow read."""

    def refuse(segment, network, **options):
        if segment.name.endswith("_1"):
            raise EngineError(segment, "no memory")
        return build_engine(segment, network, **options)

    def make(x):
        y = dense(x)
        tf.tanh(dense(tf.cumsum(y, 1)) * y, name="y")

    monkeypatch.setattr(conversion, "build_engine", refuse)
    graph, feed = graph_of(make, [None, 8]), {"x0:0": random_images(1, 2, 8)}
    with pytest.raises(BackendError, match=r"5 nodes 'MatMul_1' ... 'y': no memory"):
        converted(graph, ["y"])
    with caplog.at_level(logging.WARNING, "chexnet_trt"):
        result = check(graph, ["y"], feed, fallback=True)
    assert "no memory; TensorFlow computes them" in caplog.text
    assert ops(result).count("ChexnetTrtEngine") == 1


def test_the_graph_is_not_changed_and_engines_are_not_built_twice():
    graph = graph_of(lambda x: tf.tanh(dense(x), name="y"), [None, 8])
    before = graph.SerializeToString()
    result = converted(graph, ["y"])
    assert graph.SerializeToString() == before
    again = create_inference_graph(result, ["y"], minimum_segment_size=1)
    assert ops(again) == ops(result) == ["ChexnetTrtEngine", "Identity"]


def test_the_report_says_what_was_built(caplog):
    graph = graph_of(lambda x: tf.tanh(tf.cumsum(dense(x), 1), name="y"), [None, 8])
    with caplog.at_level(logging.INFO, "chexnet_trt"):
        report = build(divide(graph, ["y"], 2), Settings(max_batch=3)).report
    assert report.to_text() in caplog.text
    (row,) = report.segments
    assert (row.nodes, row.precision, row.max_batch) == (3, "fp32", 3)


def test_arguments(caplog):
    graph = graph_of(lambda x: tf.tanh(x, name="y"), [None, 8])
    with caplog.at_level(logging.INFO, "chexnet_trt"):
        converted(graph, ["y"], max_workspace_size_bytes=1 << 31, is_dynamic_op=True)
    assert "max_workspace_size_bytes has no effect: engines take" in caplog.text
    assert "is_dynamic_op has no effect" in caplog.text
    for options, message in [
        ({"precision_mode": "int4"}, "'INT4': expected FP32, FP16, INT8"),
        ({"max_batch_size": 0}, "max_batch 0"),
        ({"precision_mode": "int8", "use_calibration": False}, "needs its calibration"),
        ({"input_saved_model_dir": "x"}, "not both"),
        ({"output_saved_model_dir": "x"}, "needs the signature"),
    ]:
        with pytest.raises(InputError, match=message):
            converted(graph, ["y"], **options)
    with pytest.raises(InputError, match="name the outputs"):
        create_inference_graph(graph, None)
    with pytest.raises(InputError, match="give input_graph_def or input_saved_model_dir"):
        create_inference_graph(None, None)
