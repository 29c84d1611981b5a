"""ResNet-50 v2 and DenseNet-121 at 3x256x256 with random weights, against TensorFlow."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorboard")

import chexnet_trt as ct
from chexnet_trt.cli import main
from chexnet_trt.models import NETWORKS, build_graph
from chexnet_trt.preprocess import preset
from chexnet_trt.uff import from_tensorflow
from chexnet_trt.uff import graph_def as tf_graph
from synthetic_xray import synthetic_xray

pytestmark = pytest.mark.tensorflow

INPUT, SCORES = "input_tensor", "chexnet_sigmoid_tensor"
MAX_BATCH, CLASSES = 32, 14


@dataclass(frozen=True)
class FullSize:
    """A network on its way from the frozen graph to the engine, and TensorFlow's scores."""

    frozen: Path
    uff: Path
    engine: ct.Engine
    images: np.ndarray
    """float32 [32, 3, 256, 256]"""
    expected: np.ndarray
    """float32 [32, 14]"""


def freeze_and_convert(folder: Path, network: str) -> tuple[Path, Path]:
    frozen = folder / f"{network}.pb"
    assert main(["freeze", "--random-weights", "--network", network, "-o", str(frozen)]) == 0
    assert main(["convert", str(frozen), "-q", "-O", SCORES]) == 0
    return frozen, frozen.with_suffix(".uff")


def build_engine(uff: Path) -> Path:
    engine = uff.with_suffix(".engine")
    size = ["--uffInput", f"{INPUT},3,256,256", "--output", SCORES]
    batch = ["--max-batch", str(MAX_BATCH)]
    assert main(["build", str(uff), *size, *batch, "-o", str(engine)]) == 0
    return engine


def tensorflow_scores(tf, frozen: Path, images: np.ndarray) -> np.ndarray:
    graph = tf.compat.v1.GraphDef.FromString(frozen.read_bytes())
    channels_last = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    with tf.Graph().as_default() as loaded:
        tf.compat.v1.import_graph_def(graph, name="")
        with tf.compat.v1.Session(graph=loaded) as session:
            batches = [
                session.run(f"{SCORES}:0", {f"{INPUT}:0": channels_last[start : start + 8]})
                for start in range(0, len(images), 8)
            ]
    return np.concatenate(batches)


@pytest.fixture(scope="module", params=list(NETWORKS))
def full(request, tmp_path_factory):
    tf = pytest.importorskip("tensorflow")
    folder = tmp_path_factory.mktemp(request.param)
    frozen, uff = freeze_and_convert(folder, request.param)
    expected = preset(NETWORKS[request.param].preprocessing, 256, 256, 3)
    images = np.stack([expected.apply(synthetic_xray(seed), "nchw") for seed in range(MAX_BATCH)])
    reference = tensorflow_scores(tf, frozen, images)
    return FullSize(frozen, uff, ct.load(build_engine(uff)), images, reference)


@pytest.mark.parametrize("batch", [1, 3, 8, 32])
def test_scores_agree_with_tensorflow(full, batch):
    assert full.engine.precision == "fp32"
    scores = full.engine.infer(full.images[:batch])
    assert list(scores) == [SCORES]
    np.testing.assert_allclose(scores[SCORES], full.expected[:batch], atol=1e-4, rtol=0)


def test_the_scores_tell_images_apart(full):
    assert full.expected.shape == (MAX_BATCH, CLASSES)
    assert full.expected.std(axis=0).mean() > 0.02


def rounded_to_bfloat16(values: np.ndarray) -> np.ndarray:
    """float32 with the 8 significant bits of bfloat16, ties to even."""
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


def kernels(graph: tf_graph.GraphDef) -> dict[str, Any]:
    """Weights of rank 2 and more, as TensorProtos by name."""
    return {
        node.name: node.attr["value"].tensor
        for node in graph.node
        if node.op == "Const"
        and node.attr["dtype"].type == tf_graph.DT_FLOAT
        and len(node.attr["value"].tensor.tensor_shape.dim) >= 2
    }


def test_bf16_is_as_close_as_its_weights(full):
    """Random networks pass rounding on much louder than trained ones do: rounding their weights
    alone, with fp32 arithmetic, is the measure."""
    options = {"inputs": {INPUT: (3, 256, 256)}, "outputs": [SCORES]}
    try:
        engine = ct.build(full.uff, precisions=["bf16"], obey=True, **options)
    except ct.InputError as error:
        pytest.skip(str(error))
    assert engine.precision == "bf16"
    images = [full.images[index : index + 1] for index in range(4)]
    graph = tf_graph.load(full.frozen)
    for tensor in kernels(graph).values():
        values = np.frombuffer(tensor.tensor_content, np.float32)
        tensor.tensor_content = rounded_to_bfloat16(values).tobytes()
    rounded = full.uff.with_name("rounded.uff")
    rounded.write_bytes(from_tensorflow(graph, [SCORES], quiet=True))
    measure = ct.build(rounded, **options)
    errors = [
        np.abs(np.concatenate([net.infer(image)[SCORES] for image in images]) - full.expected[:4])
        for net in (engine, measure)
    ]
    assert 0 < errors[0].mean() < 3 * errors[1].mean()


@pytest.mark.parametrize("full", ["resnet50_v2"], indirect=True)
def test_channels_first_gives_the_same_scores(full, tmp_path):
    """TensorFlow runs NCHW on GPUs only, so the channels_last network is the reference."""
    values = {
        node.name: node.attr["value"].tensor
        for node in tf_graph.load(full.frozen).node
        if node.op == "Const"
    }
    graph = build_graph(
        "resnet50_v2",
        lambda name, shape: np.frombuffer(values[name].tensor_content, np.float32).reshape(shape),
        data_format="channels_first",
    )
    formats = {node.attr["data_format"].s for node in graph.node if node.op == "Conv2D"}
    assert formats == {b"NCHW"}
    path = tmp_path / "channels_first.uff"
    path.write_bytes(from_tensorflow(graph, [SCORES], quiet=True))
    engine = ct.build(path, inputs={INPUT: (3, 256, 256)}, outputs=[SCORES], max_batch=3)
    scores = engine.infer(full.images[:3])[SCORES]
    np.testing.assert_allclose(scores, full.expected[:3], atol=1e-4, rtol=0)


_PARSE = """
import sys
from pathlib import Path
from chexnet_trt import _core

def private_kib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))

before = private_kib()
meta = _core.uff.read_file(sys.argv[1])
nodes = len(meta.nodes)
parser = _core.uff.UffParser()
parser.register_input("input_tensor", [3, 256, 256], _core.uff.UffInputOrder.NCHW)
graph = parser.parse(sys.argv[1])
print(private_kib() - before, nodes, len(graph))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_parsing_copies_no_weights(full):
    assert full.uff.stat().st_size > 25e6
    command = [sys.executable, "-c", _PARSE, str(full.uff)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    grown_kib, nodes, operations = map(int, printed.split())
    assert nodes > 300
    assert operations > 300
    assert grown_kib < 20 * 1024
