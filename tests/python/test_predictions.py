from __future__ import annotations

import json

import numpy as np
import pytest

from chexnet_trt import InputError
from chexnet_trt.integrated.predictions import LABELS_FILE, score_names, top_predictions
from chexnet_trt.labels import LABELS


def test_the_highest_come_first():
    assert top_predictions(np.array([0.2, 0.9, 0.5]), ["a", "b", "c"], 2) == ["b", "c"]
    assert top_predictions(np.array([0.5, 0.5]), ["a", "b"], 5) == ["b", "a"]


def test_where_the_names_come_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert score_names(None, None, one_indexed=False).of(14) == LABELS
    assert score_names(None, ("x", "y"), one_indexed=False).of(2) == ("x", "y")
    (tmp_path / LABELS_FILE).write_text(json.dumps({"0": "here", "1": "too"}))
    assert score_names(None, ("x", "y"), one_indexed=False).of(2) == ("here", "too")
    (tmp_path / "mine.txt").write_text("mine\n")
    assert score_names("mine.txt", ("x", "y"), one_indexed=False).of(1) == ("mine",)


def test_a_background_class_and_names_that_come_twice(tmp_path):
    """As ImageNet's: two cranes."""
    path = tmp_path / "labellist.json"
    path.write_text(json.dumps({"0": "background", "1": "crane", "2": "crane"}))
    assert score_names(str(path), None, one_indexed=True).of(2) == ("crane", "crane")
    assert score_names(str(path), None, one_indexed=False).of(3) == ("background", "crane", "crane")
    with pytest.raises(InputError, match="3 labels do not name 2 scores"):
        score_names(str(path), None, one_indexed=False).of(2)
