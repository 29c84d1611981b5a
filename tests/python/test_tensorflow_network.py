"""The networks over TensorFlow's ops, held against the frozen graphs of GraphBuilder."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from chexnet_trt._core import InputError
from chexnet_trt.models import NETWORKS, build_graph
from chexnet_trt.models.variables import variable_shapes

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.tensorflow

from chexnet_trt.models.tensorflow_layers import TensorFlowLayers  # noqa: E402
from chexnet_trt.models.tensorflow_network import TensorFlowNetwork  # noqa: E402

SIZE = 64
LOGITS = {"resnet50_v2": "resnet_model/final_dense:0", "densenet121": "predictions/BiasAdd:0"}
FIRST_NORM = {"resnet50_v2": "resnet_model/batch_normalization", "densenet121": "conv1/bn"}
FIRST_CONV = {
    "resnet50_v2": "resnet_model/initial_conv:0",
    "densenet121": "conv1/conv/Conv2D:0",
}


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).normal(size=(4, SIZE, SIZE, 3)).astype(np.float32)


@pytest.fixture(scope="module", params=list(NETWORKS))
def network(request):
    return TensorFlowNetwork(request.param, image_size=SIZE, seed=3)


def frozen(network, **options):
    values = {name: variable.numpy() for name, variable in network.weights_by_name.items()}
    return build_graph(network.name, lambda name, _: values[name], image_size=SIZE, **options)


def evaluate(graph_def, names, images):
    with tf.Graph().as_default() as graph:
        tf.compat.v1.import_graph_def(
            tf.compat.v1.GraphDef.FromString(graph_def.SerializeToString()), name=""
        )
        with tf.compat.v1.Session(graph=graph) as session:
            return session.run(names, {"input_tensor:0": images})


def test_logits_are_those_of_the_frozen_graph(network, images):
    network.assign(
        {f"{FIRST_NORM[network.name]}/moving_mean": np.linspace(-1, 1, 64, dtype=np.float32)}
    )
    logits = network(tf.constant(images)).numpy()
    expected = evaluate(frozen(network), LOGITS[network.name], images)
    assert logits.dtype == np.float32
    assert logits.std() > 0.01
    assert np.abs(logits - expected).max() <= 1e-5


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_nodes_have_the_names_of_the_frozen_graph(network, data_format):
    versions = {"FusedBatchNorm": "FusedBatchNormV3", "Add": "AddV2"}
    with tf.Graph().as_default() as graph:
        images = tf.compat.v1.placeholder(tf.float32, [None, SIZE, SIZE, 3], "input_tensor")
        variables = {
            name: tf.compat.v1.get_variable(name, shape, use_resource=True)
            for name, shape in variable_shapes(network.name, 14).items()
        }
        layers = TensorFlowLayers(variables, training=False, data_format=data_format)
        NETWORKS[network.name].logits(layers, images, 14)
        made = {operation.name: operation.type for operation in graph.get_operations()}
    expected = {
        node.name: versions.get(node.op, node.op)
        for node in frozen(network, data_format=data_format).node
        if node.name not in variables and not node.name.endswith("/read")
    }
    for added_after in ("chexnet_sigmoid_tensor", "categories", "categories/dimension"):
        del expected[added_after]
    assert {name: made.get(name) for name in expected} == expected
    ours = {name for name in made if "ReadVariableOp" not in name}
    assert {name for name in ours - set(expected) if not name.startswith(tuple(variables))} == set()


def test_channels_first_computes_the_same(network, images):
    first = TensorFlowNetwork(network.name, image_size=SIZE, data_format="channels_first")
    first.assign({name: value.numpy() for name, value in network.weights_by_name.items()})
    try:
        logits = tf.function(first)(tf.constant(images)).numpy()
    except tf.errors.OpError as error:
        pytest.skip(f"this TensorFlow has no NCHW on CPUs: {error.message[:80]}")
    assert np.abs(logits - network(tf.constant(images)).numpy()).max() <= 1e-5


def test_a_training_step_in_bfloat16(network, images):
    """Moving statistics, gradients and logits stay float32; the statistics are the batch's."""
    name = FIRST_NORM[network.name]
    trained = TensorFlowNetwork(network.name, image_size=SIZE, compute_dtype="bfloat16", seed=3)
    batch = evaluate(frozen(trained), FIRST_CONV[network.name], images)
    if network.name == "resnet50_v2":
        batch = tf.nn.max_pool2d(batch, 3, 2, "SAME").numpy()

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            logits = trained(x, training=True)
            loss = tf.reduce_mean(logits**2)
        return logits, tape.gradient(loss, trained.trainable_variables)

    logits, gradients = step(tf.constant(images))
    assert logits.dtype == tf.float32
    assert {gradient.dtype for gradient in gradients} == {tf.float32}
    assert all(np.isfinite(gradient.numpy()).all() for gradient in gradients)
    share = 1 - NETWORKS[network.name].momentum
    mean = share * batch.mean((0, 1, 2))
    variance = (1 - share) + share * batch.var((0, 1, 2), ddof=1)
    moved = trained.weights_by_name
    assert np.abs(moved[f"{name}/moving_mean"].numpy() - mean).max() < share * 0.02
    assert np.abs(moved[f"{name}/moving_variance"].numpy() - variance).max() < share * 0.05


