"""Which nodes become engines, and the reasons for the others."""

from __future__ import annotations

import json

import numpy as np
import pytest

from chexnet_trt._core import InputError

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.tensorflow

from chexnet_trt.integrated.conversion import divide  # noqa: E402
from chexnet_trt.integrated.report import make_report  # noqa: E402
from tensorflow_graphs import graph_of, v1  # noqa: E402

WEIGHTS = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)


def dense(x):
    return tf.nn.relu(tf.matmul(x, WEIGHTS) + 1.0)


def divided(build, outputs, *shapes, minimum=1):
    return divide(graph_of(build, *shapes), outputs, minimum).segmentation


def reasons(build, outputs, *shapes, minimum=1):
    return dict(divided(build, outputs, *shapes, minimum=minimum).left_out)


def reason(build, shape=(None, 8)):
    """Why the node called 'y' is left out."""
    return reasons(build, ["y"], shape)["y"]


def members(segmentation):
    return [sorted(each.members) for each in segmentation.segments]


def test_an_op_in_the_middle_splits():
    def build(x):
        y, _ = tf.math.top_k(dense(x), 8, name="middle")
        tf.tanh(dense(y), name="y")

    found = divided(build, ["y"], [None, 8])
    assert members(found) == [["MatMul", "Relu", "add"], ["MatMul_1", "Relu_1", "add_1", "y"]]
    first, second = found.segments
    assert first.subgraph.inputs == {"x0": "x0:0"}
    assert first.subgraph.outputs == ("Relu",)
    assert second.subgraph.inputs == {"middle": "middle:0"}
    assert second.subgraph.outputs == ("y",)
    assert found.left_out == {"middle": "the operation is not known here"}


def test_a_constant_that_two_engines_read_is_in_both():
    def build(x):
        shared = tf.constant(WEIGHTS, name="shared")
        y = tf.cumsum(tf.matmul(x, shared), 1)
        tf.matmul(y, shared, name="y")

    found = divided(build, ["y"], [None, 8])
    assert members(found) == [["MatMul"], ["y"]]
    for each in found.segments:
        assert "shared" in {node.name for node in each.subgraph.graph.node}
    assert "shared" not in found.native


def test_constants_computed_from_constants_and_shapes_are_parameters():
    def build(x):
        scale = tf.math.rsqrt(tf.constant([1.0, 4.0] * 4) + 0.5, name="scale")
        y = tf.reshape(x * scale, [tf.shape(x)[0], 2, 4])
        tf.reshape(y, [-1, 8], name="y")

    found = divided(build, ["y"], [None, 8])
    assert members(found) == [["Reshape", "mul", "y"]]
    assert found.left_out == {}


def test_a_constant_that_only_tensorflow_can_compute_is_computed_beforehand():
    """Keras reshapes the bias of a convolution; the converter takes a constant alone."""

    def build(x):
        bias = tf.squeeze(tf.reshape(tf.constant(np.arange(8.0, dtype="f4")), [1, 8]), [0])
        tf.nn.bias_add(x, bias, name="y")

    found = divided(build, ["y"], [None, 8])
    assert members(found) == [["y"]]
    (value,) = (node for node in found.flow.graph.node if node.op == "Const")
    np.testing.assert_array_equal(tf.make_ndarray(value.attr["value"].tensor), np.arange(8))


def test_identities_of_several_tensors_do_not_split():
    """Keras wraps its activations in them; one that is an output stays."""

    def build(x):
        a, b = tf.raw_ops.IdentityN(input=[tf.nn.relu(x), x])
        tf.raw_ops.IdentityN(input=[tf.tanh(a) * b, b], name="y")

    found = divided(build, ["y", "y:1"], [None, 8])
    assert [set(each.ops) for each in found.segments] == [{"Relu", "Tanh", "Mul"}]
    assert found.left_out == {"y": "the operation is not known here"}


