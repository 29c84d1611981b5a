"""Networks as frozen TensorFlow graphs, built without TensorFlow."""

from __future__ import annotations

from chexnet_trt.models.networks import NETWORKS, Network, build_graph, build_random_graph

__all__ = ["NETWORKS", "Network", "build_graph", "build_random_graph"]
