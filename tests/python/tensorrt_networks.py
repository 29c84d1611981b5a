"""TensorRT networks of Graphs, and what they compute by way of the CPU engine; nothing executes on
a GPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from chexnet_trt import _core
from chexnet_trt.builder import compile_core
from chexnet_trt.native_engine import NativeEngine
from chexnet_trt.tensorrt import adapter
from chexnet_trt.tensorrt.lowering import Lowered, lower
from tensorrt_readback import CLASSES, read_back

needs_rtx = pytest.mark.skipif(
    adapter.RTX not in adapter.installed(),
    reason="tensorrt_rtx is not installed: pip install 'chexnet_trt[tensorrt-rtx]'",
)


@dataclass
class Built:
    """A network with all that it must not outlive."""

    api: adapter.Api
    builder: Any
    network: Any
    lowered: Lowered

    def layers(self, kind: str) -> list[Any]:
        """Those of a kind, "CONVOLUTION", as their own class."""
        trt = self.api.trt
        found = []
        for layer in map(self.network.get_layer, range(self.network.num_layers)):
            if trt.ILayer.type.fget(layer).name == kind:
                layer.__class__ = getattr(trt, CLASSES[kind])
                found.append(layer)
        return found


def network_of(
    graph: _core.Graph,
    precision: str = "fp32",
    batch: int | None = None,
    api: adapter.Api | None = None,
) -> Built:
    api = api or adapter.load(adapter.RTX)
    builder = api.create_builder()
    network = api.create_network(builder)
    lowered = lower(api, graph, network, precision=precision, batch=batch)
    return Built(api, builder, network, lowered)


def cpu_engine(graph: _core.Graph, batch: int = 1) -> NativeEngine:
    """For batches up to `batch` where the graph has one."""
    largest = batch if any(None in node.shape for node in graph.inputs) else 1
    core, _ = compile_core(graph, max_batch=largest, timing_budget_ms=0, embed_blob=False)
    return NativeEngine(core)


def run(
    graph: _core.Graph, feeds: Mapping[str, np.ndarray], batch: int = 1
) -> dict[str, np.ndarray]:
    return cpu_engine(graph, batch).infer(dict(feeds))


def computed(
    built: Built, feeds: Mapping[str, np.ndarray], batch: int, *, widened: bool = False
) -> dict[str, np.ndarray]:
    """What the network means for `feeds`, by the CPU engine. `widened`: with float16 and bfloat16
    computed in float32.
    """
    return run(read_back(built.api.trt, built.network, batch, widened=widened), feeds, batch)
