"""Graphs frozen by TensorFlow itself."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from chexnet_trt._core import InputError, uff
from chexnet_trt.uff import from_tensorflow
from graph_defs import nodes_of

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def tf():
    return pytest.importorskip("tensorflow")


def make_network(tf):
    """conv, batch norm, relu, pools, mean, dense, sigmoid, with variables and no Keras."""

    class Network(tf.Module):
        def __init__(self):
            super().__init__()
            self.kernel = tf.Variable(tf.ones([3, 3, 3, 4]))
            self.depthwise = tf.Variable(tf.ones([3, 3, 4, 1]))
            self.norm = [tf.Variable(tf.ones([4])) for _ in range(4)]
            self.dense = tf.Variable(tf.ones([4, 14]))
            self.bias = tf.Variable(tf.zeros([14]))

        @tf.function(input_signature=[tf.TensorSpec([None, 16, 16, 3], tf.float32)])
        def __call__(self, x):
            x = tf.nn.conv2d(x, self.kernel, 1, [[0, 0], [1, 1], [1, 1], [0, 0]])
            x = tf.raw_ops.FusedBatchNormV3(
                x=x, scale=self.norm[0], offset=self.norm[1], mean=self.norm[2],
                variance=self.norm[3], is_training=False, epsilon=1e-5,
            )[0]  # fmt: skip
            x = tf.nn.relu(x)
            x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
            x = tf.nn.max_pool2d(x, 3, 2, "VALID")
            x = tf.nn.depthwise_conv2d(x, self.depthwise, [1, 1, 1, 1], "SAME")
            x = tf.nn.leaky_relu(x + 1.0)
            x = tf.nn.avg_pool2d(x, 2, 2, "SAME")
            x = tf.concat([x[:, :, :, :2], tf.stop_gradient(x)[:, :, :, 2:]], 3)
            x = tf.reduce_mean(x, [1, 2])
            x = tf.nn.bias_add(tf.matmul(x, self.dense), self.bias)
            return tf.sigmoid(x, name="scores")

    return Network()


def test_a_function_with_variables_frozen_by_tensorflow_2(tf, capsys):
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    network = make_network(tf)
    frozen = convert_variables_to_constants_v2(network.__call__.get_concrete_function())
    meta = uff.read_bytes(from_tensorflow(frozen.graph.as_graph_def(), quiet=True))
    assert capsys.readouterr().err == ""
    assert [d.id for d in meta.descriptors] == ["tensorflow_extension"]
    counts = Counter(node.operation for node in meta.nodes)
    for operation, count in {
        "Input": 1, "Conv": 2, "BatchNorm": 1, "Pool": 2, "LeakyRelu": 1, "Reduce": 1,
        "FullyConnected": 1, "StridedSlice": 2, "Concat": 1, "Activation": 2, "MarkOutput": 1,
    }.items():  # fmt: skip
        assert counts[operation] == count, operation
    assert counts["Pad"] == 0
    convs = [node for node in meta.nodes if node.operation == "Conv"]
    assert [node.fields.get("number_groups") for node in convs] == [4, None]
    assert convs[1].fields["padding"] == [1, 1]
    for node in meta.nodes:
        assert set(node.inputs) <= set(nodes_of(meta))


def test_an_unfrozen_function_is_refused_with_its_variables(tf):
    network = make_network(tf)
    graph = network.__call__.get_concrete_function().graph.as_graph_def()
    with pytest.raises(InputError, match=r"not frozen for inference.*ReadVariableOp.*freeze"):
        from_tensorflow(graph, quiet=True)


def test_a_graph_of_tensorflow_1(tf):
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        x = v1.placeholder(tf.float32, [None, 8, 8, 3], "input_tensor")
        kernel = v1.get_variable("kernel", initializer=tf.ones([3, 3, 3, 4]))
        x = v1.nn.conv2d(x, kernel, padding="SAME", strides=[1, 1, 1, 1], name="conv")
        x, _, _ = v1.nn.fused_batch_norm(
            x, [1.0] * 4, [0.0] * 4, [0.0] * 4, [1.0] * 4, is_training=False
        )
        x = tf.reduce_max(x, [1, 2], keepdims=True)
        x = tf.squeeze(x, [1, 2])
        with v1.name_scope("flatten"):
            x = tf.reshape(x, [-1, 4], name="Reshape")
        tf.identity(tf.nn.softmax(x), name="softmax_tensor")
        session.run(v1.global_variables_initializer())
        frozen = v1.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), ["softmax_tensor"]
        )
    nodes = nodes_of(uff.read_bytes(from_tensorflow(frozen, ["softmax_tensor"], quiet=True)))
    operations = Counter(node.operation for node in nodes.values())
    assert operations["BatchNorm"] == 1
    assert operations["Flatten"] == 1
    assert nodes["softmax_tensor"].operation == "Identity"
    assert nodes["conv"].fields["implicit_padding"] == "same"
    assert nodes["conv"].fields["dilation"] == [1, 1]
    assert nodes["input_tensor"].fields["shape"] == [-1, 8, 8, 3]


def test_constants_of_tensorflow_keep_their_values(tf):
    arrays = {
        "float32": np.float32([[1, 2], [3, 4]]), "float16": np.float16([1.5]),
        "int32": np.int32(7), "int64": np.int64([1 << 40]), "same": np.full((3, 2), 2.5, "f4"),
    }  # fmt: skip
    with tf.Graph().as_default() as graph:
        for name, array in arrays.items():
            tf.identity(tf.identity(tf.constant(array, name=name)), name=name + "_out")
    data = from_tensorflow(graph.as_graph_def(), [name + "_out" for name in arrays], quiet=True)
    meta = uff.read_bytes(data)
    for name, array in arrays.items():
        assert bytes(meta.referenced_data["weights_" + name]) == array.tobytes(), name