def test_waiting_for_constants_is_no_waiting():
    """TensorFlow 2 lets a function's outputs wait for all that it has read."""

    def build(x):
        with tf.control_dependencies([tf.identity(tf.constant(WEIGHTS))]):
            ready = tf.no_op()
        with tf.control_dependencies([ready]):
            tf.nn.relu(x, name="y")

    found = divided(build, ["y"], [None, 8])
    assert found.segments[0].controls == ()
    assert found.native == {"x0"}


def test_a_shape_that_tensorflow_reads_too_stays_there_as_well():
    def build(x):
        size = tf.shape(x, name="size")
        tf.reshape(tf.nn.relu(x), [size[0], 2, 4], name="y")
        tf.cast(size, tf.float32, name="z")

    found = divided(build, ["y", "z"], [None, 8])
    assert members(found) == [["Relu", "y"]]
    assert set(found.left_out) == {"size", "z"}


def test_control_edges_are_kept_and_separate():
    """b waits for the native node, which waits for a: the two cannot be one engine."""

    def build(x):
        a = tf.nn.relu(x, name="a")
        with tf.control_dependencies([a]):
            native = tf.cumsum(x, name="native")
        with tf.control_dependencies([native]):
            tf.tanh(a, name="y")

    found = divided(build, ["y"], [None, 8])
    assert members(found) == [["a"], ["y"]]
    assert [each.controls for each in found.segments] == [(), ("native",)]


def test_small_segments_are_left_out():
    def build(x):
        tf.nn.relu(tf.identity(tf.nn.relu(tf.cumsum(dense(x), 1))), name="y")

    found = divided(build, ["y"], [None, 8], minimum=3)
    assert members(found) == [["MatMul", "Relu", "add"]]
    assert (
        found.left_out["y"] == "2 nodes here could be an engine, below the minimum_segment_size 3"
    )


@pytest.mark.parametrize(
    ("build", "shape", "said"),
    [
        (lambda x: tf.math.erf(x, name="y"), [None, 8], "the operation is not known here"),
        (lambda x: tf.nn.relu(x, name="y"), [None, None], "float32 [batch, ?], whose size is not"),
        (lambda x: tf.reduce_mean(x, 0, name="y"), [None, 8], "[8], has no batch in front"),
        (lambda x: tf.cast(x, tf.int32, name="y"), [None, 8], "int32 [batch, 8]: engines compute"),
        (lambda x: tf.nn.relu(tf.cast(x, tf.float64), name="y"), [None, 8], "float64 [batch, 8]"),
        (lambda x: tf.nn.relu(tf.unique(x[:, 0])[0], name="y"), [None, 8], "without the batch"),
        (lambda x: tf.add(x, tf.random.uniform([8]), name="y"), [None, 8], "RandomUniform"),
        (lambda x: tf.argmax(x, 1, output_type=tf.int32, name="y"), [None, 8], "an engine would"),
        (lambda x: tf.add(x, tf.reduce_mean(x, 0), name="y"), [None, 8], "'Mean:0' of Mean"),
        (lambda x: tf.transpose(x, name="y"), [None, 8], "has no batch in front"),
        (lambda x: tf.gather(x, [0], batch_dims=0, name="y"), [None, 8], "has no batch in front"),
    ],
)  # fmt: skip
def test_why_a_node_is_left_out(build, shape, said):
    assert said in reason(build, shape)


def test_a_later_output_that_is_read():
    def build(x):
        y, mean, _ = v1.nn.fused_batch_norm(
            x, [1.0] * 3, [0.0] * 3, [0.5] * 3, [1.0] * 3, is_training=False
        )
        tf.nn.relu(y, name="y")
        tf.identity(mean, name="mean")

    assert "output 1 is read" in reasons(build, ["y", "mean"], [None, 4, 4, 3])["FusedBatchNormV3"]


@pytest.fixture
def control_flow_of_1():
    v1.disable_control_flow_v2()
    yield
    v1.enable_control_flow_v2()