def test_initial_weights(network):
    again = TensorFlowNetwork(network.name, image_size=SIZE, seed=3)
    other = TensorFlowNetwork(network.name, image_size=SIZE, seed=4)
    kernel = next(
        name for name, shape in variable_shapes(network.name, 14).items() if shape[0] == 7
    )
    values = [made.weights_by_name[kernel].numpy() for made in (network, again, other)]
    assert np.array_equal(values[0], values[1])
    assert not np.allclose(values[0], values[2])
    fan_in, fan_out = 7 * 7 * 3, 7 * 7 * 64
    variance = 1 / fan_in if network.name == "resnet50_v2" else 2 / (fan_in + fan_out)
    assert values[0].std() == pytest.approx(variance**0.5, rel=0.03)
    moving = [v.name for v in network.weights_by_name.values() if "moving_" in v.name]
    assert len(network.trainable_variables) == len(network.weights_by_name) - len(moving)


def test_checkpoint_keys_carry_the_names(network, tmp_path):
    path = tf.train.Checkpoint(network=network).write(str(tmp_path / "checkpoint"))
    keys = tf.train.load_checkpoint(path).get_variable_to_shape_map()
    for name in network.weights_by_name:
        escaped = name.replace("/", ".S")
        assert f"network/weights_by_name/{escaped}/.ATTRIBUTES/VARIABLE_VALUE" in keys


def test_useless_sizes():
    with pytest.raises(InputError, match="image size 16 is too small"):
        TensorFlowNetwork("densenet121", image_size=16)


TWO_REPLICAS = """
import numpy as np, tensorflow as tf
from chexnet_trt.models.tensorflow_layers import TensorFlowLayers
from chexnet_trt.models.tensorflow_network import new_variable
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    shapes = {"gamma": (2,), "beta": (2,), "moving_mean": (2,), "moving_variance": (2,)}
    variables = {f"bn/{part}": new_variable(f"bn/{part}", shape, "glorot_uniform", [0, 0])
                 for part, shape in shapes.items()}
layers = TensorFlowLayers(variables, training=True, momentum=0.5)
step = tf.function(lambda x: strategy.run(lambda x: layers.batch_norm("bn", x, 1e-3), (x,)))
step(strategy.experimental_distribute_values_from_function(
    lambda context: tf.fill([2, 2, 2, 2], 4.0 + 4.0 * context.replica_id_in_sync_group)))
print(variables["bn/moving_mean"].numpy().tolist())
"""


def test_replicas_average_their_moving_statistics():
    command = [sys.executable, "-c", TWO_REPLICAS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout == "[3.0, 3.0]\n", done.stderr[-2000:]
