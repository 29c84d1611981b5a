"""The real networks of shared/models, with the results that its README.md lists."""

from __future__ import annotations

import json

import numpy as np
import pytest

import chexnet_trt as ct
from chexnet_trt.calibration import ALGORITHMS
from chexnet_trt.cli import main
from chexnet_trt.preprocess import preset
from int8_networks import needs_int8

pytestmark = pytest.mark.models

INPUT, OUTPUT = "input_1", "dense_1/Softmax"
ZHUCHENG = "zhucheng725-lenet5/lenet5.uff"
ALLAROBOT = "allarobot-lenet5/lenet5.uff"
XUANSAN = "xuansan915-mnist/model.uff"
XUANSAN_DOT = "xuansan915-mnist/dot.uff"
GRUMPERKA = "grumperka-lenet5/lenet5.uff"
NETWORKS = (ZHUCHENG, ALLAROBOT, XUANSAN, XUANSAN_DOT, GRUMPERKA)

_XUANSAN_VALUES = (
    0.999949, 0.999703, 0.999994, 0.999971, 0.999991, 1, 1, 1, 0.999931, 0.999886,
)  # fmt: skip
# The largest value for 0.pgm to 9.pgm.
ALLAROBOT_VALUES = {
    ZHUCHENG: (
        0.999869, 0.999990, 0.999997, 0.999891, 1, 0.999754, 0.999998, 0.999996, 0.999972, 0.996377,
    ),
    ALLAROBOT: (
        0.999686, 0.999997, 0.999998, 0.999995, 0.999999, 1, 1, 0.999999, 0.999891, 0.986990,
    ),
    XUANSAN: _XUANSAN_VALUES,
    XUANSAN_DOT: _XUANSAN_VALUES,
    GRUMPERKA: (
        0.990817, 0.999708, 0.999998, 0.999828, 0.999954, 0.997849, 0.999433, 0.999919, 0.997827,
        0.999872,
    ),
}  # fmt: skip
# The largest value of the convolution network for each file of digits/.
GRUMPERKA_VALUES = {
    "0_00003": 0.998242, "0_00010": 0.999936, "0_00013": 0.999998, "1_00002": 0.998998,
    "1_00005": 0.999452, "1_00014": 0.999759, "2_00001": 0.999955, "2_00035": 0.999968,
    "2_00038": 0.999395, "3_00018": 0.815934, "3_00030": 0.999999, "3_00032": 1.000000,
    "4_00004": 0.999430, "4_00006": 0.998895, "4_00019": 0.999879, "5_00008": 0.999718,
    "5_00015": 0.999144, "5_00023": 0.999821, "6_00011": 0.998399, "6_00021": 0.993994,
    "6_00022": 0.971440, "7_00000": 0.999849, "7_00017": 0.999958, "7_00026": 0.999958,
    "8_00061": 0.950956, "8_00084": 0.999967, "8_00110": 0.999939, "9_00007": 0.990052,
    "9_00009": 0.962308, "9_00012": 0.999803,
}  # fmt: skip
# Digits that a network is known to get wrong: what it says, and how surely.
WRONG = {ZHUCHENG: {"3_00018": (8, 0.551503), "5_00008": (8, 0.789263)}}
VECTOR_7_00000 = (
    2.8660155e-08, 8.9356227e-08, 1.1892380e-04, 2.6652788e-05, 9.4008126e-09, 3.6739138e-08,
    1.3356296e-13, 9.9984908e-01, 2.0892169e-06, 3.1582476e-06,
)  # fmt: skip


@pytest.fixture(scope="module")
def engine_of(models_dir):
    """engine_of(network, order): built once, for batches up to 10."""
    built = {}

    def build(name, order="NCHW"):
        if (name, order) not in built:
            size = (1, 28, 28) if order == "NCHW" else (28, 28, 1)
            options = {"inputs": {INPUT: size}, "outputs": [OUTPUT], "input_order": order}
            built[name, order] = ct.build(models_dir / name, max_batch=10, **options)
        return built[name, order]

    return build


def allarobot_digits(models_dir):
    return sorted((models_dir / "allarobot-lenet5").glob("*.pgm"))


def grumperka_digits(models_dir):
    return sorted((models_dir / "grumperka-lenet5" / "digits").glob("*.pgm"))


def scores_of(engine, files, polarity):
    expected = preset(polarity, 28, 28, 1)
    images = np.stack([expected.apply(file, engine.inputs[0].layout) for file in files])
    batches = [images[start : start + 10] for start in range(0, len(images), 10)]
    return np.concatenate([engine.infer(batch)[OUTPUT] for batch in batches])


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize("name", NETWORKS)
def test_allarobot_digits(models_dir, engine_of, name, order):
    files = allarobot_digits(models_dir)
    scores = scores_of(engine_of(name, order), files, "unit")
    assert scores.argmax(axis=1).tolist() == list(range(10))
    np.testing.assert_allclose(scores.max(axis=1), ALLAROBOT_VALUES[name], atol=1e-5)


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize("name", NETWORKS)
def test_grumperka_digits(models_dir, engine_of, name, order):
    files = grumperka_digits(models_dir)
    assert [file.stem for file in files] == sorted(GRUMPERKA_VALUES)
    scores = scores_of(engine_of(name, order), files, "unit-inverted")
    said = {
        file.stem: (int(row.argmax()), float(row.max()))
        for file, row in zip(files, scores, strict=True)
    }
    wrong = {stem: pair for stem, pair in said.items() if pair[0] != int(stem[0])}
    known = WRONG.get(name, {})
    assert {stem: digit for stem, (digit, _) in wrong.items()} == {
        stem: digit for stem, (digit, _) in known.items()
    }
    for stem, (_, value) in known.items():
        assert wrong[stem][1] == pytest.approx(value, abs=1e-5)
    if name == GRUMPERKA:
        for stem, value in GRUMPERKA_VALUES.items():
            assert said[stem][1] == pytest.approx(value, abs=1e-5), stem