@pytest.mark.usefixtures("control_flow_of_1")
def test_branches_are_left_to_tensorflow_and_what_follows_is_not():
    def build(x):
        y = v1.cond(tf.reduce_sum(x) > 0, lambda: tf.tanh(tf.nn.relu(x)), lambda: x)
        tf.sigmoid(tf.matmul(y, WEIGHTS), name="y")

    found = divided(build, ["y"], [None, 8])
    assert [dict(each.ops) for each in found.segments] == [{"MatMul": 1, "Sigmoid": 1}]
    assert "it is in a branch or loop of TensorFlow 1" in found.left_out["cond/Tanh"]


@pytest.mark.usefixtures("control_flow_of_1")
def test_loops_are_left_to_tensorflow():
    """What follows runs once, but TensorFlow does not know its shape."""

    def build(x):
        _, y = v1.while_loop(
            lambda i, _: i < 3,
            lambda i, value: (i + 1, v1.cond(i > 0, lambda: tf.tanh(value), lambda: value)),
            (tf.constant(0), tf.nn.relu(x)),
        )
        tf.sigmoid(tf.matmul(y, WEIGHTS), name="y")

    found = divided(build, ["y"], [None, 8])
    assert members(found) == [["Relu"]]
    assert {"while/Merge_1", "while/cond/Tanh"} <= found.flow.conditional
    assert {"Relu", "while/Exit_1", "MatMul"}.isdisjoint(found.flow.conditional)
    assert "float32 [...]: computed, and without the batch" in found.left_out["MatMul"]


def test_functions_are_left_to_tensorflow():
    def build(x):
        y = v1.cond(tf.reduce_sum(x) > 0, lambda: dense(x), lambda: x)
        tf.nn.relu(y, name="y")

    found = divided(build, ["y"], [None, 8])
    assert "If" in {found.flow.nodes[name].op.removeprefix("Stateless") for name in found.left_out}


def test_a_batch_that_the_graph_fixes():
    def build(x):
        tf.nn.softmax(tf.reshape(dense(x), [2, 4, 2]), name="y")

    partition = divide(graph_of(build, [2, 8]), ["y"], 1)
    assert partition.fixed_batch == 2
    assert members(partition.segmentation) == [["MatMul", "Relu", "Reshape", "add", "y"]]


def test_a_graph_that_mixes_its_images_has_no_engine():
    def build(x):
        tf.nn.relu(tf.matmul(x, tf.ones([3, 4]), transpose_a=True), name="y")

    partition = divide(graph_of(build, [None, 8]), ["y"], 1)
    assert partition.segmentation.segments == ()
    assert "does not take every batch size" in partition.problem
    assert partition.problem in make_report(partition.segmentation, (), partition.problem).to_text()


def test_the_report_names_every_node():
    def build(x):
        tf.tanh(tf.cumsum(dense(x), 1), name="y")

    partition = divide(graph_of(build, [None, 8]), ["y"], 3)
    report = make_report(partition.segmentation, (), "")
    fields = json.loads(report.to_json())
    assert [row["node"] for row in fields["left_out"]] == ["Cumsum", "y"]
    assert fields["left_out"][0]["reason"] == "the operation is not known here"
    assert fields["segments"][0]["ops"] == {"MatMul": 1, "AddV2": 1, "Relu": 1}
    assert fields["segments"][0]["inputs"] == {"x0:0": "float32 [batch, 8]"}
    text = report.to_text()
    assert "3 of 5 nodes in 1 engine; 2 stay in TensorFlow" in text
    assert "'Cumsum' (Cumsum): the operation is not known here" in text


def test_bad_names_and_damaged_graphs():
    graph = graph_of(lambda x: tf.nn.relu(x, name="scores"), [None, 8])
    with pytest.raises(InputError, match=r"no node 'score'.*scores"):
        divide(graph, ["score"], 1)
    graph.node[-1].op = "NoSuchOp"
    with pytest.raises(InputError, match="TensorFlow cannot import the graph"):
        divide(graph, ["scores"], 1)
