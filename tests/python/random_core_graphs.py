"""Small graphs of ops drawn at random, in which layouts, ranks and broadcasts meet as they may."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from chexnet_trt import _core

_LIMIT = 4000  # Numbers of a value.


class RandomGraph:
    """`graph` has an image as its input and a few outputs; `feeds(batch)` are random."""

    def __init__(self, seed: int, ops: int = 8) -> None:
        self._random = random.Random(seed)
        self._numpy = np.random.default_rng(seed)
        self._builder = _core.GraphBuilder()
        self._layout = self._random.choice(["nhwc", "nchw"])
        extents = [self._random.randint(3, 7) for _ in range(3)]
        self._input = (None, *extents)
        attributes = {"shape": self._input, "layout": self._layout}
        self._values = [self._builder.add("input", "x", [], attributes)]
        self._count = 0
        while self._count < ops:
            self._grow()
        self._publish()
        self.graph = self._builder.finish()

    def feeds(self, batch: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(batch)
        return {"x": rng.uniform(-1, 1, (batch, *self._input[1:])).astype(np.float32)}

    def _grow(self) -> None:
        """One op more, or none where what was drawn does not fit."""
        kinds: list[Callable[[_core.Node], Any]] = [
            self._convolution, self._pooling, self._binary, self._unary, self._reduce,
            self._reshape, self._transpose, self._concat, self._pad, self._slice, self._softmax,
            self._gather, self._matmul,
        ]  # fmt: skip
        x = self._random.choice(self._values[-4:])
        drawn = self._random.choice(kinds)(x)
        if drawn is None:
            return
        op, inputs, attributes = drawn
        try:
            node = self._builder.add(op, f"n{self._count}", inputs, attributes)
        except _core.InputError:
            return
        if np.prod([n or 1 for n in node.shape]) <= _LIMIT:
            self._values.append(node)
        self._count += 1

    def _publish(self) -> None:
        last = [node for node in self._values[1:] if node.shape and node.shape[0] is None][-3:]
        for index, node in enumerate(last or self._values[:1]):
            self._builder.add_output(f"y{index}", node.name)

    def _constant(self, *shape: int) -> str:
        name = f"c{self._count}_{self._random.random()}"
        value = self._numpy.uniform(-1, 1, shape).astype(np.float32)
        return self._builder.add("constant", name, [], {"value": value}).name

    def _layout_of(self, x: _core.Node) -> str | None:
        return self._random.choice(["nhwc", "nchw"]) if len(x.shape) == 4 else None

    def _window(self, x: _core.Node, layout: str) -> tuple[int, dict[str, Any], list[int]]:
        """Channels, attributes, kernel."""
        channels = x.shape[3 if layout == "nhwc" else 1]
        draw = self._random.randint
        kernel = [draw(1, 3), draw(1, 3)]
        attributes = {
            "layout": layout,
            "strides": [draw(1, 2), draw(1, 3)],
            "pads_begin": [draw(0, k - 1) for k in kernel],
            "pads_end": [draw(0, k - 1) for k in kernel],
        }
        return channels, attributes, kernel

    def _convolution(self, x: _core.Node) -> Any:
        layout = self._layout_of(x)
        if layout is None:
            return None
        channels, attributes, kernel = self._window(x, layout)
        if channels == 1:  # OpenVINO 2026.4 may read beyond an image of one channel, 3 wide.
            return None
        groups = self._random.choice([n for n in range(1, channels + 1) if channels % n == 0])
        attributes["groups"] = groups
        maps = groups * self._random.randint(1, 3)
        return "conv2d", [x.name, self._constant(*kernel, channels // groups, maps)], attributes

    def _pooling(self, x: _core.Node) -> Any:
        layout = self._layout_of(x)
        if layout is None:
            return None
        _, attributes, kernel = self._window(x, layout)
        op = self._random.choice(["max_pool", "average_pool"])
        return op, [x.name], {**attributes, "kernel": kernel}

    def _binary(self, x: _core.Node) -> Any:
        kind = {"kind": self._random.choice(["add", "sub", "mul", "min", "max"])}
        if self._random.random() < 0.4:
            inputs = [x.name, self._random.choice(self._values).name]
        else:
            rank = self._random.randint(0, len(x.shape) - 1)
            shape = [
                n if self._random.random() < 0.6 else 1 for n in x.shape[len(x.shape) - rank :]
            ]
            inputs = [x.name, self._constant(*shape)]
        self._random.shuffle(inputs)
        return "binary", inputs, kind

    def _unary(self, x: _core.Node) -> Any:
        if self._random.random() < 0.5:
            return "unary", [x.name], {"kind": self._random.choice(["neg", "abs", "sin", "square"])}
        return "activation", [x.name], {"kind": self._random.choice(["relu", "tanh", "sigmoid"])}

    def _axes(self, x: _core.Node) -> list[int]:
        return list(range(1, len(x.shape)))

    def _axis(self, x: _core.Node) -> int:
        return self._random.choice(self._axes(x) or [0])

    def _reduce(self, x: _core.Node) -> Any:
        axes = sorted(self._random.sample(self._axes(x), min(2, len(x.shape) - 1)))
        kind = self._random.choice(["sum", "max", "mean"])
        attributes = {"kind": kind, "axes": axes, "keep_dims": self._random.random() < 0.5}
        return "reduce", [x.name], attributes

    def _reshape(self, x: _core.Node) -> Any:
        rest = list(x.shape[1:])
        if self._random.random() < 0.4:
            shape = [int(np.prod(rest))]
        elif len(rest) > 1 and self._random.random() < 0.5:
            at = self._random.randint(0, len(rest) - 2)
            shape = [*rest[:at], rest[at] * rest[at + 1], *rest[at + 2 :]]
        else:
            shape = self._random.sample(rest, len(rest)) + [1] * self._random.randint(0, 1)
        return "reshape", [x.name], {"shape": [x.shape[0], *shape]}

    def _transpose(self, x: _core.Node) -> Any:
        axes = self._axes(x)
        return "transpose", [x.name], {"permutation": [0, *self._random.sample(axes, len(axes))]}

    def _concat(self, x: _core.Node) -> Any:
        axis = self._axis(x)
        fitting = [
            node.name
            for node in self._values
            if len(node.shape) == len(x.shape)
            and all(a == b for i, (a, b) in enumerate(zip(node.shape, x.shape, strict=True))
                    if i != axis)
        ]  # fmt: skip
        return "concat", [x.name, self._random.choice(fitting)], {"axis": axis}

    def _pad(self, x: _core.Node) -> Any:
        draw = [[0, *(self._random.randint(0, 2) for _ in self._axes(x))] for _ in range(2)]
        return "pad", [x.name], {"pads_begin": draw[0], "pads_end": draw[1]}

    def _slice(self, x: _core.Node) -> Any:
        begin, end, strides = [0], [None], [1]
        for extent in x.shape[1:]:
            first, last = self._random.randrange(extent), self._random.randrange(extent)
            stride = self._random.randint(1, 2) * (1 if first <= last else -1)
            begin.append(first)
            end.append(last + 1 if stride > 0 else last - 1)
            strides.append(stride)
        return "slice", [x.name], {"begin": begin, "end": end, "strides": strides}

    def _softmax(self, x: _core.Node) -> Any:
        return "softmax", [x.name], {"axis": self._axis(x)}

    def _gather(self, x: _core.Node) -> Any:
        axis = self._axis(x)
        shape = [self._random.randint(1, 3) for _ in range(self._random.randint(0, 2))]
        indices = self._numpy.integers(0, x.shape[axis] or 1, shape).astype(np.int32)
        name = f"i{self._count}_{self._random.random()}"
        self._builder.add("constant", name, [], {"value": indices})
        return "gather", [x.name, name], {"axis": axis}

    def _matmul(self, x: _core.Node) -> Any:
        if len(x.shape) != 2:
            return None
        weights = self._constant(x.shape[1], self._random.randint(1, 5))
        return "matmul", [x.name, weights], {}
