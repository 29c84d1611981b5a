from __future__ import annotations

import json
import re
import shlex
import shutil

import numpy as np
import pytest
from PIL import Image

from chexnet_trt import cli
from chexnet_trt.labels import LABELS
from chexnet_trt.marks import RANDOM, mark_graph_def, marks_of_graph_def, of_preprocessing
from chexnet_trt.preprocess import preset
from graph_defs import DType, GraphMaker
from networks import INPUT, SCORES, SIZE, small_graph, small_scores

tf = pytest.importorskip("tensorflow")
pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("op_library")]

from chexnet_trt.export.model_folder import TrainedModel  # noqa: E402
from chexnet_trt.export.saved_model import FACTS  # noqa: E402
from chexnet_trt.integrated.source import read_source  # noqa: E402

# Of section 4.1.1, but for its paths and the name of the program.
WHITEPAPER = r"""
--savedmodel_dir={model}/ \
--image_file={image} \
--int8 \
--output_dir={output}/ \
--batch_size=1 \
--input_node="input_tensor" \
--output_node="chexnet_sigmoid_tensor"
"""
# Of section 5.2.
WHITEPAPER_NATIVE = r"""
--savedmodel_dir={model}/ \
--image_file={image} \
--native \
--output_dir={output}/ \
--batch_size=1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, small_pb):
    """images/ and image.jpg of random pixels, and the network of networks.py as a SavedModel."""
    folder = tmp_path_factory.mktemp("integrate")
    rng = np.random.default_rng(3)
    (folder / "images").mkdir()
    for index in range(8):
        pixels = rng.integers(0, 256, (20, 30, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{index}.png")
    Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(folder / "image.jpg")
    write_saved_model(folder / "saved_model")
    return folder


def write_saved_model(path):
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        content = small_graph().SerializeToString()
        tf.graph_util.import_graph_def(v1.GraphDef.FromString(content), name="")
        tensors = [graph.get_tensor_by_name(f"{name}:0") for name in (INPUT, SCORES)]
        info = [{"it": v1.saved_model.build_tensor_info(tensor)} for tensor in tensors]
        signature = v1.saved_model.build_signature_def(*info, "predict")
        builder = v1.saved_model.Builder(str(path))
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()


def integrate(*arguments):
    return cli.main(["integrate", "--num_loops=2", *map(str, arguments)])


def run_graph(path, images):
    graph = tf.Graph()
    with graph.as_default():
        graph_def = tf.compat.v1.GraphDef.FromString(path.read_bytes())
        tf.graph_util.import_graph_def(graph_def, name="")
    with tf.compat.v1.Session(graph=graph) as session:
        return session.run(f"{SCORES}:0", {f"{INPUT}:0": images})


def engines_of(path):
    graph_def = tf.compat.v1.GraphDef.FromString(path.read_bytes())
    return [node.name for node in graph_def.node if node.op == "ChexnetTrtEngine"]


def test_every_mode_in_one_call(folder, small_pb, tmp_path, capsys):
    out = tmp_path / "out"
    modes = ("--native", "--fp32", "--fp16", "--int8", f"--calib_data={folder / 'images'}")
    report = tmp_path / "report.json"
    assert integrate(
        f"--frozen_graph={small_pb}", f"--image_file={folder / 'image.jpg'}", *modes,
        f"--output_dir={out}", "--batch_size=3", f"--report={report}", "--preprocess=signed-unit",
    ) == 0  # fmt: skip
    printed = capsys.readouterr().out
    networks = [f"native_{small_pb.name}"] + [
        f"tftrt_{mode}_{small_pb.name}" for mode in ("fp32", "fp16", "int8")
    ]
    log = (out / "log.txt").read_text()
    assert re.findall(r"network: (.*),\t batchsize 3, steps 2", log) == networks
    assert all(block in printed for block in log.strip().split("\n\n"))
    assert {path.name for path in out.iterdir()} == {
        *networks[1:], f"tftrt_int8_calib_{small_pb.name}", "log.txt", "labellist_chest_x_ray.json",
    }  # fmt: skip
    values = preset("signed-unit", SIZE, SIZE, 3).apply(folder / "image.jpg", "nhwc")[None]
    expected = small_scores(values)
    top = [LABELS[index] for index in np.argsort(expected[0])[::-1][:5]]
    assert "Predictions:\n" in printed
    for mode in ("native", "FP32"):
        assert f"Precision:  {mode} {top}\n" in printed
    assert "Precision:  INT8 ['" in printed
    difference = re.search(r"FP32: largest difference of a score from native (\S+)", printed)
    assert float(difference.group(1)) < 1e-4
    found = re.search(
        r"INT8: on calibration images, .* 99th percentile (\S+),.*\(8 images\)", printed
    )
    assert float(found.group(1)) < 0.05
    assert "RANDOM" not in printed
    labels = json.loads((out / "labellist_chest_x_ray.json").read_text())
    assert labels == {str(index): name for index, name in enumerate(LABELS)}
    assert set(json.loads(report.read_text())) == {"FP32", "FP16", "INT8"}
    for network in networks[1:]:
        assert engines_of(out / network) == ["ChexnetTrtEngine_0"]
        tolerance = 0.05 if "int8" in network else 1e-2
        np.testing.assert_allclose(run_graph(out / network, values), expected, atol=tolerance)


def filled_in(line, folder, output):
    paths = {"model": folder / "saved_model", "image": folder / "image.jpg", "output": output}
    return shlex.split(line.replace("\\\n", " ").format(**paths))


def test_the_whitepapers_command_lines(folder, tmp_path, capsys):
    assert integrate(*filled_in(WHITEPAPER_NATIVE, folder, tmp_path)) == 0
    assert "Precision:  native ['" in capsys.readouterr().out
    line = filled_in(WHITEPAPER, folder, tmp_path)
    assert integrate(*line) == 2
    assert "--int8 needs images to calibrate with" in capsys.readouterr().err
    assert integrate(*line, "--calib_data", folder / "images") == 0
    log = (tmp_path / "log.txt").read_text()
    networks = re.findall(r"network: (.*),\t", log)
    assert networks == ["native_frozen_graph.pb", "tftrt_int8_frozen_graph.pb"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "frozen_graph.pb", "tftrt_int8_frozen_graph.pb", "tftrt_int8_calib_frozen_graph.pb",
        "log.txt", "labellist_chest_x_ray.json",
    }  # fmt: skip


def test_what_the_saved_model_says_of_itself(folder, tmp_path, capsys):
    model = tmp_path / "1541777429"
    shutil.copytree(folder / "saved_model", model)
    facts = TrainedModel("densenet121", SIZE * 4, labels=LABELS[::-1], synthetic=True)
    (model / "assets.extra").mkdir()
    (model / FACTS).write_text(json.dumps(facts.to_json()))
    arguments = f"-sd {model} -od {tmp_path / 'out'} -bs 1 -if {folder / 'image.jpg'} --native"
    assert integrate(*shlex.split(arguments)) == 0
    values = preset("torch", SIZE, SIZE, 3).apply(folder / "image.jpg", "nhwc")[None]
    best = LABELS[::-1][int(np.argmax(small_scores(values)))]
    printed = capsys.readouterr().out
    assert f"Precision:  native ['{best}'," in printed
    assert "Trained on SYNTHETIC images" in printed
    labels = json.loads((tmp_path / "out" / "labellist_chest_x_ray.json").read_text())
    assert list(labels.values()) == list(LABELS[::-1])


def test_the_short_flags_json_random_input_and_weights(tmp_path, capsys):
    graph_def = small_graph()
    mark_graph_def(graph_def, [RANDOM])
    model = tmp_path / "marked.pb"
    model.write_bytes(graph_def.SerializeToString())
    arguments = shlex.split(
        f"-fg {model} -od {tmp_path} -on {SCORES} -in {INPUT} -bs 2 -ws 2048 -pp 3 --json"
    )
    assert integrate("--native", "--fp32", *arguments) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["input"] == "random"
    assert "The input is RANDOM: the scores mean nothing." in result["notes"]
    assert "The weights are RANDOM: its scores are no diagnosis of anything." in result["notes"]
    converted = (tmp_path / "tftrt_fp32_marked.pb").read_bytes()
    assert marks_of_graph_def(tf.compat.v1.GraphDef.FromString(converted)) == (RANDOM,)
    assert result["fallback_calls"] >= 0
    fp32 = result["modes"]["FP32"]
    assert (fp32["batch_size"], fp32["steps"]) == (2, 2)
    assert (fp32["engines"], len(fp32["predictions"])) == (["fp32"], 3)
    assert fp32["difference_from_native"] < 1e-4
    assert fp32["latency_s"]["median"] > 0


def test_a_graph_for_one_batch_size(folder, tmp_path, capsys):
    graph_def = small_graph()
    graph_def.node[0].attr["shape"].shape.dim[0].size = 3
    model = tmp_path / "three.pb"
    model.write_bytes(graph_def.SerializeToString())
    arguments = f"-fg {model} -od {tmp_path} --int8 --calib_data {folder / 'images'}"
    assert integrate(*shlex.split(arguments), "-bs=2") == 2
    assert "takes batches of 3: give --batch_size=3" in capsys.readouterr().err
    assert integrate(*shlex.split(arguments), "-bs=3") == 2
    assert "give --calib_images=6" in capsys.readouterr().err
    assert integrate(*shlex.split(arguments), "-bs=3", "--calib_images=6") == 0
    assert "(6 images)" in capsys.readouterr().out


def no_engines(tmp_path):
    maker = GraphMaker()
    maker.placeholder(INPUT, (-1, SIZE, SIZE, 3))
    maker.const("axes", np.int32([1, 2]))
    maker.node(
        "Mean", SCORES, [INPUT, "axes"], T=DType("float32"), Tidx=DType("int32"), keep_dims=False
    )
    path = tmp_path / "tiny.pb"
    path.write_bytes(maker.graph.SerializeToString())
    (tmp_path / "labels.txt").write_text("r\ng\nb\n")
    return f"-fg={path}", f"-od={tmp_path}", "-bs=1", f"--labels_file={tmp_path / 'labels.txt'}"


def test_a_graph_that_no_engine_can_take(tmp_path, capsys):
    arguments = no_engines(tmp_path)
    assert integrate(*arguments, "--fp32") == 1
    assert "no part of the graph became an engine" in capsys.readouterr().err
    assert not (tmp_path / "log.txt").exists()
    assert integrate(*arguments, "--fp32", "--allow_fallback") == 0
    assert "0 engines; 1 stay in TensorFlow" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give what to time: --native, --fp32, --fp16, --int8"),
        (["--native", "--num_loops=1"], "--num_loops=1: give 2 or more"),
        (["--fp32", "--calib_data=x"], "--calib_data is for int8"),
        (["--native", "--report=r.json"], "--report is of engines"),
        (["--native", "--input_node=images"], "no input 'images'"),
        (["--native", "--output_node=chexnet_sigmoid"], f"nearest: {SCORES}"),
        (["--native", "--output_node=pool"], "is not one score a class"),
        (["--native", "--output_node=features"], "14 labels do not name 6 scores"),
        (["--native", "--image_file=none.jpg"], "none.jpg"),
        (["--int8", "--calib_data=none"], "none"),
    ],
)
def test_bad_usage(arguments, message, small_pb, tmp_path, capsys):
    model = [f"--frozen_graph={small_pb}", f"--output_dir={tmp_path}", "--batch_size=1"]
    assert integrate(*model, *arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said


def test_no_model(tmp_path, capsys):
    assert integrate("--native", f"--output_dir={tmp_path}") == 2
    assert "give a model: --frozen_graph=FILE or --savedmodel_dir=DIR" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("marks", "expected"), [([], "imagenet-tf"), ([of_preprocessing("torch")], "torch")]
)
def test_films_are_preprocessed_as_the_graph_says(tmp_path, marks, expected):
    graph_def = small_graph()
    mark_graph_def(graph_def, marks)
    path = tmp_path / "net.pb"
    path.write_bytes(graph_def.SerializeToString())
    assert read_source(str(path), None, SCORES).preprocessing == expected
