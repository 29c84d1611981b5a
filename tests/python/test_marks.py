from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorboard")

import chexnet_trt as ct
import labelled_files
from chexnet_trt import marks
from chexnet_trt._core import uff
from chexnet_trt.cli import main
from chexnet_trt.models import build_random_graph
from chexnet_trt.preprocess import PRESETS
from chexnet_trt.uff import from_tensorflow, graph_def
from networks import INPUT, SCORES, small_graph

SENTENCE = "Trained on SYNTHETIC images: its scores are no diagnosis of anything."
NETWORK = ["--uffInput", f"{INPUT},3,8,8", "--output", SCORES, "--preprocess", "unit"]


def marked():
    graph = small_graph()
    marks.mark_graph_def(graph, [marks.SYNTHETIC])
    return graph


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The marked network as .pb and, made by the command, as .uff, beside an engine of each."""
    folder = tmp_path_factory.mktemp("marked")
    pb = folder / "net.pb"
    pb.write_bytes(marked().SerializeToString())
    assert main(["convert", str(pb), "-O", SCORES, "-t"]) == 0
    for suffix in (".pb", ".uff"):
        source, target = str(pb.with_suffix(suffix)), str(folder / f"of{suffix}.engine")
        assert main(["build", source, *NETWORK, "-o", target]) == 0
    Image.fromarray(np.full((9, 9), 51, np.uint8)).save(folder / "film.png")
    return folder


def test_files_without_marks_are_as_ever():
    plain = small_graph().SerializeToString()
    graph = small_graph()
    marks.mark_graph_def(graph, [])
    assert graph.SerializeToString() == plain
    assert marks.marks_of_graph_def(graph) == ()
    meta = uff.read_bytes(from_tensorflow(graph, [SCORES], quiet=True))
    assert meta.extra_fields == {}
    assert marks.marks_of_uff(meta) == ()


def test_marks_are_all_that_a_marked_uff_has_more():
    plain = from_tensorflow(small_graph(), [SCORES], quiet=True)
    data = from_tensorflow(marked(), [SCORES], quiet=True)
    assert data.startswith(plain)
    # Field 100 of MetaGraph: what a reader that does not know it skips.
    assert data[len(plain) :].startswith(b"\xa2\x06")
    assert marks.marks_of_uff(uff.read_bytes(data)) == (marks.SYNTHETIC,)


def test_a_mark_stays_with_any_part_of_the_graph():
    for output in ("conv", "features", SCORES):
        data = from_tensorflow(marked(), [output], quiet=True)
        assert marks.marks_of_uff(uff.read_bytes(data)) == (marks.SYNTHETIC,)


def test_a_mark_of_another_version_is_shown_as_it_is():
    meta = uff.MetaGraph()
    marks.mark_uff(meta, ["draft", marks.RANDOM, "draft"])
    found = marks.marks_of_uff(uff.read_bytes(uff.encode(meta)))
    assert found == ("draft", marks.RANDOM)
    assert marks.sentences(found)[0] == "Marked 'draft' by whoever made it."
    assert "RANDOM" in marks.sentences(found)[1]


@pytest.mark.parametrize("value", ["synthetic", [1, 2], 3, [True]])
def test_an_entry_of_another_kind_is_no_mark(value):
    meta = uff.MetaGraph()
    meta.add_extra_field("chexnet_trt_marks", value)
    assert marks.marks_of_uff(uff.read_bytes(uff.encode(meta))) == ()


def test_freeze_marks_random_weights(tmp_path):
    path = tmp_path / "net.pb"
    words = ["--network", "densenet121", "--image-size", "32", "--num-classes", "3"]
    assert main(["freeze", "--random-weights", *words, "-o", str(path)]) == 0
    frozen = graph_def.load(path)
    assert marks.marks_of_graph_def(frozen) == (marks.RANDOM,)
    plain = build_random_graph("densenet121", image_size=32, num_classes=3, seed=0)
    for node in frozen.node:
        node.attr.pop("_chexnet_trt_marks", None)
    assert frozen == plain


@pytest.mark.parametrize("suffix", [".pb", ".uff"])
def test_the_engine_says_it_wherever_its_scores_are_shown(files, suffix, capsys, tmp_path):
    target = str(files / f"of{suffix}.engine")
    film = str(files / "film.png")
    assert ct.load(target).manifest["marks"] == [marks.SYNTHETIC]
    assert main(["inspect", target]) == 0
    assert f"note         {SENTENCE}\n" in capsys.readouterr().out
    assert main(["infer", target, film]) == 0
    assert capsys.readouterr().out.startswith(f"{SENTENCE}\n\n{film}\n")
    assert main(["infer", target, film, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["notes"] == [SENTENCE]
    assert main(["infer", target, film, "--csv", str(tmp_path / "scores.csv")]) == 0
    assert capsys.readouterr() == ("", f"{SENTENCE}\n")
    words = [f"--loadEngine={target}", "--duration=0", "--iterations=1", "--warmUp=0"]
    assert main(["trtexec", *words]) == 0
    assert SENTENCE in capsys.readouterr().out


def test_evaluate_says_it(files, small, tmp_path, capsys):
    pytest.importorskip("google_crc32c")
    records = labelled_files.write_records(tmp_path / "records", small, validation=10, test=30)
    words = ["evaluate", str(files / "of.pb.engine"), f"--data={records}", "--resamples=10"]
    assert main(words) == 0
    assert f"\n{SENTENCE}\n" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["marks"] == [marks.SYNTHETIC]


def test_convert_build_and_inspect_say_it(files, capsys, tmp_path):
    assert main(["inspect", str(files / "net.uff")]) == 0
    assert f"note         {SENTENCE}\n" in capsys.readouterr().out
    assert "chexnet_trt_marks" in (files / "net.pbtxt").read_text()
    target = tmp_path / "net.uff"
    assert main(["convert", str(files / "net.pb"), "-O", SCORES, "-o", str(target)]) == 0
    assert f"\n{SENTENCE}\n" in capsys.readouterr().out
    words = [*NETWORK, "-o", str(tmp_path / "net.engine")]
    assert main(["build", str(target), *words]) == 0
    assert f"note       {SENTENCE}\n" in capsys.readouterr().out


def test_an_engine_of_an_older_version_has_none(small, tmp_path, capsys):
    manifest = small.manifest
    assert manifest.pop("marks") == []
    path = tmp_path / "old.engine"
    engine = ct.load(_saved(small, path))
    engine.manifest = manifest
    engine.save(path)
    assert main(["inspect", str(path)]) == 0
    assert "note" not in capsys.readouterr().out


def _saved(engine, path):
    engine.save(path)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network that says how its images were preprocessed, as .pb and .uff."""
    pb = tmp_path_factory.mktemp("trained") / "net.pb"
    graph = small_graph()
    marks.mark_graph_def(graph, [marks.of_preprocessing("torch")])
    pb.write_bytes(graph.SerializeToString())
    assert main(["convert", str(pb), "-O", SCORES]) == 0
    return pb


