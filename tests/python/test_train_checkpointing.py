from __future__ import annotations

from types import SimpleNamespace

import pytest

from chexnet_trt._core import BackendError, InputError

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.tensorflow

from chexnet_trt.train.checkpointing import Checkpoints  # noqa: E402


class Network(tf.Module):
    def __init__(self, value: float = 0):
        super().__init__()
        self.weight = tf.Variable(float(value))


def opened(folder, value: float = 0) -> tuple[Checkpoints, Network]:
    network, optimizer = Network(value), SimpleNamespace(checkpointed=tf.train.Checkpoint())
    return Checkpoints(folder, network, optimizer, is_chief=True), network


@pytest.fixture
def folder(tmp_path):
    """Checkpoints of steps 5 and 10, whose weight is the step."""
    checkpoints, network = opened(tmp_path / "model")
    for step in (5, 10):
        network.weight.assign(step)
        checkpoints.save(step)
    return tmp_path / "model"


def remove(folder, step: int) -> None:
    for path in folder.glob(f"model.ckpt-{step}.*"):
        path.unlink()


def test_a_new_folder_begins_at_nothing(tmp_path):
    checkpoints, network = opened(tmp_path, 3)
    assert checkpoints.restore() == 0
    assert network.weight.numpy() == 3


def test_without_the_latest_it_goes_on_from_the_one_before(folder):
    checkpoints, network = opened(folder)
    assert (checkpoints.restore(), network.weight.numpy()) == (10, 10)
    remove(folder, 10)
    checkpoints, network = opened(folder)
    assert (checkpoints.restore(), network.weight.numpy()) == (5, 5)


def test_a_folder_whose_checkpoints_are_gone_does_not_begin_anew(folder):
    for step in (5, 10):
        remove(folder, step)
    with pytest.raises(InputError, match=r"names no checkpoint that is there.*--model_dir"):
        opened(folder)[0].restore()
    (folder / "checkpoint").write_text("no such format {")
    with pytest.raises(InputError, match="names no checkpoint that is there"):
        opened(folder)[0].restore()


def test_a_damaged_checkpoint_says_what_to_do(folder):
    (folder / "model.ckpt-10.index").write_bytes(b"no table" * 20)
    with pytest.raises(InputError, match=r"ckpt-10.*delete its files to go on from the one before"):
        opened(folder)[0].restore()


def test_a_checkpoint_that_cannot_be_written(folder):
    checkpoints, _ = opened(folder)
    (folder / "best").write_text("a file, not a folder")
    with pytest.raises(BackendError, match=r"cannot write the checkpoint of step 15 in .*best"):
        checkpoints.save_best(15)


def test_a_full_disk_is_not_called_a_lack_of_device_memory(folder, monkeypatch):
    def full(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "model.ckpt; No space left on device")

    checkpoints, _ = opened(folder)
    monkeypatch.setattr(checkpoints._latest, "save", full)
    with pytest.raises(BackendError, match=r"step 15 in .*No space left on device"):
        checkpoints.save(15)


def test_another_workers_end_is_no_fault_of_the_folder(folder, monkeypatch):
    def gone(*_, **__):
        raise tf.errors.UnavailableError(None, None, "failed to connect")

    checkpoints, _ = opened(folder)
    monkeypatch.setattr(checkpoints._latest, "save", gone)
    with pytest.raises(tf.errors.UnavailableError):
        checkpoints.save(15)
