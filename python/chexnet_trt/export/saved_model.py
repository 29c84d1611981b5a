"""SavedModels for serving, as the whitepaper's Estimator exported them."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from chexnet_trt._core import InputError
from chexnet_trt.export.model_folder import TrainedModel
from chexnet_trt.models.layers import Array
from chexnet_trt.models.networks import CATEGORIES, INPUT, NETWORKS, SCORES
from chexnet_trt.models.tensorflow_layers import TensorFlowLayers

v1 = tf.compat.v1

FACTS = Path("assets.extra") / "chexnet.json"
SIGNATURES = ("serving_default", "predict")


def export_model(
    model: TrainedModel,
    weights: Mapping[str, Array],
    export_dir: str | Path,
    *,
    batch_size: int | None = None,
) -> Path:
    """Writes export_dir/<unix seconds>/ and returns it; it appears only when it is complete.

    A graph of TensorFlow 1 with the networks' exact node names and both signatures:
    input [batch, S, S, 3] float32 preprocessed -> scores [batch, classes], categories [batch].
    batch_size: fixed, or free when None. Raises InputError when the folder cannot be written.
    """
    export_dir = Path(export_dir)
    timestamp = int(time.time())
    try:
        export_dir.mkdir(parents=True, exist_ok=True)
        while (export_dir / str(timestamp)).exists():
            timestamp += 1
        unfinished = export_dir / f"temp-{timestamp}-{os.getpid()}"
        try:
            _write(model, weights, unfinished, batch_size)
            _write_facts(model, unfinished)
            return unfinished.rename(export_dir / str(timestamp))
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    except (OSError, tf.errors.OpError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.message.partition("\n")[0]
        raise InputError(f"cannot write a SavedModel in '{export_dir}': {reason}") from None


def _write(
    model: TrainedModel, weights: Mapping[str, Array], folder: Path, batch_size: int | None
) -> None:
    size = model.image_size
    config = v1.ConfigProto(device_count={"GPU": 0})
    with tf.Graph().as_default() as graph, v1.Session(graph=graph, config=config) as session:
        images = v1.placeholder(tf.float32, [batch_size, size, size, 3], INPUT)
        variables = {
            name: v1.get_variable(
                name, value.shape, initializer=v1.zeros_initializer(), use_resource=True
            )
            for name, value in weights.items()
        }
        layers = TensorFlowLayers(variables, training=False, data_format=model.data_format)
        logits = NETWORKS[model.network].logits(layers, images, model.num_classes)
        outputs = {
            "categories": v1.argmax(logits, 1, name=CATEGORIES),
            "scores": tf.sigmoid(logits, name=SCORES),
        }
        assignments = {name: variable.initializer for name, variable in variables.items()}
        session.run(
            list(assignments.values()),
            {assign.inputs[1]: weights[name] for name, assign in assignments.items()},
        )
        signature = v1.saved_model.build_signature_def(
            {"input": v1.saved_model.build_tensor_info(images)},
            {key: v1.saved_model.build_tensor_info(tensor) for key, tensor in outputs.items()},
            v1.saved_model.signature_constants.PREDICT_METHOD_NAME,
        )
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(
            session,
            [v1.saved_model.tag_constants.SERVING],
            dict.fromkeys(SIGNATURES, signature),
            clear_devices=True,
            strip_default_attrs=True,
        )
        builder.save()


def _write_facts(model: TrainedModel, folder: Path) -> None:
    path = folder / FACTS
    path.parent.mkdir()
    path.write_text(json.dumps(model.to_json(), indent=2) + "\n", encoding="utf-8")