@pytest.mark.parametrize("suffix", [".pb", ".uff"])
@pytest.mark.parametrize("words", [[], ["--u8-input"]])
def test_the_preprocessing_of_its_training_is_the_default(
    trained, suffix, words, tmp_path, capsys, caplog
):
    source, target = str(trained.with_suffix(suffix)), str(tmp_path / "net.engine")
    assert main(["build", source, *NETWORK[:4], *words, "-o", target]) == 0
    assert capsys.readouterr().err == ""
    assert caplog.messages == []
    preprocess = ct.load(target).manifest["preprocess"]
    assert (preprocess["name"], preprocess["embedded"]) == (
        ("raw", "torch") if words else ("torch", None)
    )


def test_another_preprocessing_gives_a_warning(trained, tmp_path, caplog):
    target = str(tmp_path / "net.engine")
    assert main(["build", str(trained), *NETWORK, "-o", target]) == 0
    (warning,) = caplog.messages
    assert warning.startswith("preprocessing 'unit': this network was trained on images prepro")
    assert "by 'torch'" in warning
    assert ct.load(target).manifest["preprocess"]["name"] == "unit"


def test_inspect_says_it_and_scores_do_not(trained, tmp_path, capsys):
    assert main(["inspect", str(trained.with_suffix(".uff"))]) == 0
    assert "trained on   images preprocessed by 'torch'\n" in capsys.readouterr().out
    assert marks.sentences([marks.of_preprocessing("torch")]) == []


@pytest.mark.parametrize("found", [(), (marks.SYNTHETIC,)])
def test_without_that_mark_nothing_is_known(found):
    assert marks.preprocessing_of(found, PRESETS) is None


def test_a_preprocessing_that_this_version_lacks_is_no_default(tmp_path, caplog, capsys):
    pb = tmp_path / "net.pb"
    graph = small_graph()
    marks.mark_graph_def(graph, [marks.of_preprocessing("of tomorrow")])
    pb.write_bytes(graph.SerializeToString())
    target = str(tmp_path / "net.engine")
    assert main(["build", str(pb), *NETWORK[:4], "-o", target]) == 0
    assert "no --preprocess" in capsys.readouterr().err
    assert caplog.messages == []
