"""A frozen graph in a TensorFlow session."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from chexnet_trt import integrated
from chexnet_trt.compare.runtimes import Array
from chexnet_trt.compare.setting import INPUT, OUTPUT, Setting
from chexnet_trt.tensorflow_import import import_tensorflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from chexnet_trt.compare.modes import Mode


_ALIGNMENT = 64  # of TensorFlow's tensors, in bytes: an array at such an address is not copied


class _Bound:
    def __init__(self, call: Callable[[Array], Array], shape: tuple[int, ...]) -> None:
        self.input = _aligned_zeros(shape)
        self._call = call

    def run(self) -> Array:
        return self._call(self.input)

    def device_times(self, count: int) -> list[float]:
        return []


class GraphSession:
    """`graph_def`: of TensorFlow. Its threads are the setting's."""

    layout = "nhwc"

    def __init__(self, graph_def: Any, setting: Setting, facts: dict[str, Any]) -> None:  # noqa: ANN401
        import tensorflow as tf

        graph = tf.Graph()
        with graph.as_default():
            tf.import_graph_def(graph_def, name="")
        config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=setting.threads,
            inter_op_parallelism_threads=-1,  # the caller's thread
        )
        config.gpu_options.allow_growth = True
        session = tf.compat.v1.Session(graph=graph, config=config)
        self._call = integrated.make_callable(session, [INPUT], OUTPUT)
        self._size = setting.size
        self.facts = facts

    def bind(self, batch: int) -> _Bound:
        return _Bound(self._call, (batch, *self._size))


def _aligned_zeros(shape: tuple[int, ...]) -> Array:
    size = math.prod(shape) * np.dtype(np.float32).itemsize
    memory = np.zeros(size + _ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % _ALIGNMENT
    return memory[first : first + size].view(np.float32).reshape(shape)


def read_graph(mode: Mode, setting: Setting) -> Any:  # noqa: ANN401 - a GraphDef
    import_tensorflow(mode.title)
    import tensorflow as tf

    return tf.compat.v1.GraphDef.FromString(setting.model.read_bytes())
