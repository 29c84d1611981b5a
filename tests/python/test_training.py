"""Whole trainings of a tiny network on tiny synthetic records."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import training_files
from chexnet_trt._core import InputError
from training_worker import train, weights_of

pytestmark = pytest.mark.tensorflow
pytest.importorskip("tensorflow")

WORKER = Path(__file__).with_name("training_worker.py")


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("training") / "records"
    training_files.write_records(folder)
    return folder


def settings(records: Path, model: Path, **others) -> dict:
    """5 steps an epoch."""
    return {
        "data_dir": str(records), "model_dir": str(model), "network": training_files.TINY,
        "batch_size": 8, "train_epochs": 3, "learning_rate": 0.01, "schedule": "cosine", **others,
    }  # fmt: skip


def start(fields: dict, folder: Path, name: str, *arguments: object, **environment: str):
    path = folder / f"{name}.json"
    path.write_text(json.dumps(fields))
    command = [sys.executable, str(WORKER), str(path), *map(str, arguments)]
    return subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(records, tmp_path_factory):
    """Without an interruption: the result, its folder, and what was reported."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    lines: list[str] = []
    return train(settings(records, folder), lines.append), folder, lines


def test_the_loss_falls(records, tmp_path):
    lines: list[str] = []
    train(settings(records, tmp_path / "m", train_epochs=8, augment=False), lines.append)
    losses = [float(line.split("loss ")[1].split(",")[0]) for line in lines if "epoch" in line[:6]]
    assert len(losses) == 8
    assert losses[-1] < 0.9 * losses[0]


def test_what_a_training_leaves(trained):
    result, folder, lines = trained
    assert lines[0].startswith("SYNTHETIC")
    fields = json.loads((folder / "training.json").read_text())
    assert (fields["steps"], fields["network"], fields["synthetic"]) == (15, "tiny", True)
    assert fields["best"] == result.best
    assert set(result.best["auroc"]) == set(fields["labels"])


def events(folder: Path) -> list:
    """(step, summary value) of TensorBoard's files."""
    import tensorflow as tf

    return [
        (event.step, value)
        for file in folder.glob("events*")
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
    ]


def tf_value(value):
    import tensorflow as tf

    return tf.make_ndarray(value.tensor)


def test_tensorboard_shows_scalars_and_six_images(trained):
    result, folder, _ = trained
    training, evaluations = events(folder), events(folder / "eval")
    tags = {"images", "loss", "learning_rate", "images_per_second", "share_waiting_for_input"}
    assert {value.tag for _, value in training} == tags
    images = [value.tensor.string_val for _, value in training if value.tag == "images"]
    assert [len(strings) for strings in images] == [2 + 6] * 3  # width, height, PNGs
    assert {step for step, _ in evaluations} == {5, 10, 15}
    found = {value.tag for _, value in evaluations}
    assert found >= {"loss", "auroc/macro", "auroc/macro_200_bins"}
    assert found >= {f"auroc/{name}" for name in result.best["auroc"]}


def test_the_best_checkpoint_is_read_by_variable_name(trained):
    from chexnet_trt.export.checkpoints import read_weights

    result, folder, _ = trained
    checkpoint = read_weights(folder)
    assert checkpoint.prefix.parent.name == "best"
    assert checkpoint.prefix.name == f"model.ckpt-{result.best['step']}"
    assert set(checkpoint.shapes) == set(result.network.weights_by_name)
    latest = read_weights(folder / "model.ckpt-15")
    for name, value in weights_of(result).items():
        np.testing.assert_array_equal(latest.read(name), value)


