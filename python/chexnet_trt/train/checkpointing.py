"""Checkpoints of a model folder: the latest, to go on from, and the best."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from chexnet_trt._core import InputError
from chexnet_trt.train.optimizers import Optimizer

BEST = "best"
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
        """The step of the latest checkpoint, whose values are now set; 0 without one.

        Raises InputError for one that is damaged or of another network.
        """
        latest = tf.train.latest_checkpoint(str(self._folder))
        if latest is None:
            return 0
        try:
            self._checkpoint.restore(latest).assert_consumed()
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            reason = " ".join(str(error).split())[:300]
            raise InputError(
                f"cannot go on from '{latest}': {reason}; delete it, or give another --model_dir"
            ) from None
        return int(self._step.numpy())

    def save(self, step: int) -> None:
        self._step.assign(step)
        self._latest.save(checkpoint_number=step)

    def save_best(self, step: int) -> None:
        self._step.assign(step)
        self._best.save(checkpoint_number=step)
