"""int8 from the command line's arguments: what is prepared for a build, and what rules int8 out."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

pytest.importorskip("tensorboard")

import numpy as np

from chexnet_trt import _core, build_arguments, int8_arguments
from chexnet_trt._core import InputError
from chexnet_trt.calibration import DEFAULT_PERCENTILE, Method
from chexnet_trt.commands import build, trtexec
from chexnet_trt.int8_arguments import Prepared, given, method_of, prepare
from chexnet_trt.network import Network, read
from int8_networks import NETWORK, needs_int8, needs_mixed, pixels, write_chain


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    build.add_arguments(parser)
    return parser.parse_args(["net.uff", *words])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("data") / "films.npy"
    np.save(path, pixels(40))
    return str(path)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return read(write_chain(tmp_path_factory.mktemp("net") / "healthy.uff"), **NETWORK)


@pytest.fixture(scope="module")
def ruined(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """int8 ruins conv_1 of it."""
    path = write_chain(tmp_path_factory.mktemp("net") / "ruined.uff", outlier=1e4)
    return read(path, **NETWORK)


def prepared(
    network: Network, *words: str, precisions: tuple[str, ...] = ("int8",), obey: bool = False
) -> Prepared:
    args = parsed("--int8", *words)
    return prepare(
        network,
        args,
        precisions=precisions,
        backend="openvino",
        threads=0,
        obey=obey,
        progress=lambda *call: None,
    )


def test_given_names_the_flags_in_both_commands():
    words = {
        "--int8": [], "--random-ranges": [], "--keep-high-precision": ["auto"],
        "--accuracy-target": ["0.1"], "--calib-data": ["films"], "--calib": ["net.calib"],
        "--calib-algorithm": ["minmax"], "--calib-percentile": ["99"], "--calib-images": ["3"],
        "--calib-root": ["."], "--accept-foreign-cache": [],
    }  # fmt: skip
    line = [word for flag, values in words.items() for word in (flag, *values)]
    assert given(parsed(*line)) == list(words)
    parser = argparse.ArgumentParser()
    trtexec.add_arguments(parser)
    assert given(parser.parse_args(line)) == list(words)
    assert given(parser.parse_args([])) == []


def test_method():
    assert method_of(parsed()) is None
    assert method_of(parsed("--calib-algorithm", "minmax")) == Method("minmax")
    percentile = parsed("--calib-algorithm", "percentile")
    assert method_of(percentile) == Method("percentile", DEFAULT_PERCENTILE)
    percentile = parsed("--calib-algorithm", "percentile", "--calib-percentile", "99.5")
    assert method_of(percentile) == Method("percentile", 99.5)
    for words in (["--calib-percentile", "99"], ["--calib-algorithm", "minmax"]):
        with pytest.raises(InputError, match="--calib-percentile needs"):
            method_of(parsed("--calib-percentile", "99", *words))


@pytest.mark.parametrize(
    "words",
    [
        "--calib-percentile 0", "--calib-percentile 101", "--calib-percentile nan",
        "--calib-percentile x", "--accuracy-target 0", "--accuracy-target 1.5",
        "--accuracy-target nan", "--accuracy-target x", "--keep-high-precision 0",
        "--keep-high-precision ,", "--keep-high-precision a,,b", "--calib-images 0",
        "--calib-algorithm kl",
    ],
)  # fmt: skip
def test_values_out_of_range(words):
    with pytest.raises((argparse.ArgumentError, SystemExit)):
        parsed(*words.split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--int8", "--int8 needs a calibration: give --calib-data"),
        ("--best --accuracy-target 0.1", "--accuracy-target needs a calibration"),
        ("--best --keep-high-precision auto", "--keep-high-precision needs a calibration"),
        ("--calib-data films", "--calib-data is for int8: add --int8 or --best"),
        ("--bf16 --random-ranges", "--random-ranges is for int8"),
        ("--keep-high-precision 2", "--keep-high-precision is for int8"),
        ("--int8 --random-ranges --calib t", "give --calib or --random-ranges, not both"),
        ("--int8 --random-ranges --calib-data d", "give --calib-data or --random-ranges"),
        ("--int8 --random-ranges --calib-algorithm minmax", "give --calib-algorithm or --random"),
        ("--int8 --random-ranges --keep-high-precision 2", "ranges are random; name the layers"),
        ("--int8 --random-ranges --keep-high-precision auto", "ranges are random; name the"),
        ("--int8 --random-ranges --accuracy-target 0.1", "--accuracy-target: ranges are random"),
        ("--int8 --random-ranges --keep-high-precision relu_0", "'relu_0' is none of the 4"),
        ("--int8 --calib gone.calib", "no calibration table 'gone.calib'"),
        ("--int8 --calib gone.calib --calib-images 4", "--calib-images needs --calib-data"),
        ("--int8 --calib gone.calib --calib-root .", "--calib-root needs --calib-data"),
        ("--int8 --calib-data d --accept-foreign-cache", "--accept-foreign-cache needs --calib"),
        ("--int8 --calib-data gone/", "'gone' does not exist"),
    ],
)
def test_arguments_that_do_not_go_together(healthy, words, says):
    with pytest.raises(InputError, match=says):
        prepare(
            healthy,
            parsed(*words.split()),
            precisions=["int8"],
            backend="openvino",
            threads=0,
            obey=False,
            progress=lambda *call: None,
        )


def test_best_without_calibration_says_why_int8_is_out(healthy):
    found = prepare(
        healthy,
        parsed("--best"),
        precisions=["bf16", "int8", "mixed"],
        backend="openvino",
        threads=0,
        obey=False,
        progress=lambda *call: None,
    )
    reason = "no calibration: give --calib-data or --calib"
    assert found == Prepared(ruled_out={"int8": reason, "mixed": reason})


def test_a_table_alone_leaves_the_scores_unchecked(healthy, data, tmp_path):
    cache = str(tmp_path / "net.calib")
    made = prepared(healthy, "--calib-data", data, "--calib", cache)
    found = prepared(healthy, "--calib", cache, "--keep-high-precision", "conv_0,product")
    assert found == Prepared(made.int8.keeping(["conv_0", "product"]))
    for words in (["--keep-high-precision", "1"], ["--accuracy-target", "0.1"]):
        with pytest.raises(InputError, match="there is no --calib-data to measure with"):
            prepared(healthy, "--calib", cache, *words)


@needs_int8
def test_the_scores_are_checked_on_the_first_images(healthy, data):
    found = prepared(healthy, "--calib-data", data)
    assert found.agreements["int8"].images == int8_arguments.CHECK_IMAGES
    assert 0 < found.agreements["int8"].p99 < int8_arguments.DEFAULT_TARGET
    assert found.ruled_out == {}
    assert found.int8.high_precision == ()
    few = prepared(healthy, "--calib-data", data, "--calib-images", "3")
    assert few.agreements["int8"].images == 3


@needs_int8
def test_int8_beyond_the_target_is_ruled_out_unless_forced(ruined, data, caplog):
    words = ["--calib-data", data, "--calib-algorithm", "minmax"]
    found = prepared(ruined, *words)
    assert set(found.ruled_out) == {"int8"}
    assert (
        "above the accuracy target 0.05; try --keep-high-precision auto" in found.ruled_out["int8"]
    )
    assert not caplog.records
    forced = prepared(ruined, *words, obey=True)
    assert "above the accuracy target 0.05; built because it is forced" in caplog.text
    assert forced.ruled_out == {}
    assert forced.agreements == found.agreements
    assert prepared(ruined, *words, "--accuracy-target", "0.9").ruled_out == {}


@needs_mixed
def test_mixed_is_checked_for_itself(ruined, data):
    words = ["--calib-data", data, "--calib-algorithm", "minmax", "--keep-high-precision", "1"]
    found = prepared(ruined, *words, precisions=("bf16", "int8", "mixed"))
    assert found.int8.high_precision == ("conv_1",)
    assert set(found.agreements) == {"int8", "mixed"}
    assert found.agreements["mixed"] != found.agreements["int8"]
    between = sorted(agreement.p99 for agreement in found.agreements.values())
    target = str(sum(between) / 2)
    strict = prepared(ruined, *words, "--accuracy-target", target, precisions=("int8", "mixed"))
    assert list(strict.ruled_out) == [
        name for name, one in found.agreements.items() if one.p99 == between[1]
    ]


@needs_int8
def test_layers_are_kept_by_number_by_name_and_as_needed(ruined, data):
    words = ["--calib-data", data, "--calib-algorithm", "minmax", "--keep-high-precision"]
    for kept in ("auto", "1", "conv_1"):
        found = prepared(ruined, *words, kept)
        assert found.int8.high_precision == ("conv_1",)
        assert found.ruled_out == {}
    assert prepared(ruined, *words, "3").int8.high_precision[0] == "conv_1"
    with pytest.raises(InputError, match="4 leaves nothing in int8: the network has 4 layers"):
        prepared(ruined, *words, "4")
    with pytest.raises(InputError, match="'nowhere' is none of the 4 layers"):
        prepared(ruined, *words, "conv_1,nowhere")


@needs_int8
def test_a_target_that_no_int8_layer_meets(healthy, data):
    words = ["--calib-data", data, "--keep-high-precision", "auto", "--accuracy-target", "1e-9"]
    found = prepared(healthy, *words)
    assert found.agreements == {}
    assert found.ruled_out == {
        "int8": "the accuracy target 1e-09 holds only with every layer in floating point"
    }


def test_a_device_without_int8_is_left_to_the_builder(healthy, data, monkeypatch):
    monkeypatch.setattr(_core, "device_precisions", lambda backend: ["fp32", "bf16"])
    found = prepared(healthy, "--calib-data", data, "--keep-high-precision", "auto")
    assert found.agreements == found.ruled_out == {}
    assert found.int8 is not None


@pytest.mark.parametrize(
    ("words", "permitted"),
    [
        ("", []),
        ("--int8", ["int8"]),
        ("--int8 --fp16", ["fp16", "int8"]),
        ("--int8 --bf16", ["bf16", "int8", "mixed"]),
        ("--best", ["bf16", "int8", "mixed"]),
        ("--best --fp16", ["fp16", "bf16", "int8", "mixed"]),
    ],
)
def test_permitted_precisions(words, permitted, small_uff: Path, monkeypatch):
    received = {}
    monkeypatch.setattr(
        _core, "device_precisions", lambda backend: ["fp32", "bf16", "int8", "mixed"]
    )
    monkeypatch.setattr(int8_arguments, "prepare", lambda *args, **options: Prepared())
    monkeypatch.setattr(
        build_arguments, "build_network", lambda network, **options: received.update(options)
    )
    build_arguments.build(small_uff, parsed("--uffInput=input_tensor,3,8,8", *words.split()))
    assert received["precisions"] == permitted
