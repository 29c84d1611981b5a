"""What constants alone decide becomes a constant: the converter takes some parameters in no other
form, such as the reshaped bias that Keras adds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import tensorflow as tf

from chexnet_trt import tensorflow_ops
from chexnet_trt.export.inference_graph import sub_graph
from chexnet_trt.integrated.dataflow import OF_PARAMETERS, control_inputs, data_inputs, in_order
from chexnet_trt.uff.context import PASS_THROUGH, strip
from chexnet_trt.uff.graph_def import GraphDef, NodeDef

v1 = tf.compat.v1

# Those that the converter looks through stay: they would only copy weights.
_FOLDED = OF_PARAMETERS - PASS_THROUGH - tensorflow_ops.BATCH_NORMS - {"Identity"}


def fold_constants(graph: GraphDef, outputs: Sequence[str]) -> GraphDef:
    """The graph with such nodes as Const nodes of the same name, computed by TensorFlow."""
    nodes = {node.name: node for node in graph.node}
    constant = _constant(nodes[name] for name in in_order(nodes))
    read = {strip(item) for node in graph.node if node.name not in constant for item in node.input}
    wanted = sorted(
        name for name in constant & (read | set(map(strip, outputs))) if nodes[name].op in _FOLDED
    )
    if not wanted:
        return graph
    config = v1.ConfigProto(allow_soft_placement=True)
    with tf.Graph().as_default() as part, v1.Session(graph=part, config=config) as session:
        v1.import_graph_def(sub_graph(graph, wanted), name="")
        values = session.run([f"{name}:0" for name in wanted])
    folded = type(graph)()
    folded.CopyFrom(graph)
    found = dict(zip(wanted, values, strict=True))
    for node in folded.node:
        if node.name in found:
            tensor = tf.make_tensor_proto(found[node.name])
            node.CopyFrom(v1.NodeDef(name=node.name, op="Const"))
            node.attr["dtype"].type = tensor.dtype
            node.attr["value"].tensor.CopyFrom(tensor)
    return sub_graph(folded, outputs)


def _constant(nodes: Iterable[NodeDef]) -> set[str]:
    """nodes: producers first. Those that wait for another node are not among the result."""
    found: set[str] = set()
    for node in nodes:
        sources = {strip(tensor) for tensor in data_inputs(node)}
        known = node.op == "Const" or (node.op in OF_PARAMETERS and sources and sources <= found)
        if known and not control_inputs(node):
            found.add(node.name)
    return found
