from __future__ import annotations

import sys

import pytest

from chexnet_trt._core import InputError
from chexnet_trt.uff import graph_def as tf
from graph_defs import GraphMaker


def test_loads_a_frozen_graph(tmp_path):
    maker = GraphMaker()
    maker.placeholder("x")
    path = tmp_path / "net.pb"
    path.write_bytes(maker.graph.SerializeToString())
    assert [node.name for node in tf.load(path).node] == ["x"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\x08\x01\x10\x01\x1a\x18", "is a UFF file already"),
        (b"\x08\x01\x12\x05", "SavedModel, not a frozen graph"),
        (b"\xff" * 64, "not a frozen TensorFlow graph"),
        (b"\x22\x02\x08\x01", "holds no nodes"),
        (b'node {\n  name: "x"\n}', "text form"),
    ],
)
def test_names_what_it_was_given(tmp_path, content, message):
    path = tmp_path / "net.pb"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        tf.load(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_graph_cut_short_is_refused(tmp_path):
    maker = GraphMaker()
    maker.placeholder("x")
    data = maker.graph.SerializeToString()
    path = tmp_path / "net.pb"
    for size in range(len(data)):
        path.write_bytes(data[:size])
        with pytest.raises(InputError):
            tf.load(path)


def test_names_a_missing_file_and_folders(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        tf.load(tmp_path / "none.pb")
    with pytest.raises(InputError, match="is a folder"):
        tf.load(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(InputError, match=r"is a SavedModel.*freeze"):
        tf.load(tmp_path)


def test_names_the_extra_when_tensorboard_is_missing(tmp_path, monkeypatch):
    for module in [name for name in sys.modules if name.startswith("tensorboard")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    path = tmp_path / "net.pb"
    path.write_bytes(b"\x0a\x00")
    with pytest.raises(InputError, match=r"pip install 'chexnet_trt\[convert\]'"):
        tf.load(path)
