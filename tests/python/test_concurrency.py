"""Contexts side by side, on the small network."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorboard")

import chexnet_trt as ct
import networks
from chexnet_trt.uff import from_tensorflow
from graph_defs import DType, GraphMaker
from networks import INPUT, MAX_BATCH, SCORES, small_images


def run_threads(count, work):
    """Runs work(index) in `count` threads; raises the first error of any."""
    errors = []

    def guarded(index):
        try:
            work(index)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "deadlock"
    if errors:
        raise errors[0]


def test_the_network_itself(small):
    images = small_images(MAX_BATCH)
    expected = networks.small_scores(images.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(small.infer(images)[SCORES], expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.05


@pytest.mark.parametrize("load", ["built", "loaded"])
def test_eight_threads_give_the_single_thread_results(load, small_uff, small_engine):
    engine = networks.build_small(small_uff) if load == "built" else ct.load(small_engine)
    expected = {
        (batch, seed): engine.infer(small_images(batch, seed))[SCORES]
        for batch in range(1, MAX_BATCH + 1)
        for seed in range(8)
    }

    def work(index):
        context = engine.create_context()
        for turn in range(50):
            batch = 1 + (index + turn) % MAX_BATCH
            scores = context.enqueue(small_images(batch, index)).wait()[SCORES]
            assert np.array_equal(scores, expected[batch, index]), (index, turn)

    run_threads(8, work)


def test_threads_compile_a_batch_size_at_the_same_time(small_engine):
    engine = ct.load(small_engine)
    start = threading.Barrier(8, timeout=30)

    def work(index):
        start.wait()
        batch = 1 + index % 3
        images = small_images(batch, index)
        expected = networks.small_scores(images.transpose(0, 2, 3, 1))
        np.testing.assert_allclose(engine.infer(images)[SCORES], expected, atol=1e-5)

    run_threads(8, work)


def test_threads_may_share_a_context(small):
    context = small.create_context()

    def work(index):
        for turn in range(20):
            images = small_images(1 + (index + turn) % MAX_BATCH, index)
            expected = networks.small_scores(images.transpose(0, 2, 3, 1))
            scores = context.enqueue(images).wait()[SCORES]
            np.testing.assert_allclose(scores, expected, atol=1e-5)

    run_threads(4, work)


def slow_engine(folder: Path) -> ct.Engine:
    """A chain of convolutions that takes some tenths of a second a batch."""
    rng = np.random.default_rng(0)
    maker = GraphMaker()
    maker.placeholder(INPUT, (-1, 32, 32, 64))
    kernel = rng.normal(scale=0.04, size=(3, 3, 64, 64)).astype(np.float32)
    value = INPUT
    for index in range(12):
        maker.const(f"kernel_{index}", kernel)
        maker.node(
            "Conv2D", f"conv_{index}", [value, f"kernel_{index}"], T=DType("float32"),
            strides=[1, 1, 1, 1], padding="SAME", data_format="NHWC",
        )  # fmt: skip
        value = maker.node("Tanh", f"tanh_{index}", [f"conv_{index}"], T=DType("float32"))
    path = folder / "slow.uff"
    path.write_bytes(from_tensorflow(maker.graph, [value], quiet=True))
    return ct.build(path, inputs={INPUT: (64, 32, 32)}, max_batch=64)


def test_enqueue_returns_first_and_waiting_releases_the_gil(tmp_path):
    engine = slow_engine(tmp_path)
    images = np.ones((64, 64, 32, 32), np.float32)
    first, second = engine.create_context(), engine.create_context()
    one = first.enqueue(images)
    assert not one.ready()
    two = second.enqueue(images)
    assert not two.ready()
    turns, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            turns[0] += 1

    counter = threading.Thread(target=count)
    counter.start()
    while turns[0] == 0:
        pass
    waiting = not two.ready()
    before = turns[0]
    outputs = [inference.wait() for inference in (one, two)]
    during = turns[0] - before
    stop.set()
    counter.join()
    assert waiting
    assert during > 100
    (a,), (b,) = (output.values() for output in outputs)
    assert np.array_equal(a, b)
    assert one.ready()
    assert two.ready()
