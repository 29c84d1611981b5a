"""TensorFlow by itself: the whitepaper's --native."""

from __future__ import annotations

from chexnet_trt._core import InputError
from chexnet_trt.compare.modes import Mode
from chexnet_trt.compare.runtimes.graph_session import GraphSession, read_graph
from chexnet_trt.compare.setting import Setting


def open_session(mode: Mode, setting: Setting) -> GraphSession:
    graph_def = read_graph(mode, setting)
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if mode.device == "GPU" and not gpus:
        raise InputError(f"TensorFlow {tf.__version__} finds no GPU")
    return GraphSession(graph_def, setting, {"version": tf.__version__})
