"""What lowering one node needs: the network that grows, its types, its weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from chexnet_trt import _core
from chexnet_trt.tensorrt.adapter import Api

# The element type in which float32 of the graph is computed; what is quantised is int8 anyway.
COMPUTED = {
    "fp32": "float32",
    "fp16": "float16",
    "bf16": "bfloat16",
    "int8": "float32",
    "mixed": "bfloat16",
}


@dataclass(frozen=True)
class Constant:
    """A node's constant; bfloat16 as uint16, as everywhere in this project."""

    name: str
    array: NDArray[Any]
    element: str


@dataclass
class Context:
    """`batch`: the static batch, None for one of an optimisation profile. `layers`: layer name ->
    node name. `weights`: memory that TensorRT reads until the engine is built.
    """

    api: Api
    network: Any
    precision: str
    batch: int | None
    node: str = ""
    layers: dict[str, str] = field(default_factory=dict)
    weights: list[NDArray[Any]] = field(default_factory=list)
    tensors: dict[object, Any] = field(default_factory=dict)

    @property
    def trt(self) -> Any:  # noqa: ANN401
        return self.api.trt

    def computed(self, element: str) -> str:
        """The element type that stands for `element` of the graph inside the network."""
        return COMPUTED[self.precision] if element == "float32" else element

    def data_type(self, element: str) -> Any:  # noqa: ANN401
        """TensorRT's type for an element type of the graph, as it is."""
        kinds = self.trt.DataType
        return {
            "float32": kinds.FLOAT,
            "float16": kinds.HALF,
            "bfloat16": kinds.BF16,
            "int8": kinds.INT8,
            "uint8": kinds.UINT8,
            "int32": kinds.INT32,
            "int64": kinds.INT64,
        }[element]

    def shape(self, shape: Sequence[int | None]) -> tuple[int, ...]:
        """The graph's shape with the batch put in; -1 where it is dynamic."""
        batch = -1 if self.batch is None else self.batch
        return tuple(batch if extent is None else extent for extent in shape)

    def added(self, layer: Any, part: str = "") -> Any:  # noqa: ANN401
        """`layer`, named after the node (and the part of it). Raises BackendError when TensorRT
        refused to add it, which it says in its log alone.
        """
        if layer is None:
            self.refused()
        name = self.node + part
        count = 1
        while name in self.layers:
            count += 1
            name = f"{self.node}{part}_{count}"
        layer.name = name
        self.layers[name] = self.node
        return layer

    def refused(self) -> NoReturn:
        raise _core.BackendError("; ".join(self.api.log.errors()) or "TensorRT refuses it")

    def memory(self, constant: Constant, element: str | None = None) -> Any:  # noqa: ANN401
        """Weights over the constant's numbers, as `element` or in the type that computes them."""
        element = element or self.computed(constant.element)
        array = np.ascontiguousarray(converted(constant, element))
        self.weights.append(array)
        return self.trt.Weights(self.data_type(element), array.ctypes.data, array.size)

    def constant(self, constant: Constant, part: str = "") -> Any:  # noqa: ANN401
        """A tensor of the constant in the type that computes it."""
        return self._constant(constant, self.computed(constant.element), part)

    def _constant(self, constant: Constant, element: str, part: str) -> Any:  # noqa: ANN401
        memory = self.memory(constant, element)
        layer = self.network.add_constant(constant.array.shape, memory)
        return self.added(layer, part).get_output(0)

    def scale(self, scale: Constant) -> Any:  # noqa: ANN401
        """A tensor of the scales of a quantise or dequantise layer: float32 in every precision, for
        TensorRT takes no other bits than those of the calibration then.
        """
        if scale.name not in self.tensors:
            self.tensors[scale.name] = self._constant(scale, "float32", "/" + scale.name)
        return self.tensors[scale.name]

    def quantize(self, tensor: Any, scale: Any, axis: int) -> Any:  # noqa: ANN401
        """int8 of a tensor, whose type has to be that of the scale. `axis`: of the scales; of no
        meaning for a single one.
        """
        tensor = self.cast(tensor, "float32", "/to_float32")
        layer = self.network.add_quantize(tensor, scale, self.trt.DataType.INT8)
        if len(scale.shape) == 1:
            layer.axis = axis
        return self.added(layer).get_output(0)

    def dequantize(self, tensor: Any, scale: Any, axis: int, part: str = "") -> Any:  # noqa: ANN401
        """int8 to the type that the network computes in. `axis`: of the scales; of no meaning for a
        single one.
        """
        layer = self.network.add_dequantize(tensor, scale, self.trt.DataType.FLOAT)
        if len(scale.shape) == 1:
            layer.axis = axis
        tensor = self.added(layer, part).get_output(0)
        return self.cast(tensor, self.computed("float32"), part + "/from_float32")

    def int64(self, values: Sequence[int], part: str) -> Any:  # noqa: ANN401
        """A tensor of numbers of our own."""
        return self.constant(Constant("", np.array(values, np.int64), "int64"), part)

    def cast(self, tensor: Any, element: str, part: str = "") -> Any:  # noqa: ANN401
        kind = self.data_type(element)
        if tensor.dtype == kind:
            return tensor
        return self.added(self.network.add_cast(tensor, kind), part).get_output(0)

    def cast_like(self, tensor: Any, other: Any, part: str = "") -> Any:  # noqa: ANN401
        """`tensor` in the type of `other`."""
        if tensor.dtype == other.dtype:
            return tensor
        return self.added(self.network.add_cast(tensor, other.dtype), part).get_output(0)

    def number(self, value: float, like: Any, part: str) -> Any:  # noqa: ANN401
        """A constant of extents 1 to compute with `like`."""
        array = np.full((1,) * len(like.shape), value, np.float32)
        return self.cast_like(self._constant(Constant("", array, "float32"), "float32", part), like)

    def binary(self, a: Any, b: Any, operation: Any, part: str = "") -> Any:  # noqa: ANN401
        return self.added(self.network.add_elementwise(a, b, operation), part).get_output(0)

    def unary(self, x: Any, operation: Any, part: str = "") -> Any:  # noqa: ANN401
        return self.added(self.network.add_unary(x, operation), part).get_output(0)

    def window(
        self,
        x: Any,  # noqa: ANN401
        begin: Sequence[int],
        sizes: Sequence[int],
        strides: Sequence[int],
        part: str = "",
    ) -> Any:  # noqa: ANN401
        """Elements begin, begin + stride, ... of every axis, zeros where there are none. `sizes`:
        how many; -1 for all of a dynamic batch.
        """
        fills = any(map(_reaches_outside, x.shape, begin, sizes, strides))
        source = self._fillable(x, part) if fills else x
        static = tuple(1 if size == -1 else size for size in sizes)
        layer = self.network.add_slice(source, tuple(begin), static, tuple(strides))
        layer = self.added(layer, part)
        if fills:
            layer.mode = self.trt.SampleMode.FILL
        if -1 in sizes:
            layer.set_input(2, self._sizes(source, sizes, part))
        return self.cast_like(layer.get_output(0), x, part + "/from_filled")

    def _fillable(self, x: Any, part: str) -> Any:  # noqa: ANN401
        """NVIDIA's reference of operators has no filling slices of bfloat16 and int64."""
        if x.dtype == self.trt.DataType.BF16:
            return self.cast(x, "float32", part + "/to_filled")
        if x.dtype == self.trt.DataType.INT64:
            return self.cast(x, "int32", part + "/to_filled")
        return x

    def _sizes(self, x: Any, sizes: Sequence[int], part: str) -> Any:  # noqa: ANN401
        """`sizes` as a tensor, with the extent of `x` where one is -1: the batch, at the front or
        behind whatever a transpose put there.
        """
        operation = self.trt.ElementWiseOperation
        shape = self.added(self.network.add_shape(x), part + "/shape").get_output(0)
        kept = self.int64([int(size == -1) for size in sizes], part + "/is_batch")
        given = self.int64([max(size, 0) for size in sizes], part + "/sizes")
        batch = self.binary(shape, kept, operation.PROD, part + "/batch")
        return self.binary(batch, given, operation.SUM, part + "/size")


def _reaches_outside(extent: int, begin: int, size: int, stride: int) -> bool:
    """-1: the batch, which is taken whole."""
    last = begin + (size - 1) * stride
    return size != -1 and not 0 <= min(begin, last) <= max(begin, last) < extent


def converted(constant: Constant, element: str) -> NDArray[Any]:
    """The constant's numbers rounded to `element`. Raises InputError when they do not fit."""
    if constant.element == element:
        return constant.array
    if element == "float16":
        with np.errstate(over="ignore"):
            result = constant.array.astype(np.float16)
        if (np.isinf(result) & np.isfinite(constant.array)).any():
            raise _core.InputError(
                f"'{constant.name}' has values beyond float16's 65504; build in bf16 or fp32"
            )
        return result
    return to_bfloat16(constant.array)


def to_bfloat16(array: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The nearest bfloat16 of float32, ties to even, as uint16; a NaN stays one."""
    bits = array.view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    result: NDArray[np.uint16] = np.where(np.isnan(array), 0x7FC0, rounded).astype(np.uint16)
    return result
