"""Freezing what other programs saved: graphs of TensorFlow 1, functions of TensorFlow 2."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from chexnet_trt.cli import main
from chexnet_trt.models.variables import variable_shapes
from trained_models import SIZE, run_frozen, write_model_folder

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.tensorflow

v1 = tf.compat.v1
IMAGES = np.random.default_rng(2).normal(size=(3, 8, 8, 3)).astype(np.float32)


def build(mode="predict", use_resource=True):
    """A small network in the default graph with its training; returns input and scores."""
    shape, training = [None, 8, 8, 3], mode == "train"
    with v1.variable_scope("net", use_resource=use_resource):
        if mode == "pipeline":
            images = v1.data.make_one_shot_iterator(
                tf.data.Dataset.from_tensors(IMAGES).repeat()
            ).get_next()
        else:
            images = v1.placeholder(tf.float32, shape, "input_tensor")
        kernel = v1.get_variable("conv/kernel", [3, 3, 3, 4], tf.float32)
        parts = {
            name: v1.get_variable(f"bn/{name}", [4], initializer=v1.constant_initializer(value))
            for name, value in (("gamma", 2), ("beta", 1), ("mean", 0.25), ("variance", 4))
        }
        x = tf.nn.conv2d(images, kernel, 1, "SAME", name="conv/Conv2D")
        statistics = [] if training else [parts["mean"], parts["variance"]]
        x, *_ = v1.nn.fused_batch_norm(
            x, parts["gamma"], parts["beta"], *statistics, is_training=training, name="bn/Fused"
        )
        x = tf.identity(tf.nn.relu(x, name="relu"), name="features")
        if mode == "switch":
            flag = v1.placeholder(tf.bool, [], "is_training")
            x = v1.cond(flag, lambda: x * 0.5, lambda: x)
        x = tf.reduce_mean(x, [1, 2], name="mean")
        if mode == "dropout":
            x = tf.nn.dropout(x, 0.5, name="dropout")
        x = tf.matmul(x, v1.get_variable("dense/kernel", [4, 14]), name="logits")
    scores = tf.sigmoid(tf.debugging.check_numerics(x, "logits"), name="chexnet_sigmoid_tensor")
    tf.argmax(x, 1, name="categories")
    loss = tf.reduce_mean(scores)
    step = v1.train.get_or_create_global_step()
    v1.train.MomentumOptimizer(0.1, 0.9).minimize(loss, step)
    return images, scores


def save_meta_graph(folder, mode="predict", use_resource=True):
    """model.ckpt-0 with its .meta; returns the scores of IMAGES."""
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(1)
        images, scores = build(mode, use_resource)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(folder / "model.ckpt"), v1.train.get_global_step())
        return session.run(scores, {images: IMAGES}) if mode == "predict" else None


def save_model(folder, mode="predict", tag="serve", signature="serving_default"):
    with tf.Graph().as_default(), v1.Session() as session:
        images, scores = build(mode)
        session.run(v1.global_variables_initializer())
        info = v1.saved_model.build_signature_def(
            {"input": v1.saved_model.build_tensor_info(images)},
            {"probabilities": v1.saved_model.build_tensor_info(scores)},
        )
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, [tag], {signature: info} if signature else {})
        builder.save()
        return session.run(scores, {images: IMAGES}) if mode == "predict" else None


def freeze(source, target, *options):
    assert main(["freeze", str(source), "-o", str(target), *options]) == 0
    graph = v1.GraphDef.FromString(target.read_bytes())
    return {node.name: node.op for node in graph.node}


def refusal(capsys, *words):
    """The one line with which `freeze` refuses."""
    assert main(["freeze", *map(str, words), "-o", "never.pb"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize("use_resource", [True, False])
def test_a_meta_graph_and_its_checkpoint(tmp_path, use_resource):
    scores = save_meta_graph(tmp_path, use_resource=use_resource)
    nodes = freeze(tmp_path, tmp_path / "net.pb")
    assert {name: op for name, op in nodes.items() if op != "Const"} == {
        "net/input_tensor": "Placeholder",
        "net/conv/Conv2D": "Conv2D",
        "net/bn/Fused": "FusedBatchNormV3",
        "net/relu": "Relu",
        "net/features": "Identity",
        "net/mean": "Mean",
        "net/logits": "MatMul",
        "categories": "ArgMax",
        "chexnet_sigmoid_tensor": "Sigmoid",
    }
    assert nodes["net/conv/kernel"] == "Const"
    feeds = {"net/input_tensor": IMAGES}
    (frozen,) = run_frozen(tmp_path / "net.pb", ["chexnet_sigmoid_tensor"], feeds)
    assert np.abs(frozen - scores).max() <= 1e-5
    words = ["convert", str(tmp_path / "net.pb"), "-O", "chexnet_sigmoid_tensor", "-q"]
    assert main([*words, "-o", str(tmp_path / "net.uff")]) == 0


def test_a_meta_graph_with_another_checkpoint(tmp_path, capsys):
    save_meta_graph(tmp_path)
    meta = tmp_path / "model.ckpt-0.meta"
    with tf.Graph().as_default(), v1.Session() as session:
        v1.get_variable("tower/net/conv/kernel", [3, 3, 3, 4])
        v1.get_variable("tower/net/dense/kernel", [4, 13])
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(tmp_path / "other"), write_meta_graph=False)
    error = refusal(capsys, meta, "--checkpoint", tmp_path / "other")
    assert "0 of its 6 variables found; missing: net/conv/kernel, net/bn/" in error
    assert "not used: tower/net/" in error
    error = refusal(
        capsys, meta, "--checkpoint", tmp_path / "other", "--checkpoint_scope", "tower/net"
    )
    assert "1 of its 6 variables found" in error
    assert "of another shape: tower/net/dense/kernel [4, 13] instead of [4, 14]" in error


def test_the_meta_graph_of_a_training(tmp_path, capsys):
    save_meta_graph(tmp_path, "train")
    error = refusal(capsys, tmp_path)
    assert "this is a training graph" in error
    assert error.endswith(
        "or build the network anew around the checkpoint's weights: --network NAME\n"
    )


def test_a_saved_model_of_tensorflow_1(tmp_path):
    scores = save_model(tmp_path / "saved")
    nodes = freeze(tmp_path / "saved", tmp_path / "net.pb")
    assert "categories" not in nodes
    assert nodes["chexnet_sigmoid_tensor"] == "Sigmoid"
    feeds = {"net/input_tensor": IMAGES}
    (frozen,) = run_frozen(tmp_path / "net.pb", ["chexnet_sigmoid_tensor"], feeds)
    assert np.abs(frozen - scores).max() <= 1e-5
    nodes = freeze(tmp_path / "saved", tmp_path / "net.pb", "--output_node", "net/features")
    assert "net/mean" not in nodes


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("train", "this is a training graph: batch norms use their batch's statistics: 'net/bn/"),
        ("dropout", "this is a training graph: dropout or noise is active: 'net/dropout/"),
        ("switch", "by a placeholder: 'net/is_training' (Placeholder)"),
        ("pipeline", "an input pipeline is left inside: 'net/OneShotIterator' (OneShotIterator)"),
    ],
)
def test_graphs_that_are_not_for_inference(tmp_path, capsys, mode, message):
    save_model(tmp_path / "saved", mode)
    assert message in refusal(capsys, tmp_path / "saved")


def test_saved_models_that_are_not_for_serving(tmp_path, capsys):
    save_model(tmp_path / "training", tag="train")
    error = refusal(capsys, tmp_path / "training")
    assert "has no graph with the SERVING tag 'serve' (it has: train): export it for" in error
    save_model(tmp_path / "other", signature="mine")
    error = refusal(capsys, tmp_path / "other")
    assert "has no signature serving_default or predict (it has: mine)" in error
    freeze(tmp_path / "other", tmp_path / "net.pb", "--signature", "mine")
    freeze(tmp_path / "other", tmp_path / "net.pb", "--output_node", "chexnet_sigmoid_tensor")
    error = refusal(capsys, tmp_path / "other", "--output_node", "chexnet_sigmoid")
    assert "no node 'chexnet_sigmoid' for --output_node; the nearest: chexnet_sigmoid_" in error
    shutil.rmtree(tmp_path / "other" / "variables")
    error = refusal(capsys, tmp_path / "other", "--signature", "mine")
    assert "no checkpoint" in error
    (tmp_path / "other" / "saved_model.pb").write_bytes(b"\xff" * 40)
    assert "is not a SavedModel, or it is cut short" in refusal(capsys, tmp_path / "other")


class Module(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(tf.random.normal([3, 14], seed=1), name="dense/kernel")

    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3], tf.float32, "input_tensor")])
    def serve(self, images):
        logits = tf.matmul(tf.reduce_mean(images, [1, 2]), self.kernel, name="logits")
        return {
            "scores": tf.sigmoid(logits, name="chexnet_sigmoid_tensor"),
            "categories": tf.argmax(logits, 1, name="categories"),
        }


def test_a_saved_model_of_tensorflow_2(tmp_path, capsys):
    module = Module()
    scores = module.serve(tf.constant(IMAGES))["scores"].numpy()
    tf.saved_model.save(module, str(tmp_path / "saved"), {"serving_default": module.serve})
    nodes = freeze(tmp_path / "saved", tmp_path / "net.pb")
    assert {name: op for name, op in nodes.items() if op != "Const"} == {
        "input_tensor": "Placeholder",
        "Mean": "Mean",
        "logits": "MatMul",
        "categories": "ArgMax",
        "chexnet_sigmoid_tensor": "Sigmoid",
    }
    assert nodes["dense/kernel"] == "Const"
    feeds = {"input_tensor": IMAGES}
    (frozen,) = run_frozen(tmp_path / "net.pb", ["chexnet_sigmoid_tensor"], feeds)
    assert np.abs(frozen - scores).max() <= 1e-5
    freeze(tmp_path / "saved", tmp_path / "net.pb", "--output_node", "scores")
    assert "nearest: logits" in refusal(capsys, tmp_path / "saved", "--output_node", "logit")


def test_a_model_of_keras(tmp_path):
    keras = tf.keras
    inputs = keras.Input((8, 8, 3), name="film")
    x = keras.layers.Conv2D(4, 3, name="conv1")(inputs)
    x = keras.layers.BatchNormalization(name="bn1")(x)
    x = keras.layers.Dropout(0.5)(keras.layers.ReLU(name="relu1")(x))
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, keras.layers.Dense(14, "sigmoid", name="predictions")(x))
    model.export(str(tmp_path / "saved"), verbose=False)
    nodes = freeze(tmp_path / "saved", tmp_path / "net.pb")
    (scores,) = [name for name, op in nodes.items() if op == "Sigmoid"]
    assert not [name for name in nodes if "PartitionedCall" in name]
    assert "predictions" in scores
    (frozen,) = run_frozen(tmp_path / "net.pb", [scores], {"film": IMAGES})
    assert np.abs(frozen - model(IMAGES).numpy()).max() <= 1e-5


def test_other_sources(tmp_path, capsys):
    shapes = variable_shapes("densenet121", 14)
    values = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    write_model_folder(tmp_path, "densenet121", values)
    (tmp_path / "training.json").unlink()
    assert "say what the checkpoint is of with --network" in refusal(capsys, tmp_path)
    options = ("--network", "densenet121", "--image-size", str(SIZE))
    nodes = freeze(tmp_path / "ckpt-1", tmp_path / "net.pb", *options, "--output_node", "relu/Relu")
    assert nodes["relu/Relu"] == "Relu"
    assert "predictions/MatMul" not in nodes
    wrong = refusal(capsys, tmp_path, "--network", "resnet50_v2")
    assert "0 of its 251 variables found" in wrong
    assert "a frozen graph needs no freezing" in refusal(capsys, tmp_path / "net.pb")
    message = "--signature has no effect on a model folder or a checkpoint"
    assert message in refusal(capsys, tmp_path, *options, "--signature", "x")
    assert "no checkpoint" in refusal(capsys, tmp_path / "gone", *options)
    assert "no checkpoint" in refusal(capsys, tmp_path / "gone")
