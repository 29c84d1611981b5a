from __future__ import annotations

import argparse

import pytest

pytest.importorskip("tensorboard")
from tensorboard.compat.proto.graph_pb2 import GraphDef

from chexnet_trt._core import InputError, write_file
from chexnet_trt.commands import freeze


def run(*words):
    parser = argparse.ArgumentParser()
    freeze.add_arguments(parser)
    return freeze.run(parser.parse_args(words))


def test_writes_a_graph_and_says_what(tmp_path, capsys):
    path = tmp_path / "net.pb"
    options = ("--network", "densenet121", "--image-size", "32", "--num-classes", "3")
    assert run("--random-weights", *options, "-o", str(path)) == 0
    printed = capsys.readouterr().out
    assert "7,040,579 parameters" in printed
    assert "RANDOM" in printed
    assert "torch" in printed
    graph = GraphDef.FromString(path.read_bytes())
    assert f"{len(graph.node)} nodes" in printed
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.pb"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("net.pb", "a frozen graph needs no freezing"),
        ("net.keras", r"is a file of Keras: .*model\.export"),
    ],
)
def test_files_that_are_not_frozen(tmp_path, source, message):
    with pytest.raises(InputError, match=message):
        run(str(tmp_path / source), "-o", str(tmp_path / "out.pb"))


def test_nothing_to_freeze(tmp_path):
    with pytest.raises(InputError, match=r"give what to freeze, or --random-weights"):
        run("-o", str(tmp_path / "net.pb"))
    with pytest.raises(InputError, match=r"--checkpoint_scope has no effect on random weights"):
        run("--random-weights", "--checkpoint_scope", "x", "-o", str(tmp_path / "net.pb"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--image-size", "31", "image size 31 is too small"),
        ("--num-classes", "0", "0 classes"),
        ("--seed", "-1", "--seed -1"),
    ],
)
def test_useless_options(tmp_path, option, value, message):
    with pytest.raises(InputError, match=message):
        run("--random-weights", option, value, "-o", str(tmp_path / "net.pb"))
    assert not list(tmp_path.iterdir())


def test_write_file(tmp_path):
    path = tmp_path / "file"
    write_file(str(path), b"old")
    write_file(str(path), memoryview(b"new"))
    assert path.read_bytes() == b"new"
    write_file(str(path), b"")
    assert path.read_bytes() == b""
    with pytest.raises(InputError, match="not contiguous"):
        write_file(str(path), memoryview(b"abcdef")[::2])
    with pytest.raises(InputError, match="nothing was written"):
        write_file(str(tmp_path / "no folder" / "file"), b"x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
