from __future__ import annotations

from pathlib import Path

import pytest

from chexnet_trt import cli
from chexnet_trt.commands import train

NEEDED = ["--data_dir=records", "--model_dir=model"]


def parse(*arguments: str):
    parser = cli._parser("train")
    return train._settings(parser.parse_args(["train", *NEEDED, *arguments]))


def test_the_whitepapers_command_line():
    settings = parse(
        "--train_epochs=15", "--learning_rate=0.001", "--batch_size=128",
        "--pretrained_model_dir=pretrained", "--export_dir=exported", "--frozen_graph_dir=frozen",
        "--epochs_per_eval=2", "--data_format=channels_first",
    )  # fmt: skip
    assert (settings.network, settings.image_size) == ("resnet50_v2", None)
    assert (settings.train_epochs, settings.epochs_per_eval) == (15, 2)
    assert (settings.learning_rate, settings.batch_size) == (0.001, 128)
    assert settings.pretrained_model_dir == Path("pretrained")
    assert settings.data_format == "channels_first"
    assert not settings.flip
    assert settings == parse(
        "--data_format=channels_first", "--epochs_per_eval=2", "--pretrained_model_dir=pretrained"
    )


def test_densenet_by_its_depth():
    assert parse("--densenet_depth=121").network == "densenet121"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--densenet_depth=121", "--network=resnet50_v2"], "is not of --network=resnet50_v2"),
        (["--densenet_depth=169"], "invalid choice: 169"),
        (["--learning_rate=0"], "give a number above 0"),
        (["--learning_rate=nan"], "give a number above 0"),
        (["--flip", "--no_augment"], "--flip is a part of the augmentation"),
        (["--checkpoint_scope=resnet"], "--checkpoint_scope is of --pretrained_model_dir"),
        (["--train_epochs=0"], "0 is not an integer from 1"),
        ([], "there is no folder 'records'"),
    ],
)
def test_bad_usage(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        status = cli.main(["train", *NEEDED, *arguments])
    except SystemExit as stop:
        status = stop.code
    error = capsys.readouterr().err
    assert status == 2
    assert error.count("\n") == 1
    assert message in error
    assert not list(tmp_path.iterdir())
