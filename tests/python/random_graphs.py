"""Random TensorFlow graphs in which ops that engines have and ops that they have not alternate.

Every value is [batch, WIDTH] float32, so that any may be read by any op.
"""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import tensorflow as tf

from chexnet_trt.export.inference_graph import sub_graph

v1 = tf.compat.v1

WIDTH = 4
_WEIGHTS = np.random.default_rng(0).normal(size=(WIDTH, WIDTH)).astype(np.float32)


def _weights() -> Any:
    """One constant for the whole graph."""
    graph = v1.get_default_graph()
    found = graph.get_collection("weights")
    if not found:
        graph.add_to_collection("weights", tf.constant(_WEIGHTS, name="weights"))
    return graph.get_collection("weights")[0]


def _top_k(x: Any) -> Any:
    """Both outputs are read."""
    values, indices = tf.math.top_k(x, WIDTH)
    return values + tf.cast(indices, tf.float32)


ONE = {
    "relu": tf.nn.relu,
    "tanh": tf.tanh,
    "identity": tf.identity,
    "matmul": lambda x: tf.matmul(x, _weights()),
    "scale": lambda x: x * tf.sqrt(tf.abs(_weights()[0]) + 0.1),
    "reshape": lambda x: tf.reshape(tf.reshape(x, [tf.shape(x)[0], 2, -1]), [-1, WIDTH]),
    "mean": lambda x: x - tf.reduce_mean(x, 1, keepdims=True),
    "softmax": tf.nn.softmax,
    # What engines have not:
    "sort": tf.sort,
    "top_k": _top_k,
    "cumsum": tf.cumsum,
    "where": lambda x: tf.where(x > 0, x, x * 0.5),
    "text": lambda x: tf.strings.to_number(tf.strings.as_string(tf.round(x * 8), precision=2)),
    "batch_mean": lambda x: x + tf.reduce_mean(x, 0),
}
TWO = {
    "add": tf.add,
    "multiply": tf.multiply,
    "concat": lambda x, y: tf.concat([x, y], 1)[:, 1 : WIDTH + 1],
    "maximum": tf.maximum,
    "not_equal": lambda x, y: tf.where(tf.not_equal(x, y), x, y),
}


@st.composite
def recipes(draw: st.DrawFn) -> list[tuple[str, int, int, int | None]]:
    """Rows of op, its operands, and a value that it waits for; operands are earlier values, 0 and 1
    being the placeholders."""
    rows = []
    for index in range(2, draw(st.integers(5, 16))):
        earlier = st.integers(max(0, index - 6), index - 1)
        op = draw(st.sampled_from([*ONE, *TWO]))
        rows.append((op, draw(earlier), draw(earlier), draw(st.none() | earlier)))
    return rows


def build(rows: list[tuple[str, int, int, int | None]]) -> tuple[Any, list[str], list[str]]:
    """The GraphDef, the placeholders that its outputs need, and its outputs: what nothing reads,
    and one value in the middle."""
    with tf.Graph().as_default() as graph:
        values = [v1.placeholder(tf.float32, [None, WIDTH], name) for name in ("x0", "x1")]
        used = set()
        for op, first, second, waits_for in rows:
            after = [] if waits_for is None else [values[waits_for]]
            with tf.control_dependencies(after):
                if op in ONE:
                    values.append(ONE[op](values[first]))
                    used.add(first)
                else:
                    values.append(TWO[op](values[first], values[second]))
                    used |= {first, second}
        names = {values[i].op.name for i in range(2, len(values)) if i not in used}
        names.add(values[len(values) // 2 + 1].op.name)
    outputs = sorted(names)
    graph_def = sub_graph(graph.as_graph_def(), outputs)
    inputs = sorted(node.name for node in graph_def.node if node.op == "Placeholder")
    return graph_def, inputs, outputs
