"""TensorFlow graphs for tests of the integrated mode: making, running, comparing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1


def graph_of(build: Callable[..., object], *shapes: Sequence[int | None]) -> Any:
    """The GraphDef of `build(x0, x1, ...)`, float32 placeholders of those names and `shapes`."""
    with tf.Graph().as_default() as graph:
        build(*[v1.placeholder(tf.float32, shape, f"x{i}") for i, shape in enumerate(shapes)])
    return graph.as_graph_def()


def run(graph: Any, outputs: Sequence[str], feed: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    with tf.Graph().as_default() as imported:
        v1.import_graph_def(graph, name="")
        with v1.Session(graph=imported) as session:
            return session.run([f"{name}:0" for name in outputs], feed)


def random_images(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def ops(graph: Any) -> list[str]:
    return sorted(node.op for node in graph.node if node.op not in ("Const", "Placeholder"))
