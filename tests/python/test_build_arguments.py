from __future__ import annotations

import argparse
import importlib
from pathlib import Path

import pytest

from chexnet_trt import build_arguments
from chexnet_trt._core import InputError
from networks import INPUT, SCORES

FLAGS = ["--uffInput=x,3,8,8", "--uffNHWC", "--output=y,z", "--fp16", "--bf16", "--best", "--int8"]
COMMANDS = ["build", "trtexec"]


def parsed(command: str, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"chexnet_trt.commands.{command}").add_arguments(parser)
    return parser.parse_args([*(["net.uff"] if command == "build" else []), *words])


@pytest.mark.parametrize("command", COMMANDS)
def test_given_names_the_flags_of_the_command_line(command: str) -> None:
    assert build_arguments.given(parsed(command)) == []
    names = [flag.partition("=")[0] for flag in FLAGS]
    assert build_arguments.given(parsed(command, *FLAGS)) == names


@pytest.mark.parametrize("command", COMMANDS)
def test_arguments_reach_the_builder_under_its_names(
    command: str, small_uff: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = {}

    def build_network(network: object, **options: object) -> None:
        received.update(options, network=network)

    monkeypatch.setattr(build_arguments, "build_network", build_network)
    words = [f"--uffInput={INPUT},8,8,3", "--uffNHWC", f"--output={SCORES}", "--fp16", "--bf16"]
    build_arguments.build(small_uff, parsed(command, *words), max_batch=4)
    graph = received["network"].graph
    assert [node.attributes["layout"] for node in graph.inputs] == ["nhwc"]
    assert [name for name, _ in graph.outputs] == [SCORES]
    assert received["precisions"] == ["fp16", "bf16"]
    assert received["max_batch"] == 4


@pytest.mark.parametrize("command", COMMANDS)
def test_forcing_several_precisions_is_refused_before_calibrating(
    command: str, small_uff: Path
) -> None:
    words = [f"--uffInput={INPUT},3,8,8", "--int8", "--bf16", "--calib-data=gone"]
    with pytest.raises(InputError, match="one precision, several are permitted: bf16, int8, mixed"):
        build_arguments.build(small_uff, parsed(command, *words), obey=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_int8_is_refused_for_want_of_calibration(command: str, small_uff: Path) -> None:
    args = parsed(command, f"--uffInput={INPUT},3,8,8", "--int8")
    with pytest.raises(InputError, match=r"--int8 .*calibration"):
        build_arguments.build(small_uff, args)
