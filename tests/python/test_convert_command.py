from __future__ import annotations

import argparse

import pytest

from chexnet_trt._core import InputError, uff
from chexnet_trt.commands import convert
from graph_defs import GraphMaker


@pytest.fixture
def frozen(tmp_path):
    maker = GraphMaker()
    maker.placeholder("x")
    maker.node("Relu", "a", ["x"])
    maker.node("Tanh", "b", ["a"])
    path = tmp_path / "net.pb"
    path.write_bytes(maker.graph.SerializeToString())
    return path


def run(*words):
    parser = argparse.ArgumentParser()
    convert.add_arguments(parser)
    return convert.run(parser.parse_args([str(word) for word in words]))


def ids(path):
    return [node.id for node in uff.read_file(str(path)).nodes]


def test_writes_beside_the_input_by_default(frozen, capsys):
    assert run(frozen) == 0
    assert ids(frozen.with_suffix(".uff")) == ["b", "a", "x", "MarkOutput_0"]
    assert "UFF Output written to" in capsys.readouterr().out


def test_takes_the_literal_form_of_the_whitepaper(frozen, tmp_path):
    out = tmp_path / "chexnet.uff"
    assert run("input_file", frozen, "-o", out, "-O", "a") == 0
    assert ids(out) == ["a", "x", "MarkOutput_0"]


def test_forces_the_extension(frozen, tmp_path):
    assert run(frozen, "-o", tmp_path / "out.bin", "-q", "-t", "-O", "a", "-O", "b") == 0
    assert ids(tmp_path / "out.uff")[-2:] == ["MarkOutput_0", "MarkOutput_1"]
    assert "nodes {" in (tmp_path / "out.pbtxt").read_text()


def test_writes_both_files_or_neither(frozen, tmp_path):
    (tmp_path / "out.pbtxt").mkdir()
    with pytest.raises(InputError, match=r"out\.pbtxt"):
        run(frozen, "-o", tmp_path / "out.uff", "-t")
    assert not (tmp_path / "out.uff").exists()


def test_quiet_prints_nothing(frozen, capsys):
    assert run("-q", frozen) == 0
    assert capsys.readouterr() == ("", "")


def test_lists_and_writes_nothing(frozen, capsys):
    assert run("-l", frozen) == 0
    assert capsys.readouterr().out.splitlines()[-1] == '3 Tanh: "b"'
    assert not frozen.with_suffix(".uff").exists()


def test_replaces_inputs(frozen):
    assert run(frozen, "-q", "-I", "a,,float32,-1,4") == 0
    assert ids(frozen.with_suffix(".uff")) == ["b", "a", "MarkOutput_0"]


def test_refuses_two_files(frozen):
    with pytest.raises(InputError, match="give one frozen graph, not 2"):
        run(frozen, frozen)


def test_an_error_leaves_no_file(frozen):
    with pytest.raises(InputError, match="'nope' is not in the graph"):
        run(frozen, "-O", "nope", "-q")
    assert [path.name for path in frozen.parent.iterdir()] == ["net.pb"]
