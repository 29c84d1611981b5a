"""How each mode of tools/bench_peers.py, or bench_integrated.py, runs the network."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from peer_images import INPUT, OUTPUT, SIZE
from prepare_peers import nncf_file, onnx_file, onnx_int8_file

if TYPE_CHECKING:
    from chexnet_trt import Engine

Array = NDArray[Any]
GraphDef: TypeAlias = Any

# Each is a tool and a precision; mixed is int8 with bf16 where int8 leaves floating point.
MODES = (
    "ours-fp32",
    "ours-bf16",
    "ours-int8",
    "ours-mixed",
    "openvino-fp32",
    "openvino-bf16",
    "openvino-int8",
    "openvino-mixed",
    "onnxruntime-fp32",
    "onnxruntime-int8",
    "tensorflow-fp32",
)
# TensorFlow's own graph, the same with engine nodes in it, and the engines alone.
INTEGRATED_MODES = (
    "tensorflow-fp32",
    "integrated-fp32",
    "integrated-int8",
    "ours-fp32",
    "ours-int8",
)
# What a mode runs in place of the frozen graph, of prepare_peers.FILES.
PREPARED = {
    "openvino-int8": "nncf",
    "openvino-mixed": "nncf",
    "onnxruntime-fp32": "onnx",
    "onnxruntime-int8": "onnx-int8",
}

Run = Callable[[], Array]
# From images, [batch, SIZE, SIZE, 3] float32, to their inference.
Prepare = Callable[[Array], Run]


@dataclass(frozen=True)
class Setting:
    """`calibration`: .npy of images for our int8. `max_batch`: of our engines."""

    model: Path
    preset: str
    calibration: Path
    threads: int
    max_batch: int

    def to_json(self) -> dict[str, Any]:
        fields = asdict(self)
        return fields | {"model": str(self.model), "calibration": str(self.calibration)}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Setting:
        paths = {"model": Path(fields["model"]), "calibration": Path(fields["calibration"])}
        return cls(**fields | paths)


@dataclass(frozen=True)
class Opened:
    """`slice`: larger batches run in pieces of this size; 0: every batch runs whole."""

    prepare: Prepare
    slice: int = 0


def open_mode(mode: str, setting: Setting) -> Opened:
    tool, precision = mode.split("-")
    open_tool = {
        "ours": ours,
        "openvino": openvino,
        "onnxruntime": onnxruntime,
        "tensorflow": tensorflow,
        "integrated": integrated,
    }
    return open_tool[tool](precision, setting)


def ours(precision: str, setting: Setting) -> Opened:
    """One engine for every batch, as `build --max-batch` makes it: large batches run in the pieces
    that its builder found to be fastest at the largest.
    """
    import chexnet_trt as ct

    network: dict[str, Any] = {"inputs": {INPUT: (3, SIZE, SIZE)}, "outputs": [OUTPUT]}
    table = None
    if precision in ("int8", "mixed"):
        images = np.ascontiguousarray(np.load(setting.calibration).transpose(0, 3, 1, 2))
        table = ct.calibrate(setting.model, images, threads=setting.threads, **network)
    engine = ct.build(
        setting.model,
        precisions=[precision],
        obey=True,
        calibration=table,
        max_batch=setting.max_batch,
        threads=setting.threads,
        embed_blob=False,
        **network,
    )
    context = engine.create_context()

    def prepare(images: Array) -> Run:
        scores = np.empty((len(images), 14), np.float32)
        bindings = {INPUT: np.ascontiguousarray(images.transpose(0, 3, 1, 2)), OUTPUT: scores}

        def run() -> Array:
            context.enqueue(bindings).wait()
            return scores

        return run

    return Opened(prepare, engine.slice)


def openvino(precision: str, setting: Setting) -> Opened:
    """The frozen graph, or what NNCF made of it."""
    import openvino as ov

    core = ov.Core()
    quantized = precision in ("int8", "mixed")
    path = nncf_file(setting.model, setting.preset) if quantized else setting.model

    def prepare(images: Array) -> Run:
        whole = core.read_model(str(path))
        scores = next(port for port in whole.outputs if f"{OUTPUT}:0" in port.names)
        network = ov.Model([scores.node], whole.get_parameters(), "network")
        network.reshape(list(images.shape))
        compiled = core.compile_model(
            network,
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": "bf16" if precision in ("bf16", "mixed") else "f32",
                "INFERENCE_NUM_THREADS": setting.threads,
            },
        )
        request = compiled.create_infer_request()
        request.set_input_tensor(ov.Tensor(images, shared_memory=True))

        def run() -> Array:
            request.infer()
            assert images is not None  # the tensor only borrows them
            return request.get_output_tensor().data

        return run

    return Opened(prepare)


def onnxruntime(precision: str, setting: Setting) -> Opened:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = setting.threads
    options.inter_op_num_threads = 1
    path_of = {"fp32": onnx_file, "int8": onnx_int8_file}[precision]
    path = path_of(setting.model, setting.preset)
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    return Opened(lambda images: lambda: session.run([f"{OUTPUT}:0"], {f"{INPUT}:0": images})[0])


def tensorflow(_precision: str, setting: Setting) -> Opened:
    return in_session(read_graph(setting), setting)


def integrated(precision: str, setting: Setting) -> Opened:
    """The whole network as one engine node, converted as `integrate` does."""
    from chexnet_trt.integrated import (
        calib_graph_to_infer_graph,
        create_inference_graph,
        load_op_library,
    )

    load_op_library()
    graph = create_inference_graph(
        read_graph(setting), [OUTPUT], setting.max_batch, precision_mode=precision
    )
    if precision == "int8":
        calibrate = in_session(graph, setting).prepare
        for image in np.load(setting.calibration):
            calibrate(image[None])()
        graph = calib_graph_to_infer_graph(graph)
    engine = only_engine(graph)
    if engine.precision != precision:
        raise RuntimeError(f"the builder took {engine.precision}, which it found to be faster")
    return in_session(graph, setting, engine.slice)


def only_engine(graph: GraphDef) -> Engine:
    """That of the graph's only engine node. Raises RuntimeError when there are others, or none."""
    import chexnet_trt as ct

    nodes = [node for node in graph.node if node.op == "ChexnetTrtEngine"]
    if len(nodes) != 1:
        raise RuntimeError(f"the graph has {len(nodes)} engine nodes, not one")
    with tempfile.NamedTemporaryFile(suffix=".engine") as file:
        file.write(nodes[0].attr["engine"].s)
        file.flush()
        return ct.load(file.name)


def read_graph(setting: Setting) -> GraphDef:
    import tensorflow as tf

    return tf.compat.v1.GraphDef.FromString(setting.model.read_bytes())


def in_session(graph_def: GraphDef, setting: Setting, slice_size: int = 0) -> Opened:
    """The images are fed with every run."""
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name="")
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=setting.threads, inter_op_parallelism_threads=1
    )
    session = tf.compat.v1.Session(graph=graph, config=config)
    callable_ = session.make_callable(f"{OUTPUT}:0", feed_list=[f"{INPUT}:0"])
    return Opened(lambda images: lambda: callable_(images), slice_size)
