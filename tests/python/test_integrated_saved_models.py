"""SavedModel in, SavedModel with engines out."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from chexnet_trt._core import InputError

tf = pytest.importorskip("tensorflow")
pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("op_library")]

from chexnet_trt.export.freezing import freeze_meta_graph  # noqa: E402
from chexnet_trt.integrated import (  # noqa: E402
    TrtConversionParams,
    TrtGraphConverterV2,
    create_inference_graph,
    fallback_calls,
)
from chexnet_trt.integrated.saved_models import read_saved_model  # noqa: E402
from tensorflow_graphs import ops, random_images, run, v1  # noqa: E402

IMAGES = random_images(1, 4, 8, 8, 3)
AGES = random_images(2, 4, 1)


class Network(tf.Module):
    """Random weights, two inputs, two outputs of which one comes from an op that engines lack."""

    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(random_images(3, 3, 3, 3, 4))
        self.dense = tf.Variable(random_images(4, 5, 14))

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 8, 8, 3], tf.float32, "images"),
            tf.TensorSpec([None, 1], tf.float32, "ages"),
        ]
    )
    def serve(self, images, ages):
        x = tf.nn.relu(tf.nn.conv2d(images, self.kernel, 1, "SAME"))
        x = tf.concat([tf.reduce_mean(x, [1, 2]), ages], 1)
        scores = tf.sigmoid(tf.matmul(x, self.dense))
        return {"scores": scores, "best": tf.math.top_k(scores, 3)[1]}


@pytest.fixture(scope="module")
def saved_by_2(tmp_path_factory):
    folder = tmp_path_factory.mktemp("by_2") / "model"
    network = Network()
    tf.saved_model.save(network, str(folder), signatures=network.serve)
    return folder


@pytest.fixture(scope="module")
def expected(saved_by_2):
    function = tf.saved_model.load(str(saved_by_2)).signatures["serving_default"]
    return {key: value.numpy() for key, value in function(images=IMAGES, ages=AGES).items()}


def save_by_1(folder):
    """A graph of TensorFlow 1 with variables, its signature, and a checkpoint; returns scores."""
    with tf.Graph().as_default(), v1.Session() as session:
        images = v1.placeholder(tf.float32, [None, 8, 8, 3], "input_tensor")
        kernel = v1.get_variable("kernel", initializer=random_images(3, 3, 3, 3, 14))
        x = tf.reduce_mean(tf.nn.relu(tf.nn.conv2d(images, kernel, 1, "SAME")), [1, 2])
        scores = tf.sigmoid(x, name="chexnet_sigmoid_tensor")
        tf.argmax(x, 1, name="categories")
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(
            session, str(folder / "model"), {"input": images}, {"scores": scores}
        )
        v1.train.Saver().save(session, str(folder / "model.ckpt"))
        return session.run(scores, {images: IMAGES})


def check(folder, expected):
    function = tf.saved_model.load(str(folder)).signatures["serving_default"]
    found = function(images=tf.constant(IMAGES), ages=tf.constant(AGES))
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=1e-4)
    np.testing.assert_array_equal(found["best"], expected["best"])
    return function


def test_a_saved_model_of_tensorflow_2(saved_by_2, expected, tmp_path):
    """And its use by eight threads at once."""
    out = tmp_path / "converted"
    graph = create_inference_graph(
        None, None, max_batch_size=4, input_saved_model_dir=saved_by_2, output_saved_model_dir=out
    )
    assert ops(graph).count("ChexnetTrtEngine") == 1
    assert "TopKV2" in ops(graph)
    function = check(out, expected)

    def scores(row):
        rows = slice(row, row + 1)
        return function(images=tf.constant(IMAGES[rows]), ages=tf.constant(AGES[rows]))["scores"]

    with ThreadPoolExecutor(8) as pool:
        for row, found in enumerate(pool.map(scores, [0, 1, 2, 3] * 8)):
            np.testing.assert_allclose(found[0], expected["scores"][row % 4], atol=1e-4)


def test_a_fresh_interpreter_serves_it(saved_by_2, expected, tmp_path):
    out = tmp_path / "converted"
    create_inference_graph(
        None, None, max_batch_size=4, input_saved_model_dir=saved_by_2, output_saved_model_dir=out
    )
    np.savez(tmp_path / "inputs.npz", images=IMAGES, ages=AGES)
    code = (
        "import sys, numpy as np\n"
        "import chexnet_trt.integrated\n"
        "chexnet_trt.integrated.load_op_library()\n"
        "import tensorflow as tf\n"
        "folder = sys.argv[1]\n"
        "serve = tf.saved_model.load(folder + '/converted').signatures['serving_default']\n"
        "inputs = np.load(folder + '/inputs.npz')\n"
        "inputs = {key: tf.constant(value) for key, value in inputs.items()}\n"
        "np.savez(folder + '/outputs.npz', **{k: v.numpy() for k, v in serve(**inputs).items()})\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    found = np.load(tmp_path / "outputs.npz")
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=1e-4)
    np.testing.assert_array_equal(found["best"], expected["best"])


def test_a_saved_model_and_a_meta_graph_of_tensorflow_1(tmp_path):
    expected = save_by_1(tmp_path)
    out = tmp_path / "converted"
    create_inference_graph(
        None, None, 4, input_saved_model_dir=tmp_path / "model", output_saved_model_dir=out
    )
    function = tf.saved_model.load(str(out)).signatures["serving_default"]
    np.testing.assert_allclose(function(tf.constant(IMAGES))["scores"], expected, atol=1e-4)
    frozen = freeze_meta_graph(tmp_path / "model.ckpt.meta")
    graph = create_inference_graph(frozen.graph, frozen.outputs, 4)
    assert ops(graph) == ["ChexnetTrtEngine", "Identity", "Identity"]
    found = run(graph, ["chexnet_sigmoid_tensor"], {"input_tensor:0": IMAGES})[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_converter_learns_the_batch(saved_by_2, expected, tmp_path):
    converter = TrtGraphConverterV2(saved_by_2)
    function = converter.convert()
    assert converter.report.segments[0].max_batch == 1
    converter.build(lambda: [{"images": IMAGES[:2], "ages": AGES[:2]}, (AGES, IMAGES)])
    assert converter.report.segments[0].max_batch == 4
    converter.save(tmp_path / "converted")
    check(tmp_path / "converted", expected)
    one = function(tf.constant(AGES[:1]), tf.constant(IMAGES[:1]))
    np.testing.assert_allclose(one["scores"], expected["scores"][:1], atol=1e-4)


def test_the_fallback_lies_in_the_saved_model(saved_by_2, expected, tmp_path):
    converter = TrtGraphConverterV2(saved_by_2, max_batch_size=2, fallback=True)
    converter.convert()
    converter.save(tmp_path / "converted")
    before = fallback_calls()
    check(tmp_path / "converted", expected)
    assert fallback_calls() == before + 1


def test_the_converter_calibrates(saved_by_2, expected, tmp_path):
    params = TrtConversionParams(precision_mode="INT8", max_workspace_size_bytes=1 << 20)
    converter = TrtGraphConverterV2(saved_by_2, conversion_params=params)
    with pytest.raises(InputError, match="give calibration_input_fn"):
        converter.convert()
    converter.convert(lambda: [(AGES, IMAGES)])
    assert converter.report.segments[0].max_batch == 4
    converter.save(tmp_path / "converted")
    function = tf.saved_model.load(str(tmp_path / "converted")).signatures["serving_default"]
    found = function(images=tf.constant(IMAGES), ages=tf.constant(AGES))
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=0.05)


def test_the_summary(saved_by_2):
    converter = TrtGraphConverterV2(saved_by_2, max_batch_size=2)
    with pytest.raises(InputError, match="call convert first"):
        converter.summary()
    converter.convert()
    lines: list[str] = []
    converter.summary(print_fn=lines.append)
    assert "in 1 engine" in lines[0]
    assert any("(TopKV2): the operation is not known here" in line for line in lines)
    short: list[str] = []
    converter.summary(line_length=20, detailed=False, print_fn=short.append)
    assert len(short) < len(lines)
    assert max(map(len, short)) == 20


def test_refusals(saved_by_2, tmp_path):
    for options, message in [
        ({"tags": ["gpu"]}, "no graph with the tags gpu"),
        ({"signature": "train"}, "no signature train"),
    ]:
        with pytest.raises(InputError, match=message):
            read_saved_model(saved_by_2, **options)
    with pytest.raises(InputError, match="exists: name a folder that does not"):
        create_inference_graph(
            None, None, input_saved_model_dir=saved_by_2, output_saved_model_dir=tmp_path
        )
    converter = TrtGraphConverterV2(saved_by_2)
    converter.convert()
    with pytest.raises(InputError, match="the input function gives 1 arrays"):
        converter.build(lambda: [IMAGES])
    with pytest.raises(InputError, match="INT8 alone"):
        TrtGraphConverterV2(saved_by_2).convert(list)
