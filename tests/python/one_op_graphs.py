"""Graphs of one op each, with awkward attributes, for every op of the op table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chexnet_trt import _core

BATCH = 3  # Of the random inputs.


@dataclass(frozen=True)
class Input:
    """`shape`: None is the batch. `low`, `high`: of the random numbers."""

    shape: Sequence[int | None]
    layout: str = "plain"
    element: str = "float32"
    low: float = -2
    high: float = 2


@dataclass(frozen=True)
class Case:
    """`op` of `operands`, which are inputs and constants in the op's order."""

    name: str
    op: str
    operands: Sequence[Input | np.ndarray]
    attributes: dict[str, Any] = field(default_factory=dict)

    def graph(self) -> _core.Graph:
        builder = _core.GraphBuilder()
        names = [self._operand(builder, i, value) for i, value in enumerate(self.operands)]
        builder.add(self.op, "result", names, self.attributes)
        builder.add_output("y", "result")
        return builder.finish()

    @staticmethod
    def _operand(builder: _core.GraphBuilder, index: int, value: Input | np.ndarray) -> str:
        if isinstance(value, Input):
            attributes = {"element": value.element, "shape": value.shape, "layout": value.layout}
            return builder.add("input", f"x{index}", [], attributes).name
        return builder.add("constant", f"c{index}", [], {"value": value}).name

    def feeds(self, batch: int = BATCH) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(7)
        return {
            f"x{index}": _numbers(rng, value, batch)
            for index, value in enumerate(self.operands)
            if isinstance(value, Input)
        }


def _numbers(rng: np.random.Generator, value: Input, batch: int) -> np.ndarray:
    shape = [batch if extent is None else extent for extent in value.shape]
    if value.element.startswith("float"):
        return rng.uniform(value.low, value.high, shape).astype(value.element)
    return rng.integers(int(value.low), int(value.high), shape).astype(value.element)


def _random(*shape: int, low: float = -1, high: float = 1) -> np.ndarray:
    return np.random.default_rng(len(shape) + sum(shape)).uniform(low, high, shape).astype("f4")


NHWC = Input((None, 9, 8, 6), "nhwc")
NCHW = Input((None, 6, 9, 8), "nchw")


def _convolutions() -> Iterator[Case]:
    # TensorFlow's SAME with a stride puts the odd row or column at the end.
    same = {"strides": [2, 2], "pads_begin": [1, 0], "pads_end": [1, 1]}
    plain = {"strides": [3, 1], "pads_begin": [2, 0], "pads_end": [0, 3], "dilations": [2, 3]}
    for layout, image in (("nhwc", NHWC), ("nchw", NCHW)):
        yield Case(f"same_{layout}", "conv2d", [image, _random(3, 3, 6, 5)],
                   {"layout": layout, **same})  # fmt: skip
        yield Case(f"dilated_{layout}", "conv2d", [image, _random(3, 2, 6, 4)],
                   {"layout": layout, **plain})  # fmt: skip
        yield Case(f"groups_{layout}", "conv2d", [image, _random(3, 4, 2, 6)],
                   {"layout": layout, "groups": 3, "strides": [1, 3], "pads_end": [1, 0]},
                   )  # fmt: skip
        yield Case(f"depthwise_{layout}", "conv2d", [image, _random(2, 3, 1, 12)],
                   {"layout": layout, "groups": 6})  # fmt: skip
    yield Case("static_batch", "conv2d", [Input((2, 6, 9, 8), "nchw"), _random(1, 1, 6, 4)],
               {"layout": "nchw", "strides": [3, 3]})  # fmt: skip
    # Two sizes of which a strided convolution makes the same one.
    for layout, image in (("nhwc", NHWC), ("nchw", NCHW)):
        for height in (18, 19):
            yield Case(f"{layout}_{height}", "conv_transpose2d", [image, _random(3, 4, 5, 6)],
                       {"layout": layout, "strides": [2, 3], "pads_begin": [0, 1],
                        "pads_end": [1, 1], "output_size": [height, 23]})  # fmt: skip


def _pools() -> Iterator[Case]:
    # All below zero: padding must not win a maximum.
    negative = {"low": -3, "high": -1}
    window = {"kernel": [3, 4], "strides": [3, 2], "pads_begin": [1, 0], "pads_end": [2, 3]}
    for op in ("max_pool", "average_pool"):
        for layout, shape in (("nhwc", NHWC.shape), ("nchw", NCHW.shape)):
            image = Input(shape, layout, **negative)
            yield Case(f"padded_{layout}", op, [image], {"layout": layout, **window})
        yield Case("remainder", op, [NCHW], {"layout": "nchw", "kernel": [2, 3], "strides": [3, 3]})
        yield Case("whole", op, [NHWC], {"layout": "nhwc", "kernel": [9, 8], "strides": [1, 1]})


