from __future__ import annotations

import argparse
import importlib

import pytest

from chexnet_trt import build_arguments
from chexnet_trt._core import InputError

FLAGS = ["--uffInput=x,3,8,8", "--uffNHWC", "--output=y,z", "--fp16", "--bf16", "--int8", "--best"]


def parsed(command: str, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"chexnet_trt.commands.{command}").add_arguments(parser)
    return parser.parse_args([*(["net.uff"] if command == "build" else []), *words])


@pytest.mark.parametrize("command", ["build", "trtexec"])
def test_given_names_the_flags_of_the_command_line(command):
    assert build_arguments.given(parsed(command)) == []
    names = [flag.partition("=")[0] for flag in FLAGS]
    assert build_arguments.given(parsed(command, *FLAGS)) == names


@pytest.mark.parametrize("command", ["build", "trtexec"])
def test_arguments_reach_the_builder_under_its_names(command, monkeypatch):
    received = {}
    monkeypatch.setattr(
        build_arguments.builder, "build", lambda source, **options: received.update(options)
    )
    args = parsed(command, *(flag for flag in FLAGS if flag != "--int8"))
    build_arguments.build("net.uff", args, max_batch=4)
    assert received["inputs"] == {"x": (3, 8, 8)}
    assert received["input_order"] == "NHWC"
    assert received["outputs"] == ["y", "z"]
    assert received["precisions"][:2] == ["fp16", "bf16"]
    assert received["max_batch"] == 4


@pytest.mark.parametrize("command", ["build", "trtexec"])
def test_int8_is_refused_for_want_of_calibration(command):
    with pytest.raises(InputError, match=r"--int8: .*calibration"):
        build_arguments.build("net.uff", parsed(command, "--int8"))
