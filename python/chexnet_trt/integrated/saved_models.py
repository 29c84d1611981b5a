"""SavedModels as frozen graphs with their signature, and back."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from chexnet_trt._core import InputError
from chexnet_trt.export.freezing import meta_graph_of, signature_name_of
from chexnet_trt.export.function_graph import load_function
from chexnet_trt.export.inference_graph import (
    check_inference,
    producer,
    remove_training_nodes,
    sub_graph,
)
from chexnet_trt.export.session_graph import freeze_session_graph
from chexnet_trt.uff.graph_def import GraphDef

v1 = tf.compat.v1
logger = logging.getLogger("chexnet_trt")


@dataclass(frozen=True)
class ServedGraph:
    """A frozen graph and its signature: keys -> tensors. name, tags: as the SavedModel has them."""

    graph: GraphDef
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    name: str
    tags: tuple[str, ...]


def read_saved_model(
    folder: str | Path, tags: Sequence[str] | None = None, signature: str | None = None
) -> ServedGraph:
    """A SavedModel of TensorFlow 1 or 2; without `tags` and `signature` those for serving.

    Raises InputError for a folder that is none, that lacks either, or that only trains.
    """
    folder = Path(folder)
    meta = meta_graph_of(folder, tags)
    name = signature_name_of(meta, folder, signature)
    found = tuple(meta.meta_info_def.tags)
    if meta.HasField("object_graph_def"):
        function = load_function(folder, name, found)
        inputs, outputs = function.inputs, function.outputs
        nodes = [producer(tensor) for tensor in outputs.values()]
        graph = sub_graph(function.graph, nodes)
        check_inference(graph)
        graph = remove_training_nodes(graph, nodes, keep_names=False)
    else:
        inputs, outputs = _tensors(meta.signature_def[name], "inputs", "outputs")
        keys = {key: producer(tensor) for key, tensor in outputs.items()}
        variables = folder / "variables" / "variables"
        graph, _ = freeze_session_graph(meta.graph_def, keys, (), variables)
    return ServedGraph(graph, _read(graph, inputs), outputs, name, found)


def _tensors(signature: Any, *sides: str) -> list[dict[str, str]]:  # noqa: ANN401
    return [
        {key: infos[key].name for key in sorted(infos)}
        for infos in (getattr(signature, side) for side in sides)
    ]


def _read(graph: GraphDef, inputs: Mapping[str, str]) -> dict[str, str]:
    """The inputs that the outputs depend on."""
    nodes = {node.name for node in graph.node}
    kept = {key: tensor for key, tensor in inputs.items() if producer(tensor) in nodes}
    for key in inputs.keys() - kept.keys():
        logger.warning("the outputs do not read the input '%s': it is left out", key)
    return kept


def write_saved_model(folder: str | Path, served: ServedGraph) -> None:
    """Writes a SavedModel with `served.graph`, which may hold engine nodes once the op is loaded.

    It appears only when it is complete. Raises InputError when the folder exists or cannot be made.
    """
    folder = Path(folder)
    if folder.exists():
        raise InputError(f"'{folder}' exists: name a folder that does not")
    unfinished = folder.with_name(f"temp-{folder.name}-{os.getpid()}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _write(unfinished, served)
        unfinished.rename(folder)
    except (OSError, tf.errors.OpError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.message.partition("\n")[0]
        raise InputError(f"cannot write the SavedModel '{folder}': {reason}") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write(folder: Path, served: ServedGraph) -> None:
    builder = v1.saved_model.Builder(str(folder))
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        v1.import_graph_def(served.graph, name="")

        def infos(tensors: Mapping[str, str]) -> dict[str, Any]:
            return {
                key: v1.saved_model.build_tensor_info(graph.get_tensor_by_name(tensor))
                for key, tensor in tensors.items()
            }

        signature = v1.saved_model.build_signature_def(
            infos(served.inputs),
            infos(served.outputs),
            v1.saved_model.signature_constants.PREDICT_METHOD_NAME,
        )
        builder.add_meta_graph_and_variables(
            session,
            list(served.tags),
            {served.name: signature},
            clear_devices=True,
            strip_default_attrs=True,
        )
        builder.save()
