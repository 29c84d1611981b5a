"""Model folders as `train` writes them, with random weights; frozen graphs run by TensorFlow."""

from __future__ import annotations

import json

import numpy as np

from chexnet_trt.export.model_folder import TrainedModel
from chexnet_trt.labels import LABELS
from chexnet_trt.models import NETWORKS
from chexnet_trt.models.random_weights import random_weights
from chexnet_trt.models.variables import variable_shapes
from chexnet_trt.preprocess import preset
from synthetic_xray import synthetic_xray

SIZE = 64


def random_values(network: str, seed: int = 0) -> dict[str, np.ndarray]:
    expected = preset(NETWORKS[network].preprocessing, SIZE, SIZE, 3)
    source = random_weights(
        NETWORKS[network].logits,
        np.asarray(expected.mean, np.float32),
        np.asarray(expected.std, np.float32),
        num_classes=14,
        image_size=SIZE,
        seed=seed,
    )
    return {name: source(name, shape) for name, shape in variable_shapes(network, 14).items()}


def films(network: str, count: int = 3) -> np.ndarray:
    expected = preset(NETWORKS[network].preprocessing, SIZE, SIZE, 3)
    return np.stack([expected.apply(synthetic_xray(seed), "nhwc") for seed in range(count)])


def write_model_folder(folder, network, values, best=None):
    """Checkpoints of `values`, and in best/ of `best`, with a training.json; returns the model."""
    import tensorflow as tf

    from chexnet_trt.models.tensorflow_network import TensorFlowNetwork

    module = TensorFlowNetwork(network, image_size=SIZE)
    checkpoint = tf.train.Checkpoint(network=module, step=tf.Variable(7, dtype=tf.int64))
    module.assign(values)
    tf.train.CheckpointManager(checkpoint, str(folder), 1).save()
    if best is not None:
        module.assign(best)
        tf.train.CheckpointManager(checkpoint, str(folder / "best"), 1).save()
    model = TrainedModel(network, SIZE, labels=LABELS, synthetic=True)
    (folder / "training.json").write_text(json.dumps(model.to_json()))
    return model


def run_frozen(path, outputs, feeds):
    """Values of the outputs of a frozen .pb, computed by TensorFlow."""
    import tensorflow as tf

    graph_def = tf.compat.v1.GraphDef.FromString(path.read_bytes())
    with tf.Graph().as_default() as graph:
        tf.compat.v1.import_graph_def(graph_def, name="")
        with tf.compat.v1.Session(graph=graph) as session:
            return session.run(
                [f"{name}:0" for name in outputs],
                {f"{name}:0": value for name, value in feeds.items()},
            )