def _normalisations() -> Iterator[Case]:
    parameters = [_random(6), _random(6) * 2, _random(6) + 0.5, _random(6, low=0.1, high=2)]
    for layout, image in (("nhwc", NHWC), ("nchw", NCHW)):
        yield Case(layout, "batch_norm", [image, *parameters],
                   {"layout": layout, "epsilon": 1e-2})  # fmt: skip
        yield Case(layout, "lrn", [image],
                   {"layout": layout, "radius": 2, "alpha": 0.7, "beta": 0.6, "bias": 1.5},
                   )  # fmt: skip
        for axis in (1, 2, 3):
            yield Case(f"{layout}_{axis}", "softmax", [image], {"axis": axis})
    yield Case("flat", "softmax", [Input((None, 7))], {"axis": 1})


def _matmuls() -> Iterator[Case]:
    yield Case("plain", "matmul", [Input((None, 6)), _random(6, 5)])
    yield Case("transpose_b", "matmul", [Input((None, 6)), _random(5, 6)], {"transpose_b": True})
    yield Case("transpose_a", "matmul", [Input((6, 4)), _random(6, 5)], {"transpose_a": True})
    yield Case("both", "matmul", [Input((6, 4)), Input((5, 6))],
               {"transpose_a": True, "transpose_b": True})  # fmt: skip
    yield Case("constant_left", "matmul", [_random(5, 6), Input((6, 4))])


def _binaries() -> Iterator[Case]:
    positive = Input((None, 4, 5, 3), "nhwc", low=0.5, high=2)
    for kind in ("add", "sub", "mul", "div", "min", "max", "pow"):
        attributes = {"kind": kind}
        channel, scalar = _random(3, low=0.5, high=2), np.float32(1.5)
        yield Case(f"{kind}_right", "binary", [positive, channel], attributes)
        yield Case(f"{kind}_left", "binary", [channel, positive], attributes)
        yield Case(f"{kind}_scalar_left", "binary", [scalar, positive], attributes)
        yield Case(f"{kind}_two", "binary", [positive, positive], attributes)
    image = Input((None, 6, 9, 8), "nchw")
    yield Case("nchw_rows", "binary", [image, _random(9, 1)], {"kind": "add"})
    yield Case("nchw_channels", "binary", [_random(1, 6, 1, 1), image], {"kind": "sub"})
    yield Case("nhwc_rows", "binary", [_random(9, 1, 1), NHWC], {"kind": "sub"})
    yield Case("longer_constant", "binary", [Input((5,)), _random(2, 3, 5)], {"kind": "sub"})
    yield Case("both_ways", "binary", [Input((None, 1, 4)), Input((5, 1))], {"kind": "div"})
    yield Case("integers", "binary",
               [Input((None, 4), element="int32", low=-9, high=9), np.int32([1, -2, 3, 4])],
               {"kind": "mul"})  # fmt: skip


def _functions() -> Iterator[Case]:
    domains: dict[str, tuple[float, float]] = {
        "log": (0.1, 3), "sqrt": (0.1, 3), "rsqrt": (0.1, 3), "asin": (-0.9, 0.9),
        "acos": (-0.9, 0.9), "acosh": (1.1, 3), "atanh": (-0.9, 0.9), "tan": (-1, 1),
    }  # fmt: skip
    for kind in ("neg", "exp", "log", "abs", "sqrt", "rsqrt", "square", "sin", "cos", "tan", "sinh",
                 "cosh", "asin", "acos", "atan", "asinh", "acosh", "atanh", "ceil", "floor",
                 ):  # fmt: skip
        low, high = domains.get(kind, (-2, 2))
        yield Case(kind, "unary", [Input((None, 5, 7), low=low, high=high)], {"kind": kind})
    for kind in ("relu", "relu6", "sigmoid", "tanh", "elu", "selu", "softsign", "softplus"):
        yield Case(kind, "activation", [Input((None, 5, 7), low=-9, high=9)], {"kind": kind})
    yield Case("leaky_relu", "activation", [NHWC], {"kind": "leaky_relu", "alpha": 0.3})


def _reductions() -> Iterator[Case]:
    for kind in ("sum", "prod", "max", "min", "mean"):
        for axes, keep in (([1, 2], False), ([3], True), ([1, 3], True), ([2], False)):
            name = f"{kind}_{''.join(map(str, axes))}{'_keep' * keep}"
            image = Input((None, 4, 3, 5), "nhwc")
            yield Case(name, "reduce", [image], {"kind": kind, "axes": axes, "keep_dims": keep})
    yield Case("nchw", "reduce", [NCHW], {"kind": "mean", "axes": [2, 3], "keep_dims": False})
    yield Case("nothing", "reduce", [Input((None, 4))], {"kind": "sum", "axes": []})
    yield Case("all", "reduce", [Input((3, 4))], {"kind": "sum", "axes": [0, 1]})
    # Few values and many numbers: ties, of which the first counts.
    tied = Input((None, 6, 5, 4), "nhwc", "int32", 0, 3)
    for op in ("arg_max", "arg_min"):
        for axis in (1, 2, 3):
            yield Case(f"axis_{axis}", op, [Input((None, 6, 5, 4), "nhwc")], {"axis": axis})
        yield Case("ties", op, [tied], {"axis": 3})
        yield Case("flat", op, [Input((None, 14))], {"axis": 1})


