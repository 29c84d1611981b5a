"""Runs a graph in a Session of TensorFlow 1, as the whitepaper's script does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.protobuf.config_pb2 import CallableOptions

from chexnet_trt._core import BackendError
from chexnet_trt.uff.graph_def import GraphDef

v1 = tf.compat.v1

WARM_UP_LOOPS = 5
_GPU_MEMORY_FRACTION = 0.5


def time_graph(
    graph: GraphDef, batch: NDArray[Any], input_node: str, output_node: str, loops: int
) -> tuple[list[float], NDArray[Any]]:
    """Seconds of each of `loops` runs after the warm-up, and the output. The batch waits in
    TensorFlow's memory: feeding it is not timed. Raises BackendError when the graph does not run.
    """
    with _reported(), tf.Graph().as_default(), v1.Session(config=_config()) as session:
        waiting = v1.placeholder(tf.float32, batch.shape)
        images = v1.get_variable("images", initializer=waiting, use_resource=True, trainable=False)
        (output,) = tf.graph_util.import_graph_def(
            graph,
            input_map={input_node: images.read_value()},
            return_elements=[_tensor(output_node)],
        )
        session.run(images.initializer, {waiting: batch})
        run = session.make_callable(output)
        for _ in range(WARM_UP_LOOPS):
            run()
        seconds = []
        for _ in range(loops):
            begin = time.perf_counter()
            result = run()
            seconds.append(time.perf_counter() - begin)
        return seconds, result


def make_callable(
    session: Any,  # noqa: ANN401 - v1.Session
    inputs: Sequence[str],
    output: str,
) -> Callable[..., NDArray[Any]]:
    """A function of one array for each of `inputs`, nodes or tensors by name: Session.run without
    its Python, which is slow where an inference has just emptied the caches.

    The arrays have the types of their placeholders; one that lies at a multiple of 64 bytes is not
    copied. TensorFlow's errors are raised as they are.
    """
    options = CallableOptions(feed=[_tensor(name) for name in inputs], fetch=[_tensor(output)])
    run = session._make_callable_from_options(options)  # it has no public name

    def call(*arrays: NDArray[Any]) -> NDArray[Any]:
        result: NDArray[Any] = run(*arrays)[0]
        return result

    return call


def run_batches(
    graph: GraphDef, batches: Iterable[NDArray[Any]], input_node: str, output_node: str
) -> Iterator[NDArray[Any]]:
    """The output of each batch, one after the other. Raises BackendError when the graph does not
    run.
    """
    with tf.Graph().as_default(), v1.Session(config=_config()) as session:
        tf.graph_util.import_graph_def(graph, name="")
        run = make_callable(session, [input_node], output_node)
        for batch in batches:
            with _reported():
                output = run(batch)
            yield output


def _tensor(name: str) -> str:
    return name if ":" in name else f"{name}:0"


def _config() -> Any:  # noqa: ANN401 - a protobuf message
    """TensorFlow leaves half of a GPU's memory alone, which it would take whole."""
    options = v1.GPUOptions(per_process_gpu_memory_fraction=_GPU_MEMORY_FRACTION)
    return v1.ConfigProto(gpu_options=options)


@contextmanager
def _reported() -> Iterator[None]:
    """TensorFlow's errors go on with a list of nodes and stacks; the first line that says something
    is enough."""
    try:
        yield
    except tf.errors.OpError as error:
        lines = [line.strip() for line in error.message.splitlines() if line.strip()]
        said = [line for line in lines if not line.startswith(_CHATTER)]
        raise BackendError(f"TensorFlow does not run the graph: {(said or lines)[0]}") from error


_CHATTER = ("Graph execution error", "Detected at node", "Node:", "<stack traces", "[[", "(0)")
