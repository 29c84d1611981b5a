"""TensorFlow ops without a UFF op: they keep their attributes and get the name `_Op`."""

from __future__ import annotations

from typing import Any

from chexnet_trt.uff import graph_def as tf
from chexnet_trt.uff.constants import uff_type
from chexnet_trt.uff.context import Context


def convert_custom(node: tf.NodeDef, inputs: list[str], context: Context) -> list[str]:
    context.warn(f"Warning: No conversion function registered for layer: {node.op} yet.")
    context.warn(f"Converting {node.name} as custom op: {node.op}")
    context.custom.append(node)
    fields = {name: _data(node.attr[name]) for name in sorted(node.attr)}
    context.emit(node.name, "_" + node.op, inputs, **fields)
    return inputs


def _data(attr: tf.AttrValue) -> Any:  # noqa: ANN401
    """The UFF value, or None for an empty list, a tensor or a function, which UFF cannot hold."""
    kind = attr.WhichOneof("value")
    if kind in ("i", "f", "b"):
        return getattr(attr, kind)
    if kind == "s":
        return str(attr.s)
    if kind == "type":
        return uff_type(attr.type)
    if kind == "shape":
        return _dims(attr.shape)
    if kind == "list":
        return _list(attr.list)
    return None


def _list(values: Any) -> list[Any] | None:  # noqa: ANN401
    if values.s:
        return [str(value) for value in values.s]
    if values.type:
        return [uff_type(value) for value in values.type]
    for field in ("i", "f", "b"):
        if getattr(values, field):
            return list(getattr(values, field))
    return None


def _dims(shape: Any) -> list[int]:  # noqa: ANN401
    return [dim.size for dim in shape.dim]
