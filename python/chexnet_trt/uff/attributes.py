"""Attributes and inputs of TensorFlow nodes."""

from __future__ import annotations

from typing import Any

from chexnet_trt._core import InputError
from chexnet_trt.uff import graph_def as tf


def attribute(node: tf.NodeDef, name: str, kind: str, default: Any) -> Any:  # noqa: ANN401
    """An attribute, or the op's default: exporters may strip defaults."""
    return getattr(node.attr[name], kind) if name in node.attr else default


def need_inputs(node: tf.NodeDef, inputs: list[str], count: int) -> None:
    if len(inputs) != count:
        raise InputError(
            f"{node.op} node '{node.name}' has {len(inputs)} inputs in place of {count}: the graph "
            "is damaged"
        )
