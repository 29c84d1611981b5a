"""The two functions of tensorflow.contrib.tensorrt, by their names and arguments."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chexnet_trt._core import InputError
from chexnet_trt.integrated.calibration_graph import (
    keep_calibration,
    start_calibration,
    taken_calibration,
)
from chexnet_trt.integrated.conversion import Settings, build, divide
from chexnet_trt.integrated.engine_op import load_op_library
from chexnet_trt.integrated.meaningless import say_meaningless
from chexnet_trt.integrated.saved_models import ServedGraph, read_saved_model, write_saved_model
from chexnet_trt.uff.graph_def import GraphDef


def create_inference_graph(
    input_graph_def: GraphDef | None,
    outputs: Sequence[Any] | None,
    max_batch_size: int = 1,
    max_workspace_size_bytes: int = 2 << 20,
    precision_mode: str = "fp32",
    minimum_segment_size: int = 3,
    is_dynamic_op: bool = False,
    maximum_cached_engines: int = 1,
    cached_engine_batches: Sequence[int] | None = None,
    use_calibration: bool = True,
    rewriter_config: Any = None,  # noqa: ANN401
    input_saved_model_dir: str | Path | None = None,
    input_saved_model_tags: Sequence[str] | None = None,
    input_saved_model_signature_key: str | None = None,
    output_saved_model_dir: str | Path | None = None,
    session_config: Any = None,  # noqa: ANN401
    *,
    fallback: bool = False,
) -> GraphDef:
    """The graph with nodes of the op ChexnetTrtEngine where engines compute; the log has a report.

    input_graph_def: a frozen graph, with `outputs` as tensors or names of tensors or nodes; None
    to take that of input_saved_model_dir with the outputs of its signature. precision_mode: fp32,
    fp16 or int8 in either case, which is permitted, not forced. minimum_segment_size: nodes that an
    engine has at least.
    fallback: TensorFlow computes what an engine fails to, and says so; else that is an error.
    The other arguments are accepted; the log says of each that was given what becomes of it.

    For int8 this is a calibration graph: run it on representative data in this process, and give
    it to calib_graph_to_infer_graph. It is the finished graph where nothing can be quantised.

    Raises InputError on bad arguments, BackendError when an engine cannot be built.
    """
    say_meaningless(
        max_workspace_size_bytes=(max_workspace_size_bytes, 2 << 20),
        is_dynamic_op=(is_dynamic_op, False),
        maximum_cached_engines=(maximum_cached_engines, 1),
        cached_engine_batches=(cached_engine_batches, None),
        rewriter_config=(rewriter_config, None),
        session_config=(session_config, None),
    )
    settings = Settings(max_batch_size, precision_mode.upper(), minimum_segment_size, fallback)
    if settings.precision == "INT8" and not use_calibration:
        raise InputError("int8 needs its calibration: leave use_calibration on")
    served = None
    if input_graph_def is None:
        served = _served(
            input_saved_model_dir, input_saved_model_tags, input_saved_model_signature_key
        )
        input_graph_def, outputs = served.graph, list(served.outputs.values())
    elif input_saved_model_dir is not None:
        raise InputError("give input_graph_def or input_saved_model_dir, not both")
    if not outputs:
        raise InputError("name the outputs of the graph")
    names = [str(getattr(output, "name", output)) for output in outputs]
    partition = divide(input_graph_def, names, settings.minimum_segment_size)
    if settings.precision == "INT8":
        calibration = start_calibration(partition)
        if calibration.recorders:
            if output_saved_model_dir is not None:
                raise InputError(
                    "a calibration graph is not for a SavedModel: calibrate it, or use "
                    "TrtGraphConverterV2, which does"
                )
            return keep_calibration(calibration, settings)
    graph = build(partition, settings).graph
    if output_saved_model_dir is not None:
        if served is None:
            raise InputError("output_saved_model_dir needs the signature of input_saved_model_dir")
        load_op_library()
        write_saved_model(output_saved_model_dir, dataclasses.replace(served, graph=graph))
    return graph


def calib_graph_to_infer_graph(
    calibration_graph_def: GraphDef, is_dynamic_op: bool = False
) -> GraphDef:
    """The int8 graph of a calibration graph that has been run on data in this process.

    Raises InputError when it has not, or is no calibration graph.
    """
    say_meaningless(is_dynamic_op=(is_dynamic_op, False))
    with taken_calibration(calibration_graph_def) as (calibration, settings):
        return build(calibration.partition, settings, calibration.int8()).graph


def _served(
    folder: str | Path | None, tags: Sequence[str] | None, signature: str | None
) -> ServedGraph:
    if folder is None:
        raise InputError("give input_graph_def or input_saved_model_dir")
    return read_saved_model(folder, tags, signature)
