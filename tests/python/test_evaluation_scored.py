from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from chexnet_trt._core import InputError
from chexnet_trt.evaluation.data import LabelledImages
from chexnet_trt.evaluation.scored import ScoredImages, score, scores_csv
from chexnet_trt.evaluation.truth import Truth
from chexnet_trt.feeding.sources import ArraySource
from chexnet_trt.preprocess import preset


class FakeEngine:
    """Score k of an image is its mean value + k; remembers the batches."""

    max_batch = 3

    def __init__(self, names: list[str]) -> None:
        self.inputs = [spec("input_tensor", (-1, 1, 4, 4), "nchw")]
        self.outputs = [spec("chexnet_sigmoid_tensor", (-1, len(names)))]
        self.manifest = {
            "preprocess": preset("raw", 4, 4, 1).to_json(),
            "labels": {"names": names},
        }
        self.batches: list[int] = []

    def infer(self, array: np.ndarray) -> dict[str, np.ndarray]:
        self.batches.append(len(array))
        count = self.outputs[0].shape[1]
        means = array.reshape(len(array), -1).mean(1, keepdims=True)
        return {"chexnet_sigmoid_tensor": means + np.arange(count, dtype=np.float32)}


def spec(name: str, shape: tuple[int, ...], layout: str = "plain") -> SimpleNamespace:
    return SimpleNamespace(name=name, shape=shape, layout=layout, element="float32")


def images(classes: tuple[str, ...] = ("Mass", "Hernia", "Edema"), count: int = 5):
    pixels = [np.full((4, 4), 10 * k, np.uint8) for k in range(count)]
    labels = np.arange(count * len(classes)).reshape(count, -1) % 2
    truth = Truth(classes, labels.astype(np.uint8), ("p",) * count, "test", False)
    return LabelledImages(ArraySource("array", pixels), tuple("abcde"[:count]), truth)


def test_scores_are_in_the_engines_order_with_the_labels_of_their_names():
    engine, calls = FakeEngine(["Edema", "Mass", "Hernia"]), []
    found = score(engine, images(), progress=lambda *call: calls.append(call))
    assert found.truth.classes == ("Edema", "Mass", "Hernia")
    np.testing.assert_array_equal(found.truth.labels, images().truth.labels[:, [2, 0, 1]])
    np.testing.assert_array_equal(found.scores[:, 0], [0, 10, 20, 30, 40])
    assert found.scores.dtype == np.float32
    assert engine.batches == [3, 2]
    assert calls == [("score", 3, 5), ("score", 5, 5)]


def test_classes_on_one_side_alone_are_left_out(caplog):
    found = score(FakeEngine(["Fibrosis", "Edema", "Mass"]), images())
    assert found.truth.classes == ("Edema", "Mass")
    np.testing.assert_array_equal(found.scores[0], [1, 2])
    assert "not evaluated, scores without labels: Fibrosis" in caplog.text
    assert "not evaluated, labels without scores: Hernia" in caplog.text


def test_names_that_do_not_fit():
    with pytest.raises(InputError, match=r"none of the engine's scores \(Fibrosis\) is a class"):
        score(FakeEngine(["Fibrosis"]), images())
    with pytest.raises(InputError, match=r"2 labels, but the output '.*' has 1 scores"):
        score(FakeEngine(["Mass"]), images(), class_names=["Mass", "Edema"])


def test_batches_that_do_not_fit():
    assert len(score(FakeEngine(["Mass"]), images(), batch=1).scores) == 5
    with pytest.raises(InputError, match="--batch 4: the engine takes 1 to 3 images a run"):
        score(FakeEngine(["Mass"]), images(), batch=4)


def test_a_reference_takes_the_order_of_the_engine():
    scored = score(FakeEngine(["Edema", "Mass"]), images(("Mass", "Edema")))
    other = score(FakeEngine(["Hernia", "Mass", "Edema"]), images())
    like = other.like(scored)
    assert like.truth is scored.truth
    np.testing.assert_array_equal(like.scores[0], [2, 1])
    with pytest.raises(InputError, match="the reference has no score for Hernia"):
        scored.like(other)


def test_csv():
    scored = score(FakeEngine(["Mass"]), images(("Mass",), count=2))
    reference = ScoredImages(scored.images, scored.scores + np.float32(0.1))
    assert scores_csv(scored) == "image,Mass,label:Mass\na,0,0\nb,10,1\n"
    lines = scores_csv(scored, reference).splitlines()
    assert lines[0] == "image,Mass,label:Mass,reference:Mass"
    assert np.float32(lines[2].split(",")[3]) == reference.scores[1, 0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_no_reference(bad):
    found = score(FakeEngine(["Mass", "Hernia"]), images())
    assert found.as_reference("fp32.engine") is found
    found.scores[3, 1] = bad
    with pytest.raises(InputError, match=r"^1 scores of fp32\.engine are infinite or no"):
        found.as_reference("fp32.engine")