def test_the_whole_vector_of_one_digit(models_dir, engine_of):
    file = models_dir / "grumperka-lenet5" / "digits" / "7_00000.pgm"
    (scores,) = scores_of(engine_of(GRUMPERKA), [file], "unit-inverted")
    np.testing.assert_allclose(scores, VECTOR_7_00000, rtol=1e-3, atol=1e-13)


def test_mean_and_cross_entropy_of_the_digits(models_dir, engine_of):
    files = grumperka_digits(models_dir)
    scores = scores_of(engine_of(GRUMPERKA), files, "unit-inverted")
    truth = scores[range(30), [int(file.stem[0]) for file in files]]
    assert scores.max(axis=1).mean() == pytest.approx(0.989171533, abs=1e-6)
    assert -np.log(truth).mean() == pytest.approx(0.011555686, abs=1e-6)


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
def test_commands_on_the_files_themselves(models_dir, tmp_path, capsys, order):
    engine = tmp_path / "lenet5.engine"
    size = ["--uffInput", f"{INPUT},1,28,28"]
    if order == "NHWC":
        size = ["--uffInput", f"{INPUT},28,28,1", "--uffNHWC"]
    source = str(models_dir / GRUMPERKA)
    options = ["--output", OUTPUT, "--max-batch", "8", "-o", str(engine)]
    assert main(["build", source, *size, *options]) == 0
    capsys.readouterr()
    for files, polarity in [
        (allarobot_digits(models_dir), "unit"),
        (grumperka_digits(models_dir), "unit-inverted"),
    ]:
        words = [*map(str, files), "--preprocess", polarity, "--json"]
        assert main(["infer", str(engine), *words]) == 0
        images = json.loads(capsys.readouterr().out)["images"]
        assert [image["image"] for image in images] == [str(file) for file in files]
        for file, image in zip(files, images, strict=True):
            assert list(image["scores"]) == [str(digit) for digit in range(10)]
            digit, value = max(image["scores"].items(), key=lambda pair: pair[1])
            assert digit == file.stem[0]
            if polarity == "unit-inverted":
                assert value == pytest.approx(GRUMPERKA_VALUES[file.stem], abs=1e-5)


@pytest.mark.parametrize("name", [ALLAROBOT, GRUMPERKA])
def test_bf16_stays_within_a_hundredth(models_dir, engine_of, name):
    files = allarobot_digits(models_dir)
    options = {"inputs": {INPUT: (1, 28, 28)}, "outputs": [OUTPUT], "max_batch": 10}
    try:
        engine = ct.build(models_dir / name, precisions=["bf16"], obey=True, **options)
    except ct.InputError as error:
        pytest.skip(str(error))
    scores = scores_of(engine, files, "unit")
    assert scores.argmax(axis=1).tolist() == list(range(10))
    exact = scores_of(engine_of(name), files, "unit")
    assert 1e-7 < np.abs(scores - exact).max() < 1e-2


def digits(models_dir, polarity):
    """The files of this polarity, and their two halves."""
    grumperka = polarity == "unit-inverted"
    files = grumperka_digits(models_dir) if grumperka else allarobot_digits(models_dir)
    return files, (files[::2], files[1::2])


@needs_int8
@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    ("name", "polarity"),
    [(name, polarity) for name in NETWORKS for polarity in ("unit", "unit-inverted")],
)
def test_int8_agrees_with_fp32_on_digits_it_was_not_calibrated_with(
    models_dir, engine_of, name, polarity, algorithm, half
):
    files, halves = digits(models_dir, polarity)
    options = {"inputs": {INPUT: (1, 28, 28)}, "outputs": [OUTPUT], "preprocessing": polarity}
    table = ct.calibrate(models_dir / name, halves[half], **options, algorithm=algorithm)
    engine = ct.build(
        models_dir / name,
        **options,
        precisions=["int8"],
        obey=True,
        calibration=table,
        max_batch=10,
    )
    assert any(node.op == "quantize" for node in engine.graph.nodes)
    scores = scores_of(engine, files, polarity)
    exact = scores_of(engine_of(name), files, polarity)
    assert scores.argmax(axis=1).tolist() == exact.argmax(axis=1).tolist()
    assert np.abs(scores - exact).max() > 0


def test_wrong_polarity_fails(models_dir, engine_of):
    scores = scores_of(engine_of(ALLAROBOT), allarobot_digits(models_dir), "unit-inverted")
    assert np.sum(scores.argmax(axis=1) == np.arange(10)) <= 3


@pytest.mark.tensorflow
def test_convolution_network_agrees_with_tensorflow(models_dir, engine_of):
    tf = pytest.importorskip("tensorflow")
    graph = tf.compat.v1.GraphDef.FromString(
        (models_dir / GRUMPERKA).with_suffix(".pb").read_bytes()
    )
    expected = preset("unit-inverted", 28, 28, 1)
    files = grumperka_digits(models_dir)
    images = np.stack([expected.apply(file, "nhwc") for file in files])
    with tf.Graph().as_default() as loaded:
        tf.compat.v1.import_graph_def(graph, name="")
        with tf.compat.v1.Session(graph=loaded) as session:
            reference = session.run(f"{OUTPUT}:0", {f"{INPUT}:0": images})
    scores = scores_of(engine_of(GRUMPERKA), files, "unit-inverted")
    np.testing.assert_allclose(scores, reference, atol=1e-5, rtol=0)