def test_a_killed_training_goes_on_as_if_it_had_not_been(trained, records, tmp_path):
    """Killed in step 8, in the middle of the second epoch; the last checkpoint is of step 6."""
    uninterrupted, _, _ = trained
    fields = settings(records, tmp_path / "model", checkpoint_steps=6)
    worker = start(fields, tmp_path, "killed", "", 8)
    output, _ = worker.communicate(timeout=120)
    assert worker.returncode == -signal.SIGKILL, output
    lines: list[str] = []
    resumed = train(fields, lines.append)
    assert any(line.startswith("going on from step 6 ") for line in lines)
    assert resumed.steps == uninterrupted.steps == 15
    for name, value in weights_of(uninterrupted).items():
        np.testing.assert_allclose(weights_of(resumed)[name], value, rtol=1e-3, atol=1e-4)
    assert resumed.best["loss"] == pytest.approx(uninterrupted.best["loss"], rel=1e-3)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def test_two_workers_end_with_equal_weights(records, tmp_path):
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    fields = settings(records, tmp_path / "model", train_epochs=2)
    workers = []
    for index in range(2):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        weights = tmp_path / f"{index}.npz"
        workers.append(start(fields, tmp_path, f"w{index}", weights, TF_CONFIG=json.dumps(config)))
    outputs = [worker.communicate(timeout=180)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], "\n".join(outputs)
    first, second = (np.load(tmp_path / f"{index}.npz") for index in range(2))
    assert "worker 1 of 2" in outputs[0]
    for name in first.files:
        np.testing.assert_array_equal(first[name], second[name])
    kernel = "tiny/conv2d/kernel"
    alone = train(settings(records, tmp_path / "alone", train_epochs=2), lambda line: None)
    assert not np.array_equal(first[kernel], weights_of(alone)[kernel])
    assert json.loads((tmp_path / "model" / "training.json").read_text())["steps"] == 10


def test_pretrained_weights_are_the_first(trained, records, tmp_path):
    _, folder, _ = trained
    lines: list[str] = []
    fields = settings(
        records, tmp_path / "m", pretrained_model_dir=str(folder), train_epochs=1,
        learning_rate=1e-9,
    )  # fmt: skip
    again = train(fields, lines.append)
    assert any(" variables from " in line for line in lines)
    kernel = "tiny/conv2d/kernel"
    from chexnet_trt.export.checkpoints import read_weights

    np.testing.assert_allclose(
        weights_of(again)[kernel], read_weights(folder).read(kernel), atol=1e-5
    )


def test_missing_pretrained_weights_are_an_error(records, tmp_path):
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.get_variable("tiny/conv2d/kernel", [5, 5, 3, 8])
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(tmp_path / "model.ckpt"))
    fields = settings(records, tmp_path / "m", pretrained_model_dir=str(tmp_path / "model.ckpt"))
    with pytest.raises(InputError, match="missing: tiny/batch_normalization/gamma"):
        train(fields, lambda line: None)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"batch_size": 4}, "with batch_size 8, not 4; to go on with it give the same"),
        ({"seed": 1}, "with seed 0, not 1"),
    ],
)
def test_another_training_does_not_go_on_from_this_one(trained, records, changed, message):
    _, folder, _ = trained
    with pytest.raises(InputError, match=message):
        train(settings(records, folder, **changed), lambda line: None)


def test_a_finished_training_is_not_repeated(trained, records):
    result, folder, _ = trained
    lines: list[str] = []
    for epochs, steps in ((3, 15), (1, 5)):
        again = train(settings(records, folder, train_epochs=epochs), lines.append)
        assert again.best == result.best
        assert again.steps == 15
        assert lines[-1] == (
            f"NOTHING IS TRAINED: --train_epochs={epochs} are {steps} steps, and 15 are done; for "
            "more of them give more epochs"
        )
    assert not any(line.startswith("epoch") for line in lines)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_keeps_weights_in_float32(records, tmp_path, dtype):
    result = train(
        settings(records, tmp_path / "m", dtype=dtype, train_epochs=2, weighted_loss=True),
        lambda line: None,
    )
    for name, value in weights_of(result).items():
        assert value.dtype == np.float32
        assert np.isfinite(value).all(), name


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data_format": "channels_first"}, "needs a GPU.*channels_last gives the same weights"),
        ({"image_size": 64}, "more than the 32 pixels of the records"),
        ({"batch_size": 64}, "40 images to train on, too few for one step"),
    ],
)
def test_what_cannot_be_trained_is_refused(records, tmp_path, changed, message):
    with pytest.raises(InputError, match=message):
        train(settings(records, tmp_path / "m", **changed), lambda line: None)


def test_a_diverged_training_stops(records, tmp_path):
    from chexnet_trt._core import BackendError

    fields = settings(
        records, tmp_path / "m", learning_rate=1e38, optimizer="momentum", train_epochs=4
    )
    with pytest.raises(BackendError, match=r"the training diverged; .*a lower --learning_rate"):
        train(fields, lambda line: None)


