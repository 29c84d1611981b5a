"""Class activation maps as an output of engines; the networks have random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorboard")

import chexnet_trt as ct
import networks
from chexnet_trt._core import CLASS_ACTIVATION_OUTPUT, InputError
from chexnet_trt.cli import main
from chexnet_trt.models import build_graph
from graph_defs import DType, GraphMaker
from int8_networks import NETWORK, needs_int8, needs_mixed, pixels, write_chain
from networks import INPUT, SCORES

BIASES = {"resnet50_v2": "resnet_model/dense/bias", "densenet121": "predictions/bias"}
SIZE = 96


def random_weights(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Of a spread that neither dies away nor grows through the layers."""
    rng = np.random.default_rng(sum(map(ord, name)))
    if name.endswith(("kernel", "bias")):
        return rng.normal(0, (1 / np.prod(shape[:-1])) ** 0.5, shape).astype(np.float32)
    scale = name.endswith(("gamma", "variance"))
    return (float(scale) + rng.uniform(-0.1, 0.1, shape)).astype(np.float32)


def explained(maps: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The scores that maps and biases stand for."""
    return 1 / (1 + np.exp(-(maps.astype(np.float64).mean(axis=(2, 3)) + bias)))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("network", BIASES)
def test_mean_of_a_map_and_bias_are_the_logit(network, data_format, tmp_path):
    """Of both networks, from a frozen graph, with its two outputs."""
    graph = build_graph(network, random_weights, image_size=SIZE, data_format=data_format)
    (node,) = (node for node in graph.node if node.name == BIASES[network])
    bias = np.frombuffer(node.attr["value"].tensor.tensor_content, np.float32)
    frozen, target = tmp_path / "net.pb", tmp_path / "net.engine"
    frozen.write_bytes(graph.SerializeToString())
    words = ["--max-batch", "2", "--no-blob", "--heatmap", "-o", str(target)]
    assert main(["build", str(frozen), *words]) == 0
    engine = ct.load(target)
    assert engine.outputs[-1].name == CLASS_ACTIVATION_OUTPUT
    assert list(engine.outputs[-1].shape) == [-1, 14, SIZE // 32, SIZE // 32]
    rng = np.random.default_rng(0)
    shape = [2, *engine.inputs[0].shape[1:]]
    outputs = engine.infer(rng.normal(0, 1, shape).astype(np.float32))
    maps = outputs[CLASS_ACTIVATION_OUTPUT]
    assert maps.std(axis=(2, 3)).min() > 0
    assert np.count_nonzero(abs(outputs[SCORES] - 0.5) < 0.45) > 14
    assert np.allclose(explained(maps, bias), outputs[SCORES], atol=1e-5)


def convolution_precisions(engine: ct.Engine) -> dict[str, str]:
    return {
        layer.name: layer.precision
        for layer in engine.layers()
        if layer.type == "Convolution" and CLASS_ACTIVATION_OUTPUT not in layer.name
    }


@pytest.mark.parametrize(
    ("precision", "u8_input"),
    [
        pytest.param("int8", False, marks=needs_int8),
        pytest.param("int8", True, marks=needs_int8),
        pytest.param("mixed", False, marks=needs_mixed),
    ],
)
def test_int8_scores_and_layers_stay_as_they_were(tmp_path, precision, u8_input):
    uff = write_chain(tmp_path / "chain.uff", layers=4, filters=16)
    table = ct.calibrate(uff, list(pixels(16)), **NETWORK, u8_input=u8_input)
    options = {"precisions": [precision], "obey": True, "calibration": table, "max_batch": 4}
    options |= {**NETWORK, "u8_input": u8_input, "slice_size": 4}
    plain = ct.build(uff, **options)
    mapped = ct.build(uff, **options, class_activation=True)
    images = pixels(4, seed=1).transpose(0, 3, 1, 2)
    images = np.ascontiguousarray(images) if u8_input else (images / 255).astype(np.float32)
    expected, outputs = plain.infer(images), mapped.infer(images)
    assert np.array_equal(outputs[SCORES], expected[SCORES])
    assert convolution_precisions(mapped) == convolution_precisions(plain)
    assert len(convolution_precisions(plain)) == 4
    (layer,) = (
        layer
        for layer in mapped.layers()
        if layer.type == "Convolution" and CLASS_ACTIVATION_OUTPUT in layer.name
    )
    assert layer.precision == ("f32" if precision == "int8" else "bf16")
    maps = outputs[CLASS_ACTIVATION_OUTPUT]
    assert np.abs(explained(maps, np.zeros(14)) - outputs[SCORES]).max() < 0.01
    assert CLASS_ACTIVATION_OUTPUT not in expected


def test_maps_change_no_fp32_score(small_uff):
    options = {**NETWORK, "max_batch": networks.MAX_BATCH}
    mapped = ct.build(small_uff, **options, class_activation=True)
    images = networks.small_images(3)
    outputs = mapped.infer(images)
    assert np.array_equal(outputs[SCORES], ct.build(small_uff, **options).infer(images)[SCORES])
    scores = explained(outputs[CLASS_ACTIVATION_OUTPUT], networks.weights()["bias"])
    assert np.allclose(scores, outputs[SCORES], atol=1e-6)
    named = [output["name"] for output in mapped.manifest["model"]["outputs"]]
    assert named == [SCORES, CLASS_ACTIVATION_OUTPUT]


def test_a_network_without_such_a_head_is_refused(tmp_path: Path, capsys):
    maker = GraphMaker()
    maker.placeholder(INPUT, (-1, 4))
    maker.const("dense", np.ones((4, 14), np.float32))
    maker.node(
        "MatMul", "product", [INPUT, "dense"], T=DType("float32"), transpose_a=False,
        transpose_b=False,
    )  # fmt: skip
    maker.node("Sigmoid", SCORES, ["product"], T=DType("float32"))
    path = tmp_path / "dense.pb"
    path.write_bytes(maker.graph.SerializeToString())
    with pytest.raises(InputError, match=r"need scores that are the sigmoid .* 'input_tensor' is"):
        ct.build(path, class_activation=True)
    words = ["--heatmap", "--int8", "--calib-data", "none", "-o", str(tmp_path / "net.engine")]
    assert main(["build", str(path), *words]) == 2
    assert "class activation maps need" in capsys.readouterr().err  # before the calibration
    assert not (tmp_path / "net.engine").exists()
