"""Bad input on the command line: one clear line, exit status 2, nothing written."""

from __future__ import annotations

import json
import logging
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorboard")

import networks
from chexnet_trt._core import printable, uff
from chexnet_trt.cli import main
from engine_files import sections, with_section, with_version, xxh64
from graph_defs import GraphMaker
from int8_networks import pixels
from networks import INPUT, SCORES, small_images

SIZE = f"{INPUT},3,8,8"
RNG = np.random.default_rng(0)
RANDOM_BYTES = RNG.bytes(4096)
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 94371840\n"


@pytest.fixture
def refuses(tmp_path, capsys):
    """refuses(words, texts): exit status 2, one line with the texts, no file new or changed."""

    def contents():
        return {
            path: path.read_bytes() if path.is_file() else None
            for path in sorted(tmp_path.rglob("*"))
        }

    def check(*words, says=()):
        before = contents()
        capsys.readouterr()
        try:
            status = main([str(word) for word in words])
        except SystemExit as stop:
            status = stop.code
        printed = capsys.readouterr()
        assert status == 2, (words, printed.err)
        assert printed.err.endswith("\n"), words
        assert len(printed.err.splitlines()) == 1, (words, printed.err)
        assert "error: " in printed.err
        for text in (says,) if isinstance(says, str) else says:
            assert text in printed.err, (words, printed.err)
        assert contents() == before, words
        return printed.err

    return check


def readers(path: Path) -> dict[str, list[str]]:
    """Command lines that read `path` as a network, and would write beside it."""
    target = str(path.parent / "out.engine")
    return {
        "build": ["build", str(path), "--uffInput", SIZE, "--output", SCORES, "-o", target],
        "trtexec": ["trtexec", f"--uff={path}", f"--output={SCORES}", f"--uffInput={SIZE}",
                    f"--saveEngine={target}", "--duration=0"],
        "inspect": ["inspect", str(path)],
    }  # fmt: skip


def engine_readers(path: Path) -> dict[str, list[str]]:
    image = path.parent / "image.png"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(image)
    times = path.parent / "times.json"
    return {
        "infer": ["infer", str(path), str(image)],
        "trtexec": ["trtexec", f"--loadEngine={path}", "--duration=0", f"--exportTimes={times}"],
        "inspect": ["inspect", str(path)],
    }


@pytest.mark.parametrize("command", ["build", "trtexec", "inspect"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (LFS_POINTER, "git"),
        (RANDOM_BYTES, "is not a UFF file"),
        (b"ftrt" + bytes(100), "is not a UFF file"),
    ],
    ids=["empty", "lfs", "random", "tensorrt"],
)
def test_no_uff_file(tmp_path, refuses, command, content, says):
    path = tmp_path / "net.uff"
    path.write_bytes(content)
    refuses(*readers(path)[command], says=(str(path), says))


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "empty"), (LFS_POINTER, "git"), (RANDOM_BYTES, "not a frozen TensorFlow graph")],
    ids=["empty", "lfs", "random"],
)
def test_no_frozen_graph(tmp_path, refuses, content, says):
    path = tmp_path / "net.pb"
    path.write_bytes(content)
    refuses("convert", path, says=(str(path), says))
    refuses(*readers(path)["build"], says=(str(path), says))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (LFS_POINTER, "LFS"),
        (RANDOM_BYTES, "is not an engine file"),
        (b"ftrt" + bytes(100), "TensorRT plan"),
    ],
    ids=["empty", "lfs", "random", "tensorrt"],
)
@pytest.mark.parametrize("command", ["infer", "trtexec"])
def test_no_engine_file(tmp_path, refuses, command, content, says):
    path = tmp_path / "net.engine"
    path.write_bytes(content)
    refuses(*engine_readers(path)[command], says=(str(path), says))