def test_weights_that_diverge_in_an_epochs_last_step_are_not_the_best(records, tmp_path):
    """One step an epoch: its loss is still that of the initial weights."""
    from chexnet_trt._core import BackendError

    fields = settings(
        records, tmp_path / "m", learning_rate=1e38, optimizer="momentum", batch_size=40
    )
    with pytest.raises(BackendError, match=r"the validation loss at step 1 is .* diverged"):
        train(fields, lambda line: None)
    assert not (tmp_path / "m" / "best").exists()


def test_evaluations_are_as_far_apart_as_asked_for(records, tmp_path):
    """Of three epochs two to an evaluation: after the second, and at the end."""
    lines: list[str] = []
    train(settings(records, tmp_path / "m", epochs_per_eval=2, batch_size=20), lines.append)
    order = [line.split()[0] for line in lines if line.lstrip().startswith(("epoch ", "valid"))]
    assert order == ["epoch", "epoch", "validation", "epoch", "validation"]


def test_the_rate_falls_when_the_validation_loss_does_not(records, tmp_path, monkeypatch):
    from chexnet_trt.train import loop

    losses = iter([0.5, 0.6, 0.4])
    real = loop.Metrics.of

    def of(*arrays):
        return dataclasses.replace(real(*arrays), loss=next(losses))

    monkeypatch.setattr(loop.Metrics, "of", of)
    folder = tmp_path / "m"
    train(settings(records, folder, schedule="plateau", batch_size=20), lambda line: None)
    rates = {
        step: float(tf_value(value))
        for step, value in events(folder)
        if value.tag == "learning_rate"
    }
    assert rates == pytest.approx({2: 0.01, 4: 0.01, 6: 0.001})


def test_the_command_trains_exports_and_freezes(records, tmp_path, capsys):
    from chexnet_trt import cli

    training_files.register_tiny()
    folders = {name: tmp_path / name for name in ("model_dir", "export_dir", "frozen_graph_dir")}
    arguments = [f"--{name}={folder}" for name, folder in folders.items()]
    arguments += [f"--data_dir={records}", "--network=tiny", "--batch_size=8", "--train_epochs=1"]
    assert cli.main(["train", *arguments]) == 0
    output = capsys.readouterr().out
    assert "best checkpoint: step 5, AUROC on validation\n  Cardiomegaly " in output
    (saved_model,) = folders["export_dir"].iterdir()
    assert f"{saved_model}: tiny of {folders['model_dir'] / 'best' / 'model.ckpt-5'}\n" in output
    (frozen,) = folders["frozen_graph_dir"].iterdir()
    assert frozen.name == f"chexnet_frozen_graph_{saved_model.name}.pb"
    assert output.count("SYNTHETIC") == 2


def test_only_the_best_checkpoint_is_delivered(trained, tmp_path):
    from chexnet_trt.train.delivery import deliver

    copy = shutil.copytree(trained[1], tmp_path / "model")
    shutil.rmtree(copy / "best")
    with pytest.raises(InputError, match=r"no checkpoint .*best"):
        deliver(copy, tmp_path / "exports", None)
    assert not (tmp_path / "exports").exists()


@pytest.mark.parametrize("flag", ["export_dir", "frozen_graph_dir", "model_dir"])
def test_a_folder_that_cannot_be_made_is_refused_before_the_training(
    records, tmp_path, capsys, flag
):
    from chexnet_trt import cli

    (tmp_path / "file").write_text("")
    folders = {"model_dir": tmp_path / "m", flag: tmp_path / "file" / "folder"}
    arguments = [f"--{name}={folder}" for name, folder in folders.items()]
    arguments.append("--batch_size=8")
    assert cli.main(["train", f"--data_dir={records}", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "cannot make the folder" in printed.err
    assert not (tmp_path / "m").exists()


def test_settings_are_refused_before_the_records_are_read(tmp_path):
    dataset = training_files.write_records(tmp_path / "records")
    dataset.shards("train")[0].write_bytes(b"damaged")
    fields = settings(tmp_path / "records", tmp_path / "m")
    with pytest.raises(InputError, match="too few for one step"):
        train({**fields, "batch_size": 64}, lambda line: None)
    with pytest.raises(InputError, match="train-00000-of-00004"):
        train(fields, lambda line: None)
