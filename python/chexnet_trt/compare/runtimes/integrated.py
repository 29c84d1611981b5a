"""The integrated mode: a TensorFlow graph whose segments run in our engines."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from chexnet_trt import integrated, load
from chexnet_trt._core import InputError
from chexnet_trt.compare.modes import Mode
from chexnet_trt.compare.runtimes.devices import require
from chexnet_trt.compare.runtimes.graph_session import GraphSession, read_graph
from chexnet_trt.compare.setting import INPUT, OUTPUT, Setting
from chexnet_trt.engine import Engine

ENGINE_OP = "ChexnetTrtEngine"


def open_session(mode: Mode, setting: Setting) -> GraphSession:
    require(mode.backend, mode.precision)
    native = read_graph(mode, setting)
    integrated.load_op_library()
    graph = integrated.create_inference_graph(
        input_graph_def=native,
        outputs=[OUTPUT],
        max_batch_size=setting.max_batch,
        precision_mode=mode.precision,
    )
    if mode.precision == "int8":
        _calibrate(graph, setting)
        graph = integrated.calib_graph_to_infer_graph(graph)
    return GraphSession(graph, setting, facts_of(graph, mode.precision))


def facts_of(graph: Any, precision: str) -> dict[str, Any]:  # noqa: ANN401 - a GraphDef
    """Raises InputError when no engine computes in `precision`, which is permitted, not forced."""
    engines = list(_engines(graph))
    if not engines:
        raise InputError("no part of the graph runs in an engine")
    found = [engine.precision for engine in engines]
    if precision not in found:
        raise InputError(f"the builder took {found[0]}, which it found to be faster")
    return {
        "engines": len(engines),
        "nodes_left": len(graph.node) - len(engines),
        "precisions": found,
        "slice": max(engine.slice for engine in engines),
        "slices_at_once": max(engine.slices_at_once for engine in engines),
    }


def _engines(graph: Any) -> Iterator[Engine]:  # noqa: ANN401
    for node in graph.node:
        if node.op == ENGINE_OP:
            with tempfile.NamedTemporaryFile(suffix=".engine") as file:
                file.write(node.attr["engine"].s)
                file.flush()
                yield load(file.name)


def _calibrate(graph: Any, setting: Setting) -> None:  # noqa: ANN401
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(graph, name="")
        for image in np.load(setting.calibration):
            session.run(f"{OUTPUT}:0", {f"{INPUT}:0": image[None]})
