"""The values of TensorFlow Const nodes as arrays of the element types that UFF has."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt._core import InputError
from chexnet_trt._core.uff import DataType
from chexnet_trt.uff import graph_def as tf

Array = NDArray[Any]

UFF_TYPES = {
    np.dtype(np.int8): DataType(0x10008),
    np.dtype(np.int16): DataType(0x10010),
    np.dtype(np.int32): DataType(0x10020),
    np.dtype(np.int64): DataType(0x10040),
    np.dtype(np.float16): DataType(0x20010),
    np.dtype(np.float32): DataType(0x20020),
}
UNKNOWN_TYPE = DataType(7)

# TensorFlow type -> element type of `tensor_content`, and the list field of single values.
_STORAGE: dict[int, tuple[Any, str]] = {
    tf.DT_FLOAT: (np.float32, "float_val"),
    tf.DT_DOUBLE: (np.float64, "double_val"),
    tf.DT_INT32: (np.int32, "int_val"),
    tf.DT_INT16: (np.int16, "int_val"),
    tf.DT_INT8: (np.int8, "int_val"),
    tf.DT_UINT8: (np.uint8, "int_val"),
    tf.DT_UINT16: (np.uint16, "int_val"),
    tf.DT_INT64: (np.int64, "int64_val"),
    tf.DT_BOOL: (np.bool_, "bool_val"),
    tf.DT_HALF: (np.float16, "half_val"),
}
_MAX_ELEMENTS = 1 << 33


def uff_type(tensorflow_type: int) -> DataType:
    """The UFF element type, or the number 7 ("not known") when UFF has none."""
    if tensorflow_type not in _STORAGE:
        return UNKNOWN_TYPE
    return UFF_TYPES.get(np.dtype(_STORAGE[tensorflow_type][0]), UNKNOWN_TYPE)


def value_of(node: tf.NodeDef) -> Array:
    """The array of a Const node in its own element type. Raises InputError naming the node."""
    if "value" not in node.attr:
        raise InputError(f"Const node '{node.name}' has no value: the graph is damaged")
    tensor = node.attr["value"].tensor
    if tensor.dtype not in _STORAGE:
        raise InputError(
            f"Const node '{node.name}' holds {tf.dtype_name(tensor.dtype)} values, which UFF does "
            "not have: cast them to float32 in the graph"
        )
    element, field = _STORAGE[tensor.dtype]
    shape = _shape_of(node.name, tensor)
    count = math.prod(shape)
    if tensor.tensor_content:
        values = _content(node.name, tensor.tensor_content, np.dtype(element))
    elif tensor.dtype == tf.DT_HALF:
        values = np.asarray(tensor.half_val, np.uint16).view(np.float16)
    else:
        values = np.asarray(getattr(tensor, field)).astype(element)
    return _filled(node.name, values, count).reshape(shape)


def uff_value_of(node: tf.NodeDef) -> Array:
    """The array in an element type of UFF: float64 becomes float32 where that is exact."""
    values = value_of(node)
    if values.dtype in UFF_TYPES:
        return values
    if values.dtype == np.float64:
        with np.errstate(over="ignore"):
            narrow = values.astype(np.float32)
        if np.array_equal(narrow, values, equal_nan=True):
            return narrow
        raise InputError(
            f"Const node '{node.name}' holds float64 values that float32 cannot hold exactly, and "
            "UFF has no float64: cast them to float32 in the graph"
        )
    raise InputError(
        f"Const node '{node.name}' holds {values.dtype} values, which UFF does not have: cast "
        "them to int32 or float32 in the graph"
    )


def strings_of(node: tf.NodeDef) -> list[str]:
    return [text.decode("utf-8", "replace") for text in node.attr["value"].tensor.string_val]


def _shape_of(name: str, tensor: tf.TensorProto) -> tuple[int, ...]:
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise InputError(f"Const node '{name}' has no definite shape: the graph is damaged")
    if math.prod(shape) > _MAX_ELEMENTS:
        raise InputError(f"Const node '{name}' has the impossible shape {list(shape)}")
    return shape


def _content(name: str, content: bytes, element: np.dtype[Any]) -> Array:
    if len(content) % element.itemsize:
        raise InputError(
            f"Const node '{name}' holds {len(content)} bytes, which is not a whole number of "
            f"{element} values: the graph is damaged"
        )
    return np.frombuffer(content, element)


def _filled(name: str, values: Array, count: int) -> Array:
    """Repeats the last value up to `count`, as TensorFlow does; no value at all means zero."""
    if values.size == count:
        return values
    if values.size > count:
        raise InputError(
            f"Const node '{name}' holds {values.size} values for a shape of {count}: the graph is "
            "damaged"
        )
    out = np.zeros(count, values.dtype)
    if values.size:
        out[: values.size] = values
        out[values.size :] = values[-1]
    return out
