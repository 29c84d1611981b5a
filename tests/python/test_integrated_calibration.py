"""The calibration graph, and int8 graphs from it."""

from __future__ import annotations

import numpy as np
import pytest

import chexnet_trt as ct
from chexnet_trt._core import InputError
from int8_networks import needs_int8

tf = pytest.importorskip("tensorflow")
pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("op_library")]

import networks  # noqa: E402
from chexnet_trt.integrated import (  # noqa: E402
    calib_graph_to_infer_graph,
    create_inference_graph,
)
from chexnet_trt.integrated.calibration_graph import start_calibration  # noqa: E402
from chexnet_trt.integrated.conversion import divide  # noqa: E402
from tensorflow_graphs import graph_of, ops, random_images, run, v1  # noqa: E402

FEED = f"{networks.INPUT}:0"
SHAPE = (networks.SIZE, networks.SIZE, networks.CHANNELS)
# Of 16 random images.
IMAGES = random_images(3, 16, *SHAPE)


def small_graph():
    return v1.GraphDef.FromString(networks.small_graph().SerializeToString())


def calibration_graph(**options):
    return create_inference_graph(
        small_graph(), [networks.SCORES], max_batch_size=4, precision_mode="INT8", **options
    )


def test_the_calibration_graph_gives_what_tensorflow_gives():
    graph = calibration_graph()
    assert ops(graph) == sorted([*ops(small_graph()), "PyFunc"])
    expected, actual = (run(g, [networks.SCORES], {FEED: IMAGES}) for g in (small_graph(), graph))
    np.testing.assert_allclose(actual[0], expected[0], atol=1e-6)


@needs_int8
def test_int8_from_the_calibration_graph(monkeypatch):
    graph = calibration_graph()
    for start in range(0, 16, 4):
        run(graph, [networks.SCORES], {FEED: IMAGES[start : start + 4]})
    result = calib_graph_to_infer_graph(graph)
    assert ops(result) == ["ChexnetTrtEngine", "Identity"]
    (scores,) = run(result, [networks.SCORES], {FEED: IMAGES[:4]})
    expected = networks.small_scores(IMAGES[:4])
    np.testing.assert_allclose(scores, expected, atol=0.05)


def test_the_ranges_are_those_of_calibrate(tmp_path):
    """Whatever the batches are: of the whole network, on the same images."""
    partition = divide(small_graph(), [networks.SCORES], 3)
    calibration = start_calibration(partition)
    ((name, recorder),) = calibration.recorders.items()
    recorder.record(IMAGES[:3])
    recorder.record(IMAGES[3:])
    table = ct.calibrate(
        networks.write_uff(tmp_path / "small.uff"), list(IMAGES), outputs=[networks.SCORES]
    )
    found = calibration.int8()[name]
    assert found.ranges == table.ranges
    assert found.calibration["image_count"] == 16
    assert not found.calibration["random_ranges"]


def test_two_segments_are_calibrated_each():
    weights = random_images(0, 8, 8)

    def build(x):
        y, _ = tf.math.top_k(tf.nn.relu(tf.matmul(x, weights)), 8)
        tf.sigmoid(tf.matmul(y, weights) * 0.1, name="y")

    graph = create_inference_graph(
        graph_of(build, [None, 8]), ["y"], 4, precision_mode="int8", minimum_segment_size=1
    )
    assert ops(graph).count("PyFunc") == 2
    feed = {"x0:0": random_images(1, 4, 8)}
    expected = run(graph, ["y"], feed)[0]
    result = calib_graph_to_infer_graph(graph)
    assert ops(result).count("ChexnetTrtEngine") == 2
    np.testing.assert_allclose(run(result, ["y"], feed)[0], expected, atol=0.05)


def test_nothing_to_quantise_needs_no_calibration():
    graph = graph_of(lambda x: tf.tanh(tf.nn.relu(x), name="y"), [None, 8])
    result = create_inference_graph(
        graph, ["y"], precision_mode="INT8", minimum_segment_size=1, use_calibration=True
    )
    assert "ChexnetTrtEngine" in ops(result)


def test_refusals(tmp_path):
    graph = calibration_graph()
    with pytest.raises(InputError, match="has seen no data"):
        calib_graph_to_infer_graph(graph)
    run(graph, [networks.SCORES], {FEED: IMAGES[:1]})
    calib_graph_to_infer_graph(graph)
    with pytest.raises(InputError, match="not in this process"):
        calib_graph_to_infer_graph(graph)
    with pytest.raises(InputError, match="this is no calibration graph"):
        calib_graph_to_infer_graph(small_graph())


def test_values_that_are_not_finite_are_refused():
    graph = calibration_graph()
    images = IMAGES[:1].copy()
    images[0, 0, 0, 0] = np.nan
    with pytest.raises(tf.errors.OpError, match="not finite"):
        run(graph, [networks.SCORES], {FEED: images})