def _moves() -> Iterator[Case]:
    for name, source, target in (
        ("flat", NHWC, [None, 432]), ("flat_nchw", NCHW, [None, 432]),
        ("deeper", Input((None, 24)), [None, 2, 3, 4]), ("image", NHWC, [None, 8, 6, 9]),
        ("static", Input((4, 6)), [3, 8]), ("vector", Input((2, 3)), [6]),
        ("ones", Input((None, 6)), [None, 1, 6, 1, 1]),
    ):  # fmt: skip
        yield Case(name, "reshape", [source], {"shape": target})
    for name, source, order in (
        ("to_nchw", NHWC, [0, 3, 1, 2]), ("to_nhwc", NCHW, [0, 2, 3, 1]),
        ("swap", NHWC, [0, 2, 1, 3]), ("batch_free", Input((4, 5, 6)), [2, 0, 1]),
        ("five", Input((None, 2, 3, 4, 5)), [0, 4, 1, 3, 2]), ("same", NHWC, [0, 1, 2, 3]),
    ):  # fmt: skip
        yield Case(name, "transpose", [source], {"permutation": order})
    other = Input((None, 9, 8, 2), "nhwc")
    yield Case("channels", "concat", [NHWC, other, NHWC], {"axis": 3})
    yield Case("rows", "concat", [NHWC, NHWC], {"axis": 1})
    yield Case("nchw", "concat", [NCHW, Input((None, 2, 9, 8), "nchw")], {"axis": 1})
    yield Case("one", "concat", [NHWC], {"axis": 2})
    yield Case("constant", "concat", [_random(2, 3), Input((4, 3))], {"axis": 0})
    yield Case("image", "pad", [NHWC],
               {"pads_begin": [0, 1, 0, 0], "pads_end": [0, 2, 3, 0]})  # fmt: skip
    yield Case("channels", "pad", [NCHW],
               {"pads_begin": [0, 2, 0, 1], "pads_end": [0, 1, 0, 0]})  # fmt: skip
    yield Case("flat", "pad", [Input((None, 4))], {"pads_begin": [0, 3], "pads_end": [0, 1]})
    yield Case("none", "pad", [Input((2, 4))], {"pads_begin": [0, 0], "pads_end": [0, 0]})


def _picks() -> Iterator[Case]:
    def sliced(name: str, source: Input, begin: Any, end: Any, strides: Any) -> Case:
        return Case(name, "slice", [source], {"begin": begin, "end": end, "strides": strides})

    # Of an axis that begins with the batch: 0, the batch (-1 by its number), 1.
    yield sliced("strided", NHWC, [0, 1, 0, 2], [None, 8, 8, 6], [1, 3, 2, 1])
    yield sliced("backwards", NHWC, [0, 8, 7, 5], [None, -1, 2, -1], [1, -1, -2, -3])
    yield sliced("nchw", NCHW, [0, 1, 0, 7], [None, 5, 9, 0], [1, 2, 4, -3])
    yield sliced("static", Input((5, 7)), [4, 1], [0, 7], [-2, 5])
    yield Case("axis_1", "gather", [Input((None, 5, 4)), np.int32([4, 0, 4, 1])], {"axis": 1})
    yield Case("matrix_of_indices", "gather", [NHWC, np.int64([[5, 0], [2, 2]])], {"axis": 3})
    yield Case("one_index", "gather", [NHWC, np.int32(3)], {"axis": 2})
    yield Case("axis_0", "gather", [Input((5, 4)), np.int32([3, 3])], {"axis": 0})


def _types() -> Iterator[Case]:
    yield Case("to_int32", "cast", [Input((None, 6), low=-9, high=9)], {"to": "int32"})
    yield Case("to_int64", "cast", [Input((None, 6), low=-9, high=9)], {"to": "int64"})
    yield Case("from_int32", "cast", [Input((None, 6), "plain", "int32", -9, 9)],
               {"to": "float32"})  # fmt: skip
    yield Case("pixels", "cast", [Input((None, 6, 4, 3), "nhwc", "uint8", 0, 256)],
               {"to": "float32"})  # fmt: skip
    yield Case("same", "cast", [Input((None, 6))], {"to": "float32"})
    yield Case("image", "identity", [NHWC])


CASES = [
    *_convolutions(), *_pools(), *_normalisations(), *_matmuls(), *_binaries(), *_functions(),
    *_reductions(), *_moves(), *_picks(), *_types(),
]  # fmt: skip
# Ops that CASES has no node of its own for: the leaves are in every graph, and int8 comes in pairs.
ELSEWHERE = {"input", "constant", "quantize", "dequantize"}
