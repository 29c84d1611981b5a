"""Values of the graph as TensorRT holds them, and how they lie in memory.

A transpose of the graph changes the order that a value is said to lie in, and nothing else; so a
network that is NHWC for TensorFlow runs on channels-first tensors from its first convolution to its
last, and a shuffle is added only where an op needs another order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chexnet_trt.tensorrt.context import Constant, Context

Order = tuple[int, ...]


@dataclass(frozen=True)
class Int8Weights:
    """Dequantised constants, of the node `name`: values * scales, one scale an index of `axis`, or
    one in all.
    """

    name: str
    values: Constant
    scales: Constant
    axis: int


@dataclass(frozen=True)
class Value:
    """`source`: a tensor of TensorRT, a constant not yet added, or int8 weights. Axis i of it is
    axis `order[i]` of the value in the graph. `name`: of the node.
    """

    source: Any
    order: Order
    name: str

    @property
    def is_constant(self) -> bool:
        return isinstance(self.source, (Constant, Int8Weights))

    @property
    def shape(self) -> tuple[int, ...]:
        """As it lies; -1 for a dynamic batch."""
        if isinstance(self.source, Constant):
            return self.source.array.shape
        if isinstance(self.source, Int8Weights):
            return self.source.values.array.shape
        return tuple(self.source.shape)

    def position(self, axis: int) -> int:
        """Where an axis of the graph's value lies."""
        return self.order.index(axis)

    def arrange(self, per_axis: Sequence[int]) -> tuple[int, ...]:
        """Entries given an axis of the graph's value, put in the order of memory."""
        return tuple(per_axis[axis] for axis in self.order)


def plain(rank: int) -> Order:
    return tuple(range(rank))


def channels_first(layout: str) -> Order:
    """The order that puts an image of this layout into N, C, H, W."""
    return (0, 3, 1, 2) if layout == "nhwc" else (0, 1, 2, 3)


def same_memory(value: Value, order: Order) -> bool:
    """Whether the memory of `value` reads the same in `order`: only axes of extent 1 move."""
    extents = dict(zip(value.order, value.shape, strict=True))
    moved = [[axis for axis in axes if extents[axis] != 1] for axes in (value.order, order)]
    return moved[0] == moved[1]


def arranged(context: Context, value: Value, order: Order) -> Value:
    """`value` lying in `order`: as it is, a reshape where only axes of extent 1 move, a constant's
    bytes moved now, or a transpose.
    """
    if value.order == order:
        return value
    axes = tuple(value.order.index(axis) for axis in order)
    if same_memory(value, order) and not isinstance(value.source, Int8Weights):
        return reshaped(context, value, tuple(value.shape[axis] for axis in axes), order)
    return Value(_transposed(context, value, axes), order, value.name)


def with_rank(context: Context, value: Value, rank: int) -> Value:
    """`value` with leading axes of extent 1 up to `rank`."""
    added = rank - len(value.order)
    if added == 0:
        return value
    order = plain(added) + tuple(axis + added for axis in value.order)
    return reshaped(context, value, (1,) * added + value.shape, order)


def reshaped(context: Context, value: Value, shape: tuple[int, ...], order: Order) -> Value:
    """Another shape over the same memory, which lies in `order` then."""
    source = value.source
    if value.shape == shape:
        return Value(source, order, value.name)
    if isinstance(source, Constant):
        view = Constant(source.name, source.array.reshape(shape), source.element)
        return Value(view, order, value.name)
    shuffle = context.added(context.network.add_shuffle(tensor_of(context, value)), "/reshape")
    shuffle.reshape_dims = shape
    return Value(shuffle.get_output(0), order, value.name)


def logical_tensor(context: Context, value: Value) -> Any:  # noqa: ANN401
    """A tensor that lies as the graph says."""
    return tensor_of(context, arranged(context, value, plain(len(value.order))))


def tensor_of(context: Context, value: Value) -> Any:  # noqa: ANN401
    """A tensor that lies as `value` does. A constant is added once for each way to lie."""
    if not value.is_constant:
        return value.source
    key = (value.name, value.order, value.shape)
    if key not in context.tensors:
        context.tensors[key] = _constant_tensor(context, value.source)
    return context.tensors[key]


def _transposed(context: Context, value: Value, axes: tuple[int, ...]) -> Any:  # noqa: ANN401
    source = value.source
    if isinstance(source, Constant):
        return _moved(source, axes)
    if isinstance(source, Int8Weights):
        return Int8Weights(
            source.name, _moved(source.values, axes), source.scales, axes.index(source.axis)
        )
    shuffle = context.added(context.network.add_shuffle(source), "/transpose")
    shuffle.first_transpose = axes
    return shuffle.get_output(0)


def _moved(constant: Constant, axes: tuple[int, ...]) -> Constant:
    array = np.ascontiguousarray(constant.array.transpose(axes))
    return Constant(constant.name, array, constant.element)


def _constant_tensor(context: Context, source: Constant | Int8Weights) -> Any:  # noqa: ANN401
    if isinstance(source, Constant):
        return context.constant(source, "/" + source.name)
    values = context.constant(source.values, "/" + source.values.name)
    scales = context.scale(source.scales)
    return context.dequantize(values, scales, source.axis, "/" + source.name)
