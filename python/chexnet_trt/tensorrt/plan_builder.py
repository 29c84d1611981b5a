"""Graph -> plan: lowers, configures, builds."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chexnet_trt import _core
from chexnet_trt.progress import Progress
from chexnet_trt.tensorrt.adapter import Api
from chexnet_trt.tensorrt.config import add_profile, configure, write_timing_cache
from chexnet_trt.tensorrt.lowering import lower
from chexnet_trt.tensorrt.monitor import Monitor
from chexnet_trt.tensorrt.options import Batches, Options

# TensorRT has one log a process: builds take turns, so that each finds its own errors in it.
_BUILDING = threading.Lock()
# Logged in every build without a driver, also in those that succeed.
_NOISE = "CUDA driver version is insufficient"


def build_plan(
    api: Api,
    graph: _core.Graph,
    *,
    precision: str,
    batches: Batches,
    options: Options,
    progress: Progress | None = None,
) -> Any:  # noqa: ANN401 - IHostMemory
    """TensorRT's plan, a buffer. `precision`: as `lower` takes it.

    Raises InputError on options that do not fit, and BackendError with TensorRT's words, and the
    node that they are about, when it cannot build.
    """
    with _BUILDING:
        builder = api.create_builder()
        network = api.create_network(builder)
        batch = batches.most if batches.static else None
        lowered = lower(api, graph, network, precision=precision, batch=batch)
        config = configure(api, builder, options)
        if not batches.static:
            add_profile(builder, config, graph, batches)
        plan = _build(api, builder, network, config, progress)
        if plan is None:
            raise _core.BackendError(_failure(api, lowered.layers))
        if options.timing_cache:
            write_timing_cache(config, Path(options.timing_cache))
        return plan


def _build(
    api: Api,
    builder: Any,  # noqa: ANN401
    network: Any,  # noqa: ANN401
    config: Any,  # noqa: ANN401
    progress: Progress | None,
) -> Any:  # noqa: ANN401
    """None when TensorRT cannot. Raises what `progress` raised."""
    monitor = Monitor(api.trt, progress) if progress else None
    if monitor is not None:
        config.progress_monitor = monitor.sink
    api.log.clear()
    plan = builder.build_serialized_network(network, config)
    if monitor is not None and monitor.error is not None:
        raise monitor.error
    return plan


def _failure(api: Api, layers: Mapping[str, str]) -> str:
    errors = [text for text in api.log.errors() if _NOISE not in text] or api.log.errors()
    text = "; ".join(errors) or "it does not say why"
    node = node_of(text, layers)
    where = f" at the node '{node}'" if node else ""
    return f"{api} cannot build the network{where}: {text}"


def node_of(text: str, layers: Mapping[str, str]) -> str | None:
    """The node of the layer that TensorRT's message names first. TensorRT adds to names, as in
    `dense/MatMul_U189`.
    """
    found = []
    for name in layers:
        place = re.search(rf"(?<![\w/.]){re.escape(name)}(?![A-Za-z0-9/])", text)
        if place:
            found.append((place.start(), -len(name), name))
    return layers[min(found)[2]] if found else None