@pytest.mark.parametrize("command", ["build", "trtexec", "inspect"])
def test_uff_truncated_at_every_percent(tmp_path, small_uff, refuses, command):
    content = small_uff.read_bytes()
    path = tmp_path / "cut.uff"
    for percent in range(100):
        path.write_bytes(content[: len(content) * percent // 100])
        refuses(*readers(path)[command], says=str(path))


@pytest.mark.models
def test_real_uff_truncated_at_every_percent(tmp_path, models_dir, refuses):
    content = (models_dir / "grumperka-lenet5" / "lenet5.uff").read_bytes()
    path = tmp_path / "cut.uff"
    for percent in range(100):
        path.write_bytes(content[: len(content) * percent // 100])
        refuses("build", path, "--uffInput", "input_1,1,28,28", says=str(path))


def test_frozen_graph_truncated_at_every_percent(tmp_path, small_pb, refuses):
    content = small_pb.read_bytes()
    path = tmp_path / "cut.pb"
    for percent in range(100):
        path.write_bytes(content[: len(content) * percent // 100])
        refuses("convert", path, "-O", SCORES, "-q")


@pytest.mark.parametrize("command", ["infer", "trtexec", "inspect"])
def test_engine_truncated_at_every_percent(tmp_path, small_engine, refuses, command):
    content = small_engine.read_bytes()
    path = tmp_path / "cut.engine"
    for percent in range(100):
        path.write_bytes(content[: len(content) * percent // 100])
        refuses(*engine_readers(path)[command], says=str(path))


def test_length_past_the_end(tmp_path, small_uff, refuses):
    content = small_uff.read_bytes()
    at = content.index(b"\x12", 2)  # The first length-delimited field: a descriptor or the graph.
    path = tmp_path / "long.uff"
    path.write_bytes(content[: at + 1] + b"\xff\xff\xff\xff\x0f" + content[at + 2 :])
    for words in readers(path).values():
        refuses(*words, says=str(path))


def meta_graph(*nodes):
    """nodes: (id, operation, inputs, fields)."""
    meta = uff.MetaGraph()
    meta.add_descriptor("tensorflow_extension", 1)
    for node in nodes:
        meta.add_node(*node)
    return meta


FLOAT32 = uff.DataType(0x20020)
INPUT_NODE = (INPUT, "Input", [], {"shape": [-1, 8, 8, 3], "dtype": FLOAT32})
RELU = {"func": "relu"}


@pytest.mark.parametrize(
    ("nodes", "says"),
    [
        (
            [
                ("a", "Activation", ["b"], RELU),
                ("b", "Activation", ["a"], RELU),
                ("MarkOutput_0", "MarkOutput", ["a"], {}),
            ],
            "cycle",
        ),
        (
            [
                ("a", "Activation", ["gone"], RELU),
                ("MarkOutput_0", "MarkOutput", ["a"], {}),
            ],
            "gone",
        ),
        (
            [
                INPUT_NODE,
                ("a", "Activation", [INPUT], RELU),
                ("a", "Activation", [INPUT], RELU),
                ("MarkOutput_0", "MarkOutput", ["a"], {}),
            ],
            "'a'",
        ),
        (
            [
                INPUT_NODE,
                ("a", "Activation", [INPUT], RELU),
                ("MarkOutput_0", "MarkOutput", ["a", "a"], {}),
            ],
            "'a'",
        ),
        (
            [
                INPUT_NODE,
                ("a", "Activation", [INPUT], RELU),
                ("MarkOutput_0", "MarkOutput", ["a"], {}),
                ("MarkOutput_1", "MarkOutput", ["a"], {}),
            ],
            "'a'",
        ),
    ],
    ids=[
        "cycle",
        "missing-input",
        "duplicate-id",
        "output-marked-twice",
        "two-outputs-of-one-name",
    ],
)
def test_malformed_network(tmp_path, refuses, nodes, says):
    path = tmp_path / "net.uff"
    path.write_bytes(uff.encode(meta_graph(*nodes)))
    refuses("build", path, "--uffInput", SIZE, says=(says, str(path)))


def test_control_characters_of_names_are_shown_and_not_sent(tmp_path, refuses):
    path = tmp_path / "net.uff"
    mark = ("MarkOutput_0", "MarkOutput", ["a"], {})
    path.write_bytes(uff.encode(meta_graph(("a", "Activation", ["go\x1b[31m\nne"], RELU), mark)))
    refuses("build", path, "--uffInput", SIZE, says="'go\\x1b[31m\\nne'")


def test_printable_takes_what_was_no_utf8():
    assert printable("R\u00f6ntgen \udcff\ud800") == "R\u00f6ntgen \\udcff\\ud800"


def test_data_format_that_is_no_text(tmp_path, small_pb, refuses):
    path = tmp_path / "net.pb"
    path.write_bytes(small_pb.read_bytes().replace(b"NHWC", b"NH\xffC"))
    refuses("convert", path, "-q", says="data format")


@pytest.mark.parametrize("command", ["build", "inspect", "convert", "infer", "freeze"])
def test_arguments_that_are_not_utf8(command, refuses):
    refuses(command, "\udcff.uff", "x", says="is not UTF-8")


def test_unsupported_ops_are_reported_together(tmp_path, capsys):
    path = tmp_path / "net.uff"
    nodes = [
        INPUT_NODE,
        ("fft", "_FFT", [INPUT], {}),
        ("wave", "_Wavelet", ["fft"], {}),
        ("MarkOutput_0", "MarkOutput", ["wave"], {}),
    ]
    path.write_bytes(uff.encode(meta_graph(*nodes)))
    assert main(["build", str(path), "--uffInput", SIZE]) == 2
    report = capsys.readouterr().err
    assert len(report.splitlines()) == 1
    for text in ("'fft'", "_FFT", "'wave'", "_Wavelet"):
        assert text in report
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.uff"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--uffInput", f"{INPUT},3,9,8"], ("[?, 8, 8, 3]", "[3, 9, 8]")),
        (["--uffInput", f"{INPUT},4,8,8"], ("[?, 8, 8, 3]", "[4, 8, 8]")),
        (["--uffInput", f"{INPUT},8,8,3"], ("'conv'", "8 channels")),
        (["--uffInput", f"{INPUT},3,8,8", "--uffNHWC"], ("[?, 8, 8, 3]", "[3, 8, 8]")),
        (["--uffInput", f"{INPUT},192"], ("'conv'",)),
        (["--uffInput", f"{INPUT},3,8"], ("expected NAME,C,H,W",)),
        (["--uffInput", f"{INPUT},3,0,8"], ("positive sizes",)),
        (["--uffInput", f"{INPUT},3,-8,8"], ("positive sizes",)),
        (["--uffInput", f"{INPUT},3,x,8"], ("expected NAME,C,H,W",)),
        (["--uffInput", f"{INPUT},3,{10**20},8"], ("positive sizes",)),
        (["--uffInput", SIZE, "--uffInput", SIZE], ("given twice",)),
        (["--uffInput", "nope,3,8,8"], ("'nope'", INPUT)),
        (["--uffInput", SIZE, "--output", "nope"], ("'nope'", SCORES)),
        (["--uffInput", SIZE, "--output", SCORES, "--output", SCORES], ("given twice",)),
        (["--uffInput", SIZE, "--max-batch", 0], ("--max-batch",)),
        (["--uffInput", SIZE, "--max-batch", -1], ("--max-batch",)),
        (["--uffInput", SIZE, "--max-batch", 10**20], ("--max-batch",)),
        (["--uffInput", SIZE, "--max-batch", 10**9], ("max batch", "GiB")),
        (["--uffInput", SIZE, "--threads", 10**20], ("--threads",)),
        (["--uffInput", SIZE, "--backend", "nope"], ("'nope'", "openvino")),
        (["--uffInput", SIZE, "--preprocess", "nope"], ("'nope'",)),
        (["--uffInput", SIZE, "--u8-input"], ("preprocess",)),
        (["--uffInput", SIZE, "--labels", "gone.txt"], ("gone.txt",)),
        (["--uffInput", SIZE, "--int8"], ("--int8", "calibration")),
        (["--uffInput", SIZE, "--random-ranges"], ("--random-ranges", "--int8")),
        (["--uffInput", SIZE, "--int8", "--calib", "gone"], ("'gone'", "--calib-data")),
        (["--uffInput", SIZE, "--int8", "--calib-data", "gone"], ("'gone'",)),
        (["--uffInput", SIZE, "--int8", "--calib-algorithm", "kl"], ("'kl'", "entropy")),
        (["--uffInput", SIZE, "--int8", "--calib-percentile", 101], ("101", "at most 100")),
        (["--uffInput", SIZE, "--int8", "--calib-images", 0], ("--calib-images",)),
        (
            ["--uffInput", SIZE, "--int8", "--accuracy-target", 2],
            ("--accuracy-target", "at most 1"),
        ),
        (["--uffInput", SIZE, "--int8", "--keep-high-precision", ""], ("neither a number",)),
        (["--uffInput", SIZE, "--int8", "--keep-high-precision", 0], ("--keep-high-precision",)),
        (
            ["--uffInput", SIZE, "--int8", "--random-ranges", "--keep-high-precision", "nope"],
            ("'nope'", "'conv'"),
        ),
        (
            ["--uffInput", SIZE, "--fp16", "--bf16", "--precision-constraints", "obey"],
            ("one precision",),
        ),
        (["--uffInput", SIZE, "--workspace", 16], ("--workspace",)),
        (["--uffInput", SIZE, "--device", 1], ("device 1", "'openvino' has device 0 alone")),
        (["--uffInput", SIZE, "--device", 1, "--backend", "tensorrt"], ("device 1", "TensorRT")),
        (["--uffInput", SIZE, "--timing-cache", "t.cache"], ("'t.cache'", "times no kernels")),
        (["--uffInput", SIZE, "--deterministic", "--backend", "tensorrt"], ("deterministic",)),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_build_options(tmp_path, small_uff, refuses, words, says):
    refuses("build", small_uff, *words, "-o", tmp_path / "out.engine", says=says)


@pytest.mark.parametrize(
    "word",
    [
        "--batch=0", "--batch=-1", f"--batch={10**20}", f"--batch={10**9}", "--batch=x",
        "--maxBatch=0", "--percentile=nan", "--percentile=101", "--percentile=", "--percentile=-1",
        "--device=1", "--device=-1", "--device=x", "--backend=tensorrt",
        "--timingCacheFile=t.cache",
        "--duration=nan", "--duration=inf", "--duration=-1", "--warmUp=inf",
        "--sleepTime=-1", "--idleTime=inf", f"--iterations={10**20}", "--iterations=0",
        f"--avgRuns={10**20}", "--avgRuns=0", "--streams=0", f"--streams={10**20}",
        f"--cpuThreads={10**20}", "--loadInputs=nope", f"--loadInputs={INPUT}:gone.raw",
        f"--loadInputs=other:{__file__}", f"--loadInputs={INPUT}:{__file__}", "--timeDeserialize",
        "--precisionConstraints=maybe", "--nope", "--batch=2 --maxBatch=1",
        "--uffInput=other,1,2,3", f"--output={SCORES}",
    ],
)  # fmt: skip
def test_trtexec_options(tmp_path, small_uff, refuses, word):
    options = [f"--uffInput={SIZE}", f"--output={SCORES}", "--warmUp=0"]
    times = f"--exportTimes={tmp_path / 'times.json'}"
    refuses("trtexec", f"--uff={small_uff}", *options, times, *word.split())


@pytest.mark.parametrize(
    "word",
    ["--batch=5", "--fp16", "--maxBatch=8", "--uff=x.uff", "--int8", "--calib=x.calib",
     "--backend=cuda", "--device=1", "--timingCacheFile=t.cache",
     "--keep-high-precision=auto", "--random-ranges"],
)  # fmt: skip
def test_trtexec_options_for_an_engine(tmp_path, small_engine, refuses, word):
    times = f"--exportTimes={tmp_path / 'times.json'}"
    refuses("trtexec", f"--loadEngine={small_engine}", "--duration=0", times, word)


@pytest.mark.parametrize(
    "words",
    [
        [], ["nope"], ["trtexec"], ["infer"], ["convert"], ["build"], ["inspect"], ["freeze"],
        ["build", ""], ["build", "gone.uff"], ["build", "gone.pb"], ["convert", "gone.pb"],
        ["convert", ""], ["inspect", "gone"], ["infer", "gone.engine", "x.png"],
        ["trtexec", "--loadEngine=gone.engine"], ["freeze", "-o", "x.pb"], ["calibrate"],
        ["calibrate", ""], ["calibrate", "", "--calib-data", "x"], ["calibrate", "gone.uff"],
        ["calibrate", "gone.uff", "--calib-data", "gone"],
        ["calibrate", "gone.uff", "--choose-from", "gone"],
    ],
)  # fmt: skip
def test_missing_words_and_files(tmp_path, monkeypatch, refuses, words):
    monkeypatch.chdir(tmp_path)
    refuses(*words)


def test_options_of_infer_and_inspect(tmp_path, small_engine, small_uff, refuses):
    image = tmp_path / "image.png"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(image)
    refuses("infer", small_engine, image, "--batch", "0", says="1 to 4")
    refuses("infer", small_engine, image, "--batch", "5", says="1 to 4")
    refuses("infer", small_engine, image, "--batch", 10**20, says="1 to 4")
    refuses("infer", small_engine, image, "--output", "nope", says=("'nope'", SCORES))
    refuses("infer", small_engine, tmp_path / "gone.png", says="gone.png")
    refuses("infer", small_engine, image, "--csv", tmp_path, says="folder")
    refuses("infer", small_engine, image, "--csv", tmp_path / "no" / "x.csv", says="no folder")
    refuses("inspect", small_engine, "--layers", "--batch", "5", says="batch 5")
    refuses("inspect", small_engine, "--json", "--batch", "-1")
    refuses("inspect", small_engine, "--text", says="does not apply")
    for option in ("--graph", "--layers", "--manifest"):
        refuses("inspect", small_uff, option, says="does not apply")


def test_files_of_another_kind(tmp_path, small_pb, small_uff, small_engine, refuses):
    refuses("infer", small_uff, small_pb, says="UFF network")
    refuses("trtexec", f"--loadEngine={small_pb}", says="TensorFlow graph")
    refuses("inspect", small_pb, says="TensorFlow frozen graph")
    refuses("convert", small_uff, says="UFF file already")
    refuses("build", small_engine, "--uffInput", SIZE, "-o", tmp_path / "x.engine")


def test_folders_as_files(tmp_path, small_pb, small_uff, refuses):
    folder = tmp_path / "folder.uff"
    folder.mkdir()
    refuses("build", folder, "--uffInput", SIZE, says=str(folder))
    refuses("inspect", folder, says=str(folder))
    refuses("convert", folder, says=str(folder))
    refuses("infer", folder, "x.png", says=str(folder))
    refuses("trtexec", f"--loadEngine={folder}", says=str(folder))
    refuses("build", small_uff, "--uffInput", SIZE, "-o", folder, says="folder")
    refuses("convert", small_pb, "-q", "-o", folder, says=str(folder))
    refuses("freeze", "--random-weights", "-o", folder, says="folder")
    options = [f"--uff={small_uff}", f"--output={SCORES}", f"--uffInput={SIZE}"]
    refuses("trtexec", *options, f"--saveEngine={folder}", says="folder")
    refuses("trtexec", *options, f"--exportTimes={tmp_path / 'no' / 't'}", says="no folder")


def test_no_permission(tmp_path, small_pb, small_uff, refuses):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if os.access(closed, os.W_OK):
        pytest.skip("this user may write everywhere")
    refuses("build", small_uff, "--uffInput", SIZE, "-o", closed / "x.engine", says="ermission")
    refuses("convert", small_pb, "-q", "-o", closed / "x.uff", says="ermission")
    refuses("freeze", "--random-weights", "-o", closed / "x.pb", says="ermission")


@pytest.fixture
def calibration(tmp_path, small_uff):
    """Images, a table made from them, and the words of a build that would use both."""
    films = tmp_path / "films"
    films.mkdir()
    for index, image in enumerate(pixels(4)):
        Image.fromarray(image).save(films / f"{index}.png")
    table = tmp_path / "net.calib"
    words = ["--uffInput", SIZE, "--output", SCORES, "--preprocess", "unit"]
    calibrate = ["calibrate", small_uff, *words, "--calib-data", films]
    assert main([*map(str, calibrate), "-o", str(table)]) == 0
    build = ["build", small_uff, *words, "--int8", "--calib", table, "-o", tmp_path / "x.engine"]
    return films, table, build, calibrate


def test_images_that_cannot_calibrate(tmp_path, calibration, refuses):
    films, _, _, calibrate = calibration
    target = ["-o", tmp_path / "new.calib"]
    (films / "bad.png").write_bytes((films / "0.png").read_bytes()[:100])
    says = ("one of 5 images", "bad.png", "truncated")
    refuses(*calibrate, *target, says=says)
    for file in films.iterdir():
        file.unlink()
    refuses(*calibrate, *target, says=("no image", str(films)))


def test_options_of_calibrate(tmp_path, small_uff, calibration, refuses):
    films, _, _, calibrate = calibration
    target = tmp_path / "new.calib"
    refuses(*calibrate, "--choose-from", films, "-o", target, says="--calib-data=PATH or")
    refuses(*calibrate, "--save-list", "x.txt", "-o", target, says="--save-list needs")
    refuses(*calibrate, "--calib-percentile", 99, "-o", target, says="--calib-percentile needs")
    refuses(*calibrate, "--calib", target, says="--calib")
    refuses(*calibrate, "--backend", "nope", "-o", target, says="'nope'")
    refuses(*calibrate, "-o", films, says="folder")
    refuses(*calibrate, "-o", tmp_path / "no" / "x.calib", says="no folder")
    choose = ["calibrate", small_uff, "--uffInput", SIZE, "--choose-from", films]
    refuses(*choose, "-o", target, says="Data_Entry_2017")
    refuses(*choose, "--calib-root", films, "-o", target, says="--calib-root needs")
    unfit = ["calibrate", small_uff, "--uffInput", SIZE, "--calib-data", films, "-o", target]
    refuses(*unfit, says="--preprocess")


def test_a_table_truncated_at_every_percent(calibration, refuses):
    """Cut between two lines it is whole and lacks values."""
    _, table, build, _ = calibration
    content = table.read_bytes()
    sizes = [len(content) * percent // 100 for percent in range(100)]
    for size in (*sizes, *range(sizes[-1], len(content.rstrip()))):
        table.write_bytes(content[:size])
        refuses(*build)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (RANDOM_BYTES, "UTF-8"),
        (LFS_POINTER, "no header"),
        (b"TRT-8601-EntropyCalibration2\n", "no scale"),
        (b"TRT-8601-EntropyCalibration2\nrelu: xyz\n", "line 2"),
        (b"TRT-8601-EntropyCalibration2\nrelu: 3c008912\n", "--accept-foreign-cache"),
    ],
    ids=["empty", "random", "lfs", "header", "digits", "foreign"],
)
def test_no_table_that_serves(calibration, refuses, content, says):
    _, table, build, _ = calibration
    table.write_bytes(content)
    refuses(*build, says=(says, str(table)))


def test_a_table_of_something_else(tmp_path, calibration, refuses):
    films, table, build, _ = calibration
    (films / "3.png").unlink()
    refuses(*build, "--calib-data", films, says=(str(table), "images_sha256"))
    refuses(*build, "--calib-algorithm", "minmax", says=(str(table), "algorithm is entropy"))
    refuses(*build, "--preprocess", "torch", says=(str(table), "preprocessing_sha256"))
    build[1] = networks.write_uff(tmp_path / "other.uff", seed=1)
    refuses(*build, says=(str(table), "network_sha256"))


def test_devices_are_not_replaced_by_files(tmp_path, small_uff, calibration, refuses):
    """Whoever may write into /dev would lose the device."""
    _, _, _, calibrate = calibration
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    network = [f"--uff={small_uff}", f"--output={SCORES}", f"--uffInput={SIZE}"]
    for words in (
        [*calibrate, "-o", pipe],
        ["build", small_uff, "--uffInput", SIZE, "-o", pipe],
        ["trtexec", *network, f"--saveEngine={pipe}"],
        ["trtexec", *network, f"--exportTimes={pipe}"],
    ):
        refuses(*words, says=(str(pipe), "device or a pipe"))


def test_unreadable_file(tmp_path, capsys):
    secret = tmp_path / "secret.uff"
    secret.touch(mode=0)
    if os.access(secret, os.R_OK):
        pytest.skip("this user may read everything")
    for words in (["build"], ["inspect"], ["convert"], ["infer", "x.png"]):
        assert main([words[0], str(secret), *words[1:]]) == 2
        printed = capsys.readouterr().err
        assert "ermission" in printed
        assert len(printed.splitlines()) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret.uff"]


def test_xxh64_has_the_published_values():
    assert xxh64(b"") == 0xEF46DB3751D8E999
    assert xxh64(b"a") == 0xD24EC4F1A98C6E5B
    assert xxh64(b"Nobody inspects the spammish repetition") == 0xFBCEA83C8A378BF1


@pytest.mark.parametrize("command", ["infer", "trtexec", "inspect"])
def test_engine_with_one_flipped_byte(tmp_path, small_engine, refuses, command):
    content = small_engine.read_bytes()
    path = tmp_path / "flipped.engine"
    table = sections(content)
    assert {"config", "manifest", "graph", "weights"} < set(table)
    assert any(name.startswith("blob/openvino/") for name in table)
    for name, (offset, size) in table.items():
        for at in (offset, offset + size // 2, offset + size - 1):
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            refuses(*engine_readers(path)[command], says=(str(path), f"section '{name}'"))


def test_engine_with_a_flipped_byte_in_its_head(tmp_path, small_engine, refuses):
    content = small_engine.read_bytes()
    path = tmp_path / "flipped.engine"
    for at in range(64 + 64 * len(sections(content))):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        refuses("trtexec", f"--loadEngine={path}", says=str(path))


@pytest.mark.parametrize("command", ["infer", "trtexec", "inspect"])
def test_engine_of_a_newer_format(tmp_path, small_engine, refuses, command):
    path = tmp_path / "newer.engine"
    path.write_bytes(with_version(small_engine.read_bytes(), 2))
    refuses(*engine_readers(path)[command], says=(str(path), "format 2", "upgrade"))


NO_TEXT_CONFIG = (
    b"backend=\xff\nprecision=fp32\nmax_batch=1\nthreads=0\nstreams=1\nprofiling=0\n"
    b"fingerprint=x\ndevice=x\n"
)


@pytest.mark.parametrize(
    ("section", "content", "says"),
    [
        ("manifest", b"{", "manifest is not a JSON object"),
        ("manifest", b"[]", "manifest is not a JSON object"),
        ("manifest", b'{"a": "\xff"}', "manifest is not a JSON object"),
        ("config", NO_TEXT_CONFIG, "not UTF-8"),
        ("config", b"backend=openvino\n", "config lacks"),
        ("graph", b"\xff", "not UTF-8"),
        ("graph", b"nonsense", "line 1"),
        ("graph", b"", ".engine'"),
        ("weights", b"", ".engine'"),
    ],
)
def test_engine_with_nonsense_under_right_checksums(
    tmp_path, small_engine, refuses, section, content, says
):
    path = tmp_path / "nonsense.engine"
    path.write_bytes(with_section(small_engine.read_bytes(), section, content))
    for command in ("infer", "inspect"):
        refuses(*engine_readers(path)[command], says=says)


def other_device(small_engine, path: Path) -> Path:
    """The engine as if another device had compiled it."""
    content = small_engine.read_bytes()
    offset, size = sections(content)["config"]
    lines = content[offset : offset + size].decode().splitlines()
    lines = [
        "fingerprint=another machine" if line.startswith("fingerprint=") else line for line in lines
    ]
    path.write_bytes(with_section(content, "config", "\n".join(lines).encode() + b"\n"))
    return path


def test_parts_put_together_again_are_the_same_file(small_engine):
    content = small_engine.read_bytes()
    offset, size = sections(content)["config"]
    assert with_section(content, "config", content[offset : offset + size]) == content


def test_engine_of_another_device(tmp_path, small_engine, small, capsys, caplog, refuses):
    path = other_device(small_engine, tmp_path / "other.engine")
    words = engine_readers(path)
    images = small_images(1, 7)
    (tmp_path / "in.raw").write_bytes(images.tobytes())
    out = tmp_path / "out.json"
    load = [f"--loadInputs={INPUT}:{tmp_path / 'in.raw'}", f"--exportOutput={out}", "--warmUp=0"]
    with caplog.at_level(logging.WARNING, "chexnet_trt"):
        assert main([*words["trtexec"], *load]) == 0
    assert "was compiled for" in caplog.text
    assert "compiling it again" in caplog.text
    (exported,) = json.loads(out.read_text())
    np.testing.assert_allclose(exported["values"], small.infer(images)[SCORES][0], atol=1e-6)
    caplog.clear()
    assert main(words["infer"]) == 0
    assert "was compiled for" in caplog.text
    for command in ("infer", "trtexec"):
        refuses(*words[command], "--require-exact-device", says=(str(path), "another machine"))
    capsys.readouterr()
    assert main([*engine_readers(small_engine)["infer"], "--require-exact-device"]) == 0


def test_the_warning_reaches_a_user(tmp_path, small_engine):
    path = other_device(small_engine, tmp_path / "other.engine")
    done = run_limited(engine_readers(path)["infer"], None)
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert "was compiled for" in done.stderr


def run_limited(words, file_size):
    """The command in a process that may write `file_size` bytes to a file."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))

    command = [sys.executable, "-m", "chexnet_trt", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, preexec_fn=limit if file_size else None, timeout=60
    )


def test_full_disk(tmp_path, small_pb, small_uff, small_engine):
    """A process that may write 256 bytes a file fails as on a full disk."""
    out = tmp_path / "out"
    network = [f"--uff={small_uff}", f"--output={SCORES}", f"--uffInput={SIZE}", "--duration=0"]
    image = tmp_path / "image.png"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(image)
    freeze = ["freeze", "--random-weights", "--network", "densenet121", "--image-size", "32"]
    calibrate = ["calibrate", small_uff, "--uffInput", SIZE, "--preprocess", "unit"]
    for words in (
        ["convert", small_pb, "-q", "-o", out.with_suffix(".uff")],
        [*calibrate, "--calib-data", image, "-o", out],
        ["build", small_uff, "--uffInput", SIZE, "-o", out],
        [*freeze, "-o", out],
        ["trtexec", *network, f"--saveEngine={out}"],
        ["trtexec", *network, f"--exportTimes={out}"],
    ):
        done = run_limited(words, 256)
        assert done.returncode == 2, (words, done.stderr)
        assert len(done.stderr.splitlines()) == 1, (words, done.stderr)
        assert "cannot write" in done.stderr
        assert "nothing was written" in done.stderr
        assert [entry.name for entry in tmp_path.iterdir()] == ["image.png"], words


def test_a_disk_with_room_for_one_of_two_files(tmp_path):
    maker = GraphMaker()
    maker.placeholder("x")
    maker.node("Relu", "a", ["x"])
    network = tmp_path / "net.pb"
    network.write_bytes(maker.graph.SerializeToString())
    assert main(["convert", str(network), "-q", "-t", "-o", str(tmp_path / "whole")]) == 0
    sizes = [(tmp_path / f"whole.{suffix}").stat().st_size for suffix in ("uff", "pbtxt")]
    assert sizes[0] < sizes[1]
    before = sorted(tmp_path.iterdir())
    done = run_limited(["convert", network, "-q", "-t", "-o", tmp_path / "out.uff"], sizes[0])
    assert done.returncode == 2
    assert "out.pbtxt" in done.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_a_full_disk_leaves_the_old_file(tmp_path, small_uff):
    out = tmp_path / "net.engine"
    out.write_bytes(b"old")
    done = run_limited(["build", small_uff, "--uffInput", SIZE, "-o", out], 512)
    assert done.returncode == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.engine"]
    assert out.read_bytes() == b"old"


def test_the_network_that_these_tests_damage_is_good(tmp_path, small_pb):
    target = tmp_path / "net.uff"
    assert main(["convert", str(small_pb), "-q", "-O", SCORES, "-o", str(target)]) == 0
    words = readers(target)
    assert main(words["build"]) == 0
    assert main(words["inspect"]) == 0
    engine = networks.build_small(target)
    engine.save(tmp_path / "net.engine")
    assert main(engine_readers(tmp_path / "net.engine")["infer"]) == 0
