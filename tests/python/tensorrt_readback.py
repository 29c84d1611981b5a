"""A TensorRT network read back, through its read API alone, into a Graph with the same meaning.

Nothing here comes from the lowering: what a layer computes is taken from NVIDIA's reference of
operators (https://docs.nvidia.com/deeplearning/tensorrt/latest/_static/operators/), so that a Graph
that comes back with other results than the one that was lowered shows a mistake in the lowering.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chexnet_trt import _core

# Layer types whose attributes lie in a subclass that `get_layer` does not return by itself.
CLASSES = {
    "CONVOLUTION": "IConvolutionLayer", "DECONVOLUTION": "IDeconvolutionLayer",
    "POOLING": "IPoolingLayer", "ACTIVATION": "IActivationLayer", "UNARY": "IUnaryLayer",
    "ELEMENTWISE": "IElementWiseLayer", "REDUCE": "IReduceLayer", "SOFTMAX": "ISoftMaxLayer",
    "TOPK": "ITopKLayer", "SHUFFLE": "IShuffleLayer", "CONCATENATION": "IConcatenationLayer",
    "SLICE": "ISliceLayer", "PADDING": "IPaddingLayer", "GATHER": "IGatherLayer",
    "CAST": "ICastLayer", "IDENTITY": "IIdentityLayer", "CONSTANT": "IConstantLayer",
    "MATRIX_MULTIPLY": "IMatrixMultiplyLayer", "LRN": "ILRNLayer", "SCALE": "IScaleLayer",
    "SHAPE": "IShapeLayer", "QUANTIZE": "IQuantizeLayer", "DEQUANTIZE": "IDequantizeLayer",
}  # fmt: skip
_ELEMENTS = {
    "FLOAT": "float32", "HALF": "float16", "BF16": "bfloat16", "INT8": "int8", "UINT8": "uint8",
    "INT32": "int32", "INT64": "int64",
}  # fmt: skip
_BINARY = {
    "SUM": "add", "SUB": "sub", "PROD": "mul", "DIV": "div", "MIN": "min", "MAX": "max",
    "POW": "pow",
}  # fmt: skip
_REDUCE = {"SUM": "sum", "PROD": "prod", "MAX": "max", "MIN": "min", "AVG": "mean"}


def read_back(trt: Any, network: Any, batch: int = 1, *, widened: bool = False) -> _core.Graph:
    """The meaning of `network` at one batch size: a Graph without a dynamic batch.

    A node has the name of the tensor that it computes. `widened`: float16 and bfloat16 are read as
    float32, weights with the values that they have. Raises NotImplementedError on a layer or an
    attribute that is not understood.
    """
    return _Reader(trt, network, batch, widened).read()


def _bfloat16(weights: Any) -> np.ndarray:
    """uint16 of bfloat16, which NVIDIA's bindings do not show: from the Weights in memory, a
    pybind11 object that begins with Python's header and then points to {type, values, count}.
    """
    assert weights.dtype.name == "BF16"
    place = ctypes.c_void_p.from_address(id(weights) + object.__basicsize__).value
    assert place is not None
    kind = ctypes.c_int32.from_address(place).value
    count = ctypes.c_int64.from_address(place + 16).value
    assert (kind, count) == (weights.dtype.value, weights.size)
    values = ctypes.c_void_p.from_address(place + 8).value
    return np.ctypeslib.as_array((ctypes.c_uint16 * count).from_address(values)).copy()


class _Reader:
    def __init__(self, trt: Any, network: Any, batch: int, widened: bool) -> None:
        self.trt = trt
        self.widened = widened
        self.network = network
        self.batch = batch
        self.builder = _core.GraphBuilder()
        self.nodes: dict[str, _core.Node] = {}
        self.producers: dict[str, Any] = {}
        self.helpers = 0
        self.scales: dict[bytes, str] = {}

    def read(self) -> _core.Graph:
        for index in range(self.network.num_inputs):
            self._input(self.network.get_input(index))
        layers = [self.network.get_layer(index) for index in range(self.network.num_layers)]
        for layer in layers:
            for index in range(layer.num_outputs):
                self.producers[layer.get_output(index).name] = layer
        for layer in layers:
            self._layer(layer)
        for index in range(self.network.num_outputs):
            name = self.network.get_output(index).name
            self.builder.add_output(name, name)
        return self.builder.finish()

    def _input(self, tensor: Any) -> None:
        shape = [self.batch if extent == -1 else extent for extent in tensor.shape]
        # Which layout an image has is not for an operator set without image inputs to say.
        attributes = {"element": self.element(tensor.dtype), "shape": shape}
        self.add("input", tensor.name, [], attributes)

    def _layer(self, layer: Any) -> None:
        """After those that it reads, which may have been added to the network later."""
        if layer.get_output(0).name in self.nodes:
            return
        for index in range(layer.num_inputs):
            tensor = layer.get_input(index)
            if tensor is not None and tensor.name not in self.nodes:
                self._layer(self.producers[tensor.name])
        kind = self.trt.ILayer.type.fget(layer).name
        if kind not in CLASSES:
            raise NotImplementedError(f"layer '{layer.name}': {kind}")
        layer.__class__ = getattr(self.trt, CLASSES[kind])
        handler: Callable[[Any], None] = getattr(self, f"_{kind.lower()}")
        handler(layer)
        for index in range(layer.num_outputs):
            self._check(layer, layer.get_output(index))

    def _check(self, layer: Any, output: Any) -> None:
        """What is read must have the type and shape that TensorRT infers."""
        node = self.nodes[output.name]
        fits = len(node.shape) == len(output.shape) and all(
            theirs in (ours, -1) for ours, theirs in zip(node.shape, output.shape, strict=True)
        )
        if not fits or node.element_type != self.element(output.dtype):
            raise AssertionError(
                f"layer '{layer.name}': read as {node.element_type} {node.shape}, TensorRT says "
                f"{output.dtype.name} {tuple(output.shape)}"
            )

    def element(self, kind: Any) -> str:
        """Of a Graph, for a DataType."""
        element = _ELEMENTS[kind.name]
        return "float32" if self.widened and element in ("float16", "bfloat16") else element

    # Making nodes.

    def add(
        self,
        op: str,
        name: str,
        inputs: Sequence[str],
        attributes: dict[str, Any] | None = None,
    ) -> str:
        self.nodes[name] = self.builder.add(op, name, list(inputs), attributes or {})
        return name

    def helper(
        self, op: str, inputs: Sequence[str], attributes: dict[str, Any] | None = None
    ) -> str:
        """A node that is no tensor of TensorRT's."""
        self.helpers += 1
        return self.add(op, f"{op}#{self.helpers}", inputs, attributes)

    def number(self, value: float, like: str) -> str:
        """A scalar constant of the element type of a node."""
        element = self.nodes[like].element_type
        if element == "bfloat16":
            return self.helper("cast", [self.array(np.float32(value))], {"to": element})
        return self.array(np.asarray(value, element))

    def array(self, value: Any) -> str:
        return self.helper("constant", [], {"value": np.asarray(value)})

    def binary(self, kind: str, left: str, right: str) -> str:
        return self.helper("binary", [left, right], {"kind": kind})

    def transposed(self, value: str, permutation: Sequence[int]) -> str:
        if list(permutation) == list(range(len(permutation))):
            return value
        return self.helper("transpose", [value], {"permutation": list(permutation)})

    def rename(self, layer: Any, value: str, index: int = 0) -> None:
        self.add("identity", layer.get_output(index).name, [value])

    def shape(self, name: str) -> list[int]:
        return list(self.nodes[name].shape)

    # Values that TensorRT computes on the host: shapes, starts, sizes.

    def host(self, tensor: Any) -> np.ndarray:
        """The value of a constant, or of arithmetic with shapes at this batch size."""
        layer = self.producers.get(tensor.name)
        kind = layer and self.trt.ILayer.type.fget(layer).name
        if kind == "CONSTANT":
            return self.nodes[tensor.name].value
        if kind == "SHAPE":
            return np.array(self.shape(layer.get_input(0).name), np.int64)
        operands = [self.host(layer.get_input(index)) for index in range(layer.num_inputs)]
        if kind == "CONCATENATION":
            return np.concatenate(operands, layer.axis)
        if kind == "GATHER" and layer.mode.name == "DEFAULT":
            return np.take(operands[0], operands[1], layer.axis)
        if kind == "ELEMENTWISE":
            function = {"SUM": np.add, "SUB": np.subtract, "PROD": np.multiply, "MAX": np.maximum,
                        "MIN": np.minimum, "FLOOR_DIV": np.floor_divide}[layer.op.name]  # fmt: skip
            return function(*operands)
        if kind == "SLICE" and layer.num_inputs == 1:
            start, size, stride = (list(d) for d in (layer.start, layer.shape, layer.stride))
            index = start[0] + stride[0] * np.arange(size[0])
            return operands[0][index]
        if kind == "SHUFFLE" and layer.num_inputs == 1:
            return operands[0].reshape(tuple(layer.reshape_dims))
        if kind == "CAST":
            return operands[0].astype(self.element(layer.to_type))
        raise NotImplementedError(f"the value of '{tensor.name}' by {kind}")

    def weights(self, weights: Any, shape: Sequence[int]) -> np.ndarray:
        if not isinstance(weights, np.ndarray):
            weights = _bfloat16(weights)
            if self.widened:
                weights = (weights.astype(np.uint32) << 16).view(np.float32)
        if self.widened and weights.dtype == np.float16:
            weights = weights.astype(np.float32)
        return weights.reshape(tuple(shape))

    # Leaves.

    def _constant(self, layer: Any) -> None:
        value = self.weights(layer.weights, layer.shape)
        self.add("constant", layer.get_output(0).name, [], {"value": value})

    def _shape(self, layer: Any) -> None:
        """Known at this batch size."""
        value = np.array(self.shape(layer.get_input(0).name), np.int64)
        self.add("constant", layer.get_output(0).name, [], {"value": value})

    def _identity(self, layer: Any) -> None:
        self.rename(layer, layer.get_input(0).name)

    def _cast(self, layer: Any) -> None:
        to = self.element(layer.to_type)
        self.add("cast", layer.get_output(0).name, [layer.get_input(0).name], {"to": to})

    # Windows. TensorRT's images are NCHW, its kernels output channels first.

    def _window_pads(
        self, layer: Any, name: str, kernel: Sequence[int], dilations: Sequence[int]
    ) -> tuple[list[int], list[int]]:
        begin, end = list(layer.pre_padding), list(layer.post_padding)
        mode = layer.padding_mode.name
        for axis in range(2):
            extent, stride = self.shape(name)[2 + axis], layer.stride_nd[axis]
            window = dilations[axis] * (kernel[axis] - 1) + 1
            if mode in ("SAME_UPPER", "SAME_LOWER"):
                total = max((-(-extent // stride) - 1) * stride + window - extent, 0)
                less, more = total // 2, total - total // 2
                begin[axis], end[axis] = (less, more) if mode == "SAME_UPPER" else (more, less)
            elif mode == "EXPLICIT_ROUND_UP":
                rest = (extent + begin[axis] + end[axis] - window) % stride
                end[axis] += stride - rest if rest else 0
            elif mode != "EXPLICIT_ROUND_DOWN":
                raise NotImplementedError(f"padding mode {mode}")
        return begin, end

    def _kernel(self, layer: Any, shape: Sequence[int]) -> str:
        if layer.num_inputs > 1:
            return layer.get_input(1).name
        return self.array(self.weights(layer.kernel, shape))

    def _our_order(self, weights: str) -> str:
        """KCHW as HWCK; the CPU engine wants int8 weights directly below their dequantize."""
        order = [2, 3, 1, 0]
        node = self.nodes[weights]
        if node.op == "cast" and node.element_type == node.inputs[0].element_type:
            node = node.inputs[0]
        if node.op != "dequantize" or node.inputs[0].op != "constant":
            return self.transposed(weights, order)
        stored = self.array(node.inputs[0].value.transpose(order))
        axis = order.index(node.attributes["axis"])
        return self.helper("dequantize", [stored, node.inputs[1].name], {"axis": axis})

    def _add_with_bias(
        self, layer: Any, op: str, inputs: Sequence[str], attributes: dict[str, Any]
    ) -> None:
        bias = None
        if layer.num_inputs > 2:
            bias = layer.get_input(2).name
        elif not isinstance(layer.bias, np.ndarray) or layer.bias.size:
            bias = self.array(self.weights(layer.bias, [layer.num_output_maps]))
        if bias is None:
            self.add(op, layer.get_output(0).name, inputs, attributes)
            return
        value = self.helper(op, inputs, attributes)
        bias = self.helper("reshape", [bias], {"shape": [1, layer.num_output_maps, 1, 1]})
        self.add("binary", layer.get_output(0).name, [value, bias], {"kind": "add"})

    def _convolution(self, layer: Any) -> None:
        x, kernel = layer.get_input(0).name, list(layer.kernel_size_nd)
        maps, groups = layer.num_output_maps, layer.num_groups
        weights = self._kernel(layer, [maps, self.shape(x)[1] // groups, *kernel])
        dilations = list(layer.dilation_nd)
        begin, end = self._window_pads(layer, x, kernel, dilations)
        attributes = {
            "layout": "nchw", "strides": list(layer.stride_nd), "dilations": dilations,
            "pads_begin": begin, "pads_end": end, "groups": groups,
        }  # fmt: skip
        self._add_with_bias(layer, "conv2d", [x, self._our_order(weights)], attributes)

    def _deconvolution(self, layer: Any) -> None:
        x, kernel = layer.get_input(0).name, list(layer.kernel_size_nd)
        plain = layer.num_groups == 1 and list(layer.dilation_nd) == [1, 1]
        if not plain or layer.padding_mode.name != "EXPLICIT_ROUND_DOWN":
            raise NotImplementedError(f"'{layer.name}': groups, dilation or padding mode")
        weights = self._kernel(layer, [self.shape(x)[1], layer.num_output_maps, *kernel])
        begin, end = list(layer.pre_padding), list(layer.post_padding)
        size = [
            (self.shape(x)[2 + axis] - 1) * layer.stride_nd[axis]
            + kernel[axis] - begin[axis] - end[axis]
            for axis in range(2)
        ]  # fmt: skip
        attributes = {
            "layout": "nchw", "strides": list(layer.stride_nd), "pads_begin": begin,
            "pads_end": end, "output_size": size,
        }  # fmt: skip
        # Input channels come first, unlike a convolution's, and last in ours.
        self._add_with_bias(layer, "conv_transpose2d", [x, self._our_order(weights)], attributes)

    def _pooling(self, layer: Any) -> None:
        x, kernel = layer.get_input(0).name, list(layer.window_size_nd)
        begin, end = self._window_pads(layer, x, kernel, [1, 1])
        op = {"MAX": "max_pool", "AVERAGE": "average_pool"}[layer.type.name]
        if op == "average_pool" and not layer.average_count_excludes_padding and any(begin + end):
            x = self.helper("pad", [x], {"pads_begin": [0, 0, *begin], "pads_end": [0, 0, *end]})
            begin, end = [0, 0], [0, 0]
        attributes = {
            "layout": "nchw", "kernel": kernel, "strides": list(layer.stride_nd),
            "pads_begin": begin, "pads_end": end,
        }  # fmt: skip
        self.add(op, layer.get_output(0).name, [x], attributes)

    def _lrn(self, layer: Any) -> None:
        """As NVIDIA's worked example has it, and not its formula: alpha is divided by the window's
        size, and the window is centred.
        """
        attributes = {
            "layout": "nchw", "radius": (layer.window_size - 1) // 2,
            "alpha": layer.alpha / layer.window_size, "beta": layer.beta, "bias": layer.k,
        }  # fmt: skip
        self.add("lrn", layer.get_output(0).name, [layer.get_input(0).name], attributes)

    # One number at a time.

    def _activation(self, layer: Any) -> None:
        x, alpha, beta = layer.get_input(0).name, layer.alpha, layer.beta
        kind = layer.type.name
        if kind in ("RELU", "SIGMOID", "TANH", "SOFTSIGN", "LEAKY_RELU"):
            attributes = {"kind": kind.lower(), "alpha": alpha if kind == "LEAKY_RELU" else 0.0}
            self.add("activation", layer.get_output(0).name, [x], attributes)
        elif kind == "CLIP":
            low = self.binary("min", self.number(beta, x), x)
            self.rename(layer, self.binary("max", self.number(alpha, x), low))
        elif kind == "ELU":
            self.rename(layer, self._exponential(x, 1.0, alpha))
        elif kind == "SELU":
            self.rename(layer, self._exponential(x, beta, alpha))
        elif kind == "SOFTPLUS":
            power = self.helper(
                "unary", [self.binary("mul", self.number(beta, x), x)], {"kind": "exp"}
            )
            log = self.helper(
                "unary", [self.binary("add", power, self.number(1, x))], {"kind": "log"}
            )
            self.rename(layer, self.binary("mul", self.number(alpha, x), log))
        else:
            raise NotImplementedError(f"activation {kind}")

    def _exponential(self, x: str, scale: float, alpha: float) -> str:
        """scale * (x if x >= 0 else alpha * (e^x - 1))"""
        zero = self.number(0, x)
        power = self.helper("unary", [self.binary("min", x, zero)], {"kind": "exp"})
        below = self.binary("sub", power, self.number(1, x))
        below = self.binary("mul", below, self.number(alpha, x))
        value = self.binary("add", self.binary("max", x, zero), below)
        return self.binary("mul", value, self.number(scale, x))

    def _unary(self, layer: Any) -> None:
        x, kind = layer.get_input(0).name, layer.op.name
        if kind == "RECIP":
            self.rename(layer, self.binary("div", self.number(1, x), x))
        else:
            self.add("unary", layer.get_output(0).name, [x], {"kind": kind.lower()})

    def _elementwise(self, layer: Any) -> None:
        left, right = layer.get_input(0).name, layer.get_input(1).name
        if len(self.shape(left)) != len(self.shape(right)):
            raise AssertionError(f"'{layer.name}': TensorRT broadcasts equal ranks only")
        if layer.op.name == "FLOOR_DIV" and self.nodes[left].element_type.startswith("int"):
            output = layer.get_output(0)  # Of shapes, or the Graph has no op for it.
            self.add("constant", output.name, [], {"value": self.host(output)})
            return
        if layer.op.name == "FLOOR_DIV":
            quotient = self.binary("div", left, right)
            self.add("unary", layer.get_output(0).name, [quotient], {"kind": "floor"})
            return
        kind = _BINARY[layer.op.name]
        self.add("binary", layer.get_output(0).name, [left, right], {"kind": kind})

    def _scale(self, layer: Any) -> None:
        """(x * scale + shift) ** power; an absent parameter is 1, 0, 1."""
        value = layer.get_input(0).name
        rank, axis = len(self.shape(value)), layer.channel_axis
        shapes = {
            "UNIFORM": [1] * rank,
            "CHANNEL": [self.shape(value)[i] if i == axis else 1 for i in range(rank)],
            "ELEMENTWISE": [1, *self.shape(value)[1:]],
        }
        for kind, weights in (("mul", layer.scale), ("add", layer.shift), ("pow", layer.power)):
            if not isinstance(weights, np.ndarray) or weights.size:
                operand = self.array(self.weights(weights, shapes[layer.mode.name]))
                value = self.binary(kind, value, operand)
        self.rename(layer, value)

    # Along axes.

    def _axes(self, mask: int, name: str) -> list[int]:
        return [axis for axis in range(len(self.shape(name))) if mask >> axis & 1]

    def _reduce(self, layer: Any) -> None:
        x = layer.get_input(0).name
        attributes = {
            "kind": _REDUCE[layer.op.name],
            "axes": self._axes(layer.axes, x),
            "keep_dims": layer.keep_dims,
        }
        self.add("reduce", layer.get_output(0).name, [x], attributes)

    def _softmax(self, layer: Any) -> None:
        x = layer.get_input(0).name
        (axis,) = self._axes(layer.axes, x)
        self.add("softmax", layer.get_output(0).name, [x], {"axis": axis})

    def _topk(self, layer: Any) -> None:
        x = layer.get_input(0).name
        (axis,) = self._axes(layer.axes, x)
        if layer.k != 1 or layer.num_inputs > 1:
            raise NotImplementedError(f"'{layer.name}': the first {layer.k}")
        largest = layer.op.name == "MAX"
        attributes = {"kind": "max" if largest else "min", "axes": [axis], "keep_dims": True}
        self.add("reduce", layer.get_output(0).name, [x], attributes)
        index = self.helper("arg_max" if largest else "arg_min", [x], {"axis": axis})
        shape = [1 if i == axis else extent for i, extent in enumerate(self.shape(x))]
        index = self.helper("reshape", [index], {"shape": shape})
        indices = layer.get_output(1)
        self.add("cast", indices.name, [index], {"to": self.element(indices.dtype)})

    def _concatenation(self, layer: Any) -> None:
        inputs = [layer.get_input(index).name for index in range(layer.num_inputs)]
        self.add("concat", layer.get_output(0).name, inputs, {"axis": layer.axis})

    def _gather(self, layer: Any) -> None:
        if layer.mode.name != "DEFAULT" or layer.num_elementwise_dims:
            raise NotImplementedError(f"'{layer.name}': gather {layer.mode.name}")
        inputs = [layer.get_input(0).name, layer.get_input(1).name]
        self.add("gather", layer.get_output(0).name, inputs, {"axis": layer.axis})

    def _matrix_multiply(self, layer: Any) -> None:
        transposes = []
        for op in (layer.op0, layer.op1):
            if op.name not in ("NONE", "TRANSPOSE"):
                raise NotImplementedError(f"'{layer.name}': {op.name}")
            transposes.append(op.name == "TRANSPOSE")
        inputs = [layer.get_input(0).name, layer.get_input(1).name]
        attributes = {"transpose_a": transposes[0], "transpose_b": transposes[1]}
        self.add("matmul", layer.get_output(0).name, inputs, attributes)

    # Moving numbers.

    def _shuffle(self, layer: Any) -> None:
        """Transpose, reshape, transpose; each may be absent."""
        value = layer.get_input(0).name
        rank = len(self.shape(value))
        value = self.transposed(value, list(layer.first_transpose)[:rank])
        if layer.num_inputs > 1:
            dims: list[int] | None = self.host(layer.get_input(1)).tolist()
        else:
            dims = None if layer.reshape_dims is None else list(layer.reshape_dims)
        if dims is not None:
            value = self._reshaped(value, dims, layer.zero_is_placeholder)
            rank = len(dims)
        self.rename(layer, self.transposed(value, list(layer.second_transpose)[:rank]))

    def _reshaped(self, value: str, dims: list[int], zero_copies: bool) -> str:
        source = self.shape(value)
        target = [source[i] if d == 0 and zero_copies else d for i, d in enumerate(dims)]
        if -1 in target:
            known = int(np.prod([d for d in target if d != -1]))
            target[target.index(-1)] = int(np.prod(source)) // known
        return self.helper("reshape", [value], {"shape": target})

    def _slice(self, layer: Any) -> None:
        """start, start + stride, ...: `shape` of them; FILL takes zeros from outside."""
        x = layer.get_input(0).name
        start, size, stride = (
            self._slice_operand(layer, index, field)
            for index, field in ((1, "start"), (2, "shape"), (3, "stride"))
        )
        mode = layer.mode.name
        if layer.num_inputs > 5:
            raise NotImplementedError(f"'{layer.name}': axes")
        if mode == "FILL":
            filled = layer.num_inputs > 4 and layer.get_input(4) is not None
            if filled and np.any(self.host(layer.get_input(4))):
                raise NotImplementedError(f"'{layer.name}': filled with other than zero")
            x, start = self._padded(x, start, size, stride)
        elif mode != "STRICT_BOUNDS":
            raise NotImplementedError(f"'{layer.name}': {mode}")
        last = [b + (n - 1) * s for b, n, s in zip(start, size, stride, strict=True)]
        end = [e + 1 if s > 0 else e - 1 for e, s in zip(last, stride, strict=True)]
        attributes = {"begin": start, "end": end, "strides": stride}
        self.add("slice", layer.get_output(0).name, [x], attributes)

    def _slice_operand(self, layer: Any, index: int, field: str) -> list[int]:
        if layer.num_inputs > index and layer.get_input(index) is not None:
            return [int(value) for value in self.host(layer.get_input(index))]
        return list(getattr(layer, field))

    def _padded(
        self, x: str, start: list[int], size: list[int], stride: list[int]
    ) -> tuple[str, list[int]]:
        """(the input with enough zeros around it, the start in there)"""
        begin, end = [], []
        for extent, b, n, s in zip(self.shape(x), start, size, stride, strict=True):
            reached = (b, b + (n - 1) * s)
            begin.append(max(0, -min(reached)))
            end.append(max(0, max(reached) - extent + 1))
        if any(begin + end):
            x = self.helper("pad", [x], {"pads_begin": begin, "pads_end": end})
        return x, [b + pad for b, pad in zip(start, begin, strict=True)]

    def _padding(self, layer: Any) -> None:
        """Zeros around the last two axes."""
        x = layer.get_input(0).name
        rest = [0] * (len(self.shape(x)) - 2)
        attributes = {
            "pads_begin": [*rest, *layer.pre_padding_nd],
            "pads_end": [*rest, *layer.post_padding_nd],
        }
        self.add("pad", layer.get_output(0).name, [x], attributes)

    # Eight bits.

    def _scale_of(self, layer: Any) -> tuple[str, np.ndarray]:
        """The scale, which must be a float32 constant, and no zero point but 0."""
        scale = self.host(layer.get_input(1))
        if scale.dtype != np.float32:
            raise AssertionError(
                f"'{layer.name}': a scale in {scale.dtype} is not ours, bit for bit"
            )
        zero_point = layer.get_input(2) if layer.num_inputs > 2 else None
        if zero_point is not None and np.any(self.host(zero_point)):
            raise NotImplementedError(f"'{layer.name}': a zero point")
        if scale.size == 1:
            return self._single(scale), scale
        return layer.get_input(1).name, scale

    def _quantize(self, layer: Any) -> None:
        x, name = layer.get_input(0).name, layer.get_output(0).name
        scale, values = self._scale_of(layer)
        element = self.element(layer.get_output(0).dtype)
        if values.size > 1 and self.nodes[x].op == "constant":
            self._quantized_constant(layer, values, element)
            return
        if values.size > 1:
            scale = self._single(self._common(layer, values))
        if self.nodes[x].element_type != "float32":
            x = self.helper("cast", [x], {"to": "float32"})
        self.add("quantize", name, [x, scale], {"element": element})

    def _single(self, scale: np.ndarray) -> str:
        """One node for all equal scales: the CPU engine wants the same for a quantize and its
        dequantize.
        """
        key = scale.tobytes()
        if key not in self.scales:
            self.scales[key] = self.array(scale.reshape(()))
        return self.scales[key]

    def _common(self, layer: Any, scales: np.ndarray) -> np.ndarray:
        """The scale of activations, of which the Graph has one, where TensorRT has many."""
        if scales.shape != (self.shape(layer.get_input(0).name)[layer.axis],):
            raise AssertionError(f"'{layer.name}': {scales.size} scales for axis {layer.axis}")
        if len(set(scales.view(np.uint32))) > 1:
            raise AssertionError(f"'{layer.name}': activations have different scales")
        return scales[:1]

    def _quantized_constant(self, layer: Any, scale: np.ndarray, element: str) -> None:
        """With a scale a channel, which the Graph has for constants alone."""
        value = self.host(layer.get_input(0))
        along = [-1 if axis == layer.axis else 1 for axis in range(value.ndim)]
        limits = np.iinfo(element)
        rounded = np.rint(value / scale.reshape(along)).clip(limits.min, limits.max)
        self.add("constant", layer.get_output(0).name, [], {"value": rounded.astype(element)})

    def _dequantize(self, layer: Any) -> None:
        x, output = layer.get_input(0).name, layer.get_output(0)
        scale, values = self._scale_of(layer)
        axis = layer.axis if values.size > 1 else 0
        element = self.element(output.dtype)
        if element == "float32":
            self.add("dequantize", output.name, [x, scale], {"axis": axis})
            return
        value = self.helper("dequantize", [x, scale], {"axis": axis})
        self.add("cast", output.name, [value], {"to": element})
