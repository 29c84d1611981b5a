"""IdentityN nodes hand on what they read; Keras writes them around its activations."""

from __future__ import annotations

from collections.abc import Sequence

from chexnet_trt.export.inference_graph import sub_graph
from chexnet_trt.integrated.dataflow import tensor_name
from chexnet_trt.uff.context import is_control, strip
from chexnet_trt.uff.graph_def import GraphDef


def without_identity_n(graph: GraphDef, outputs: Sequence[str]) -> GraphDef:
    """Whoever reads such a node reads what it reads. Those that are outputs or wait for others
    stay. The nodes of `graph` change."""
    kept = set(map(strip, outputs))
    sources = {
        f"{node.name}:{index}": source
        for node in graph.node
        if node.op == "IdentityN" and node.name not in kept
        if not any(is_control(item) for item in node.input)
        for index, source in enumerate(node.input)
    }
    for node in graph.node:
        for index, item in enumerate(node.input):
            while not is_control(item) and tensor_name(item) in sources:
                item = sources[tensor_name(item)]
            node.input[index] = item
    return sub_graph(graph, outputs)
