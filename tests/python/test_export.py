"""Model folder -> SavedModel -> frozen graph -> UFF -> engine, with the same scores everywhere."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

import chexnet_trt as ct
from chexnet_trt._core import InputError
from chexnet_trt.cli import main
from chexnet_trt.labels import LABELS
from chexnet_trt.marks import SYNTHETIC, marks_of_graph_def, of_preprocessing
from chexnet_trt.models import NETWORKS
from trained_models import SIZE, films, random_values, run_frozen, write_model_folder

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.tensorflow

from chexnet_trt.export import saved_model  # noqa: E402
from chexnet_trt.models.tensorflow_network import TensorFlowNetwork  # noqa: E402

v1 = tf.compat.v1
OUTPUTS = ["chexnet_sigmoid_tensor", "categories"]


class Trained:
    """A model folder whose best weights are not its latest, and the scores of the best."""

    def __init__(self, folder, network):
        self.folder, self.network = folder, network
        self.values = random_values(network)
        self.images = films(network)
        latest = {name: np.zeros_like(value) for name, value in self.values.items()}
        write_model_folder(folder, network, latest, best=self.values)
        module = TensorFlowNetwork(network, image_size=SIZE)
        module.assign(self.values)
        self.scores = tf.sigmoid(module(tf.constant(self.images))).numpy()


@pytest.fixture(scope="module", params=list(NETWORKS))
def trained(request, tmp_path_factory):
    return Trained(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    """The SavedModel, of a free batch."""
    target = tmp_path_factory.mktemp("exports")
    assert main(["export", str(trained.folder), "--export_dir", str(target)]) == 0
    (folder,) = target.iterdir()
    return folder


def test_serving(trained, exported):
    """tf.saved_model.load and TensorFlow 1's loader give the scores of the best weights."""
    assert trained.scores.std() > 0.1
    signatures = tf.saved_model.load(str(exported)).signatures
    assert set(signatures) == {"serving_default", "predict"}
    answer = signatures["predict"](input=tf.constant(trained.images))
    assert set(answer) == {"scores", "categories"}
    assert np.abs(answer["scores"].numpy() - trained.scores).max() <= 1e-5
    assert answer["categories"].dtype == tf.int64
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        v1.saved_model.load(session, ["serve"], str(exported))
        feeds = {"input_tensor:0": trained.images}
        scores, categories = session.run([f"{name}:0" for name in OUTPUTS], feeds)
    assert np.abs(scores - trained.scores).max() <= 1e-5
    assert categories.tolist() == trained.scores.argmax(1).tolist()


def test_facts(trained, exported):
    assert exported.name.isdigit()
    facts = json.loads((exported / "assets.extra" / "chexnet.json").read_text())
    assert facts["labels"] == list(LABELS)
    assert facts["preprocessing"] == NETWORKS[trained.network].preprocessing
    assert (facts["network"], facts["image_size"]) == (trained.network, SIZE)
    assert facts["synthetic"] is True


def test_frozen_both_ways_the_scores_stay_through_uff_and_engine(
    trained, exported, tmp_path, capsys
):
    paths = [tmp_path / "weights.pb", tmp_path / f"chexnet_frozen_graph_{exported.name}.pb"]
    assert main(["freeze", str(trained.folder), "-o", str(paths[0])]) == 0
    assert main(["freeze", str(exported.parent), "--frozen_graph_dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("SYNTHETIC") == 2
    graphs = [v1.GraphDef.FromString(path.read_bytes()) for path in paths]
    of_weights, of_saved = ({node.name: node.op for node in graph.node} for graph in graphs)
    assert set(of_saved) < set(of_weights)
    preprocessing = of_preprocessing(NETWORKS[trained.network].preprocessing)
    assert [marks_of_graph_def(graph) for graph in graphs] == [(SYNTHETIC, preprocessing)] * 2
    reads = {name for name in of_weights if name.endswith("/read")}
    assert set(of_weights) - set(of_saved) == reads
    for path in paths:
        scores, categories = run_frozen(path, OUTPUTS, {"input_tensor": trained.images})
        assert np.abs(scores - trained.scores).max() <= 1e-5
        assert categories.tolist() == trained.scores.argmax(1).tolist()
    assert np.abs(engine_scores(paths[1], trained.images) - trained.scores).max() <= 1e-4


def engine_scores(frozen, images):
    """Through UFF, and an engine that takes the images NCHW."""
    uff, engine = str(frozen.with_suffix(".uff")), str(frozen.with_suffix(".engine"))
    assert main(["convert", str(frozen), "-O", OUTPUTS[0], "-o", uff, "-q"]) == 0
    shape = f"input_tensor,3,{SIZE},{SIZE}"
    assert main(["build", uff, "--uffInput", shape, "--max-batch", "3", "-o", engine]) == 0
    return ct.load(engine).infer(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))[OUTPUTS[0]]


def test_a_fixed_batch_and_another_layout(trained, tmp_path):
    options = ["--batch_size", "2", "--data_format", "channels_first", "--export_dir"]
    assert main(["export", str(trained.folder), *options, str(tmp_path)]) == 0
    (folder,) = tmp_path.iterdir()
    function = tf.saved_model.load(str(folder)).signatures["serving_default"]
    assert function.structured_input_signature[1]["input"].shape == (2, SIZE, SIZE, 3)
    nodes = function.graph.as_graph_def().node
    assert {node.attr["data_format"].s for node in nodes if node.op == "Conv2D"} == {b"NCHW"}


MODEL = saved_model.TrainedModel("resnet50_v2", SIZE)


def test_what_fails_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saved_model, "_write_facts", full)
    monkeypatch.setattr(saved_model, "_write", lambda *_: None)
    with pytest.raises(InputError, match=r"cannot write a SavedModel in .*No space left"):
        saved_model.export_model(MODEL, {}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_two_exports_in_one_second(tmp_path, monkeypatch):
    monkeypatch.setattr(saved_model, "_write", lambda model, weights, folder, batch: folder.mkdir())
    monkeypatch.setattr(saved_model.time, "time", lambda: 1541777429.5)
    folders = [saved_model.export_model(MODEL, {}, tmp_path).name for _ in range(2)]
    assert folders == ["1541777429", "1541777430"]


def test_without_tensorflow(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    for words in (["export", "x", "--export_dir", "y"], ["freeze", "x", "-o", "y.pb"]):
        assert main(words) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "pip install 'chexnet_trt[train]'" in error


def test_options_that_contradict_the_folder(trained, tmp_path, capsys):
    words = ["--image-size", "128", "--export_dir", str(tmp_path)]
    assert main(["export", str(trained.folder), *words]) == 2
    assert "was trained with 64; leave the option out" in capsys.readouterr().err
    (tmp_path / "training.json").write_text('{"format_version": 2}')
    assert main(["export", str(tmp_path), "--export_dir", str(tmp_path)]) == 2
    assert "it has format version 2, this tool reads 1" in capsys.readouterr().err
