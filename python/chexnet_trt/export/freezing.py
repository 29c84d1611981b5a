"""Frozen graphs of SavedModels, of MetaGraphs with their checkpoint, and of weights by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from chexnet_trt._core import InputError
from chexnet_trt.export.frozen import FrozenGraph
from chexnet_trt.export.function_graph import freeze_function
from chexnet_trt.export.inference_graph import (
    NotForInferenceError,
    choose_outputs,
    producer,
    sub_graph,
)
from chexnet_trt.export.model_folder import TrainedModel, read_facts
from chexnet_trt.export.saved_model import FACTS, SIGNATURES
from chexnet_trt.export.session_graph import freeze_session_graph
from chexnet_trt.marks import mark_graph_def
from chexnet_trt.models import build_graph
from chexnet_trt.models.layers import Array

v1 = tf.compat.v1

MetaGraphDef: TypeAlias = Any


def freeze_weights(
    model: TrainedModel, weights: Mapping[str, Array], output_nodes: Sequence[str] = ()
) -> FrozenGraph:
    """The network as models.build_graph writes it: for inference from the start."""
    graph = build_graph(
        model.network,
        lambda name, _: weights[name],
        image_size=model.image_size,
        num_classes=model.num_classes,
        data_format=model.data_format,
    )
    outputs = choose_outputs({node.name for node in graph.node}, output_nodes, {})
    mark_graph_def(graph, model.marks)
    notes = tuple(model.notes())
    return FrozenGraph(sub_graph(graph, outputs), tuple(outputs), model.network, notes)


def freeze_saved_model(
    folder: str | Path, output_nodes: Sequence[str] = (), signature: str | None = None
) -> FrozenGraph:
    """A SavedModel of TensorFlow 1 or 2, by its SERVING tag and its signature.

    Raises InputError for a folder that is none, that lacks either, or that only trains.
    """
    folder = Path(folder)
    meta = meta_graph_of(folder)
    made_by_2 = meta.HasField("object_graph_def")
    required = made_by_2 or not output_nodes
    name = signature_name_of(meta, folder, signature, required=required)
    if made_by_2:
        graph, outputs = freeze_function(folder, name, output_nodes)
    else:
        keys = _tensors(meta.signature_def[name].outputs) if name else {}
        variables = folder / "variables" / "variables"
        graph, outputs = freeze_session_graph(meta.graph_def, keys, output_nodes, variables)
    facts = folder / FACTS
    notes: list[str] = []
    if facts.is_file():
        model = read_facts(facts)
        notes = model.notes()
        mark_graph_def(graph, model.marks)
    return FrozenGraph(graph, tuple(outputs), f"SavedModel {folder.name}", tuple(notes))


def freeze_meta_graph(
    path: str | Path,
    output_nodes: Sequence[str] = (),
    checkpoint: str | Path | None = None,
    scope: str | None = None,
) -> FrozenGraph:
    """A .meta file of TensorFlow 1's Saver with a checkpoint, its own unless one is given."""
    path = Path(path)
    try:
        meta = v1.MetaGraphDef.FromString(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from None
    except DecodeError:
        raise InputError(f"'{path}' is not a MetaGraph, or it is cut short") from None
    weights = Path(checkpoint) if checkpoint else path.with_suffix("")
    try:
        graph, outputs = freeze_session_graph(meta.graph_def, {}, output_nodes, weights, scope)
    except NotForInferenceError as error:
        raise InputError(
            f"{error}; or build the network anew around the checkpoint's weights: --network NAME"
        ) from None
    return FrozenGraph(graph, tuple(outputs), f"MetaGraph {path.name}")


def meta_graph_of(folder: Path, tags: Sequence[str] | None = None) -> MetaGraphDef:
    """The graph with exactly these tags; for serving where none are given, whatever else it has.

    Raises InputError for a folder that is no SavedModel and for tags that it lacks.
    """
    path = folder / "saved_model.pb"
    try:
        saved = SavedModel.FromString(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from None
    except DecodeError:
        raise InputError(f"'{path}' is not a SavedModel, or it is cut short") from None
    serving = v1.saved_model.tag_constants.SERVING
    present = [set(meta.meta_info_def.tags) for meta in saved.meta_graphs]
    alike = [found for found in present if serving in found] if tags is None else []
    for wanted in (set(tags or [serving]), *alike):
        if wanted in present:
            return saved.meta_graphs[present.index(wanted)]
    found = ", ".join("+".join(sorted(each)) or "none" for each in present) or "no graph at all"
    if tags is not None:
        raise InputError(
            f"'{folder}' has no graph with the tags {'+'.join(tags)} (it has: {found})"
        )
    raise InputError(
        f"the SavedModel '{folder}' has no graph with the SERVING tag '{serving}' (it has: "
        f"{found}): export it for serving (export_savedmodel, tf.saved_model.save)"
    )


def signature_name_of(
    meta: MetaGraphDef, folder: Path, asked: str | None, *, required: bool = True
) -> str:
    """The signature asked for, else that for serving; empty where there is none and none is
    required. Raises InputError otherwise.
    """
    found = sorted(name for name in meta.signature_def if not name.startswith("__"))
    for name in SIGNATURES if asked is None else (asked,):
        if name in found:
            return name
    if asked is None and not required:
        return ""
    raise InputError(
        f"the SavedModel '{folder}' has no signature {asked or ' or '.join(SIGNATURES)} (it has: "
        f"{', '.join(found) or 'none'}): export it with one (PredictOutput in export_outputs, "
        "signatures=), or give --signature or --output_node"
    )


def _tensors(infos: Mapping[str, Any]) -> dict[str, str]:
    return {key: producer(infos[key].name) for key in sorted(infos)}
