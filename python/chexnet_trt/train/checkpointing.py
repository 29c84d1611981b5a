"""Checkpoints of a model folder: the latest, to go on from, and the best."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from chexnet_trt._core import BackendError, InputError
from chexnet_trt.export.checkpoints import BEST
from chexnet_trt.train.optimizers import Optimizer

CHECKPOINT_FILE = "checkpoint"  # TensorFlow's, which names the checkpoints of its folder.
_NAME = "model.ckpt"
_KEPT = 2


class TrainingState(tf.train.experimental.PythonState):  # type: ignore[misc]
    """What a checkpoint keeps beside tensors, as JSON: the schedule's state and the best result."""

    def __init__(self) -> None:
        self.schedule: dict[str, Any] = {}
        self.best: dict[str, Any] | None = None

    def serialize(self) -> str:
        return json.dumps({"schedule": self.schedule, "best": self.best})

    def deserialize(self, string_value: str) -> None:
        fields = json.loads(string_value)
        self.schedule, self.best = fields["schedule"], fields["best"]


class Checkpoints:
    """Checkpoint keys begin with network/, optimizer/, step and state.

    Every worker has to save, because moving statistics are averaged over all of them, but only the
    chief's files stay.
    """

    def __init__(
        self,
        folder: Path,
        network: tf.Module,
        optimizer: Optimizer,
        *,
        is_chief: bool,
    ) -> None:
        self.state = TrainingState()
        self._folder = folder
        self._step = tf.Variable(
            0,
            dtype=tf.int64,
            trainable=False,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        self._checkpoint = tf.train.Checkpoint(
            network=network,
            optimizer=optimizer.checkpointed,
            step=self._step,
            state=self.state,
        )
        self._unwanted = None if is_chief else tempfile.TemporaryDirectory(prefix="chexnet_trt_")
        target = Path(self._unwanted.name) if self._unwanted else folder
        self._latest = self._manager(target, _KEPT)
        self._best = self._manager(target / BEST, 1)

    def _manager(self, folder: Path, kept: int) -> tf.train.CheckpointManager:
        return tf.train.CheckpointManager(
            self._checkpoint, str(folder), max_to_keep=kept, checkpoint_name=_NAME
        )

    def restore(self) -> int:
        """The step of the latest checkpoint, whose values are now set; 0 before the first one.

        Raises InputError for one that is gone, damaged or of another network.
        """
        latest = _latest(self._folder)
        if latest is None:
            return 0
        try:
            self._checkpoint.restore(latest).assert_consumed()
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            reason = " ".join(str(error).split())[:300]
            raise InputError(
                f"cannot go on from '{latest}': {reason}; delete its files to go on from the one "
                "before it, or give another --model_dir"
            ) from None
        return int(self._step.numpy())

    def save(self, step: int) -> None:
        """Raises BackendError when it cannot be written, as on a full disk."""
        self._save(self._latest, step)

    def save_best(self, step: int) -> None:
        """Raises BackendError as `save`."""
        self._save(self._best, step)

    def _save(self, manager: tf.train.CheckpointManager, step: int) -> None:
        self._step.assign(step)
        try:
            manager.save(checkpoint_number=step)
        except (tf.errors.UnavailableError, tf.errors.AbortedError):
            raise  # Another worker is gone: moving statistics are averaged while they are saved.
        except tf.errors.OpError as error:
            reason = " ".join(error.message.split())[:300]
            raise BackendError(
                f"cannot write the checkpoint of step {step} in '{manager.directory}': {reason}; "
                "the same command goes on from the one before it"
            ) from None


def _latest(folder: Path) -> str | None:
    """The newest checkpoint of those that the folder's `checkpoint` file names and that are there;
    None without that file. Raises InputError when none of them is there, for to begin anew would
    overwrite the best one.
    """
    named = folder / CHECKPOINT_FILE
    if not named.is_file():
        return None
    state = tf.train.get_checkpoint_state(str(folder))
    paths = reversed(state.all_model_checkpoint_paths) if state else ()
    found = next((path for path in paths if Path(f"{path}.index").is_file()), None)
    if found is None:
        raise InputError(
            f"'{named}' names no checkpoint that is there: bring the files model.ckpt-* back, or "
            "begin anew in another --model_dir"
        )
    return str(found)
