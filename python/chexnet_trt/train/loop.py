"""The training loop: epochs of steps, evaluations, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from chexnet_trt._core import BackendError
from chexnet_trt.train.checkpointing import Checkpoints
from chexnet_trt.train.epoch import Epoch
from chexnet_trt.train.feed import Feed
from chexnet_trt.train.metrics import Metrics
from chexnet_trt.train.reporting import Reporter
from chexnet_trt.train.schedule import LearningRate
from chexnet_trt.train.settings import Settings
from chexnet_trt.train.steps import Steps

_REPORTED_STEPS = 20  # Between two looks at the loss, each of which waits for the device.


class Trainer:
    """Goes from the step of the latest checkpoint, `step`, to the last of the settings' epochs.

    `record` is given the step and the best evaluation so far, first at once and then as often as
    an epoch is saved.
    """

    def __init__(
        self,
        settings: Settings,
        labels: tuple[str, ...],
        feed: Feed,
        steps: Steps,
        learning_rate: LearningRate,
        checkpoints: Checkpoints,
        reporter: Reporter,
        record: Callable[[int, dict[str, Any] | None], None],
        step: int,
    ) -> None:
        self.step = step
        self._record = record
        self._settings = settings
        self._labels = labels
        self._feed = feed
        self._steps = steps
        self._learning_rate = learning_rate
        self._checkpoints = checkpoints
        self._state = checkpoints.state
        self._reporter = reporter
        self._last_step = feed.steps_per_epoch * settings.train_epochs
        self._evaluation_seconds = 0.0

    @property
    def best(self) -> dict[str, Any] | None:
        """The evaluation of the best checkpoint."""
        return self._state.best

    def run(self) -> None:
        """Raises BackendError when the loss is no number any more."""
        self._record(self.step, self.best)
        while self.step < self._last_step:
            self._train_epoch()
            epoch = self.step // self._feed.steps_per_epoch
            if epoch % self._settings.epochs_per_eval == 0 or self.step == self._last_step:
                self._evaluate()
            self._checkpoints.save(self.step)
            self._record(self.step, self.best)

    def _train_epoch(self) -> None:
        """The rest of the epoch that `step` is in."""
        length = self._feed.steps_per_epoch
        number, begin = divmod(self.step, length)
        epoch = Epoch(number, self._feed.epoch(number, begin), self._feed.step_size)
        self._reporter.progress(f"epoch {number + 1}", begin, length)
        for done, batch in enumerate(epoch, start=begin + 1):
            if not epoch.steps:
                self._reporter.images(self.step, self._steps.augmented(batch[0], self.step))
            rate = self._learning_rate.at(self.step)
            epoch.add(self._steps.train(batch, self.step, rate))
            self.step += 1
            self._reporter.progress(f"epoch {number + 1}", done, length)
            saves = done < length and self._is_saved(self.step)
            if saves or done == length or self.step % _REPORTED_STEPS == 0:
                self._look(epoch, rate)
            if saves:
                self._checkpoints.save(self.step)
        self._reporter.epoch(
            self.step, epoch, self._settings.train_epochs, self._seconds_left(epoch)
        )

    def _is_saved(self, step: int) -> bool:
        """Within an epoch; at its end it is saved after the evaluation."""
        every = self._settings.checkpoint_steps
        return every > 0 and step % every == 0

    def _look(self, epoch: Epoch, learning_rate: float) -> None:
        loss = epoch.recent_loss()
        self._check_finite("loss", loss)
        self._reporter.steps(self.step, loss, learning_rate, epoch)

    def _check_finite(self, what: str, loss: float) -> None:
        if not math.isfinite(loss):
            raise BackendError(
                f"the {what} at step {self.step} is {loss}: the training diverged; begin anew in "
                "another --model_dir with a lower --learning_rate than "
                f"{self._settings.learning_rate}"
            )

    def _seconds_left(self, epoch: Epoch) -> float:
        epochs = self._settings.train_epochs - epoch.number - 1
        evaluations = math.ceil(epochs / self._settings.epochs_per_eval)
        steps = self._last_step - self.step
        return steps * epoch.seconds_a_step + evaluations * self._evaluation_seconds

    def _evaluate(self) -> None:
        begin = time.perf_counter()
        metrics = self._validate()
        self._check_finite("validation loss", metrics.loss)
        self._learning_rate.update_lr(metrics.loss)
        self._state.schedule = self._learning_rate.state
        best = self._state.best
        improved = best is None or metrics.macro > best["macro_auroc"]
        if improved:
            self._state.best = {"step": self.step, **metrics.to_json(self._labels)}
            self._checkpoints.save_best(self.step)
        self._evaluation_seconds = time.perf_counter() - begin
        self._reporter.metrics(self.step, metrics, improved=improved)

    def _validate(self) -> Metrics:
        labels, logits = [], []
        self._reporter.progress("validating", 0, self._feed.validation_steps)
        for done, batch in enumerate(self._feed.validation(), start=1):
            truth, found = self._steps.score(batch)
            labels.append(truth)
            logits.append(found)
            self._reporter.progress("validating", done, self._feed.validation_steps)
        return Metrics.of(np.concatenate(labels), np.concatenate(logits))
