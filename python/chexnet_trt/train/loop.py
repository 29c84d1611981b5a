"""The training loop: epochs of steps, evaluations, checkpoints."""

from __future__ import annotations

import math
import textwrap
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from chexnet_trt._core import BackendError
from chexnet_trt.evaluation.auroc import macro
from chexnet_trt.progress import ProgressLine
from chexnet_trt.train.checkpointing import Checkpoints
from chexnet_trt.train.feed import Feed
from chexnet_trt.train.metrics import Metrics
from chexnet_trt.train.schedule import LearningRate
from chexnet_trt.train.settings import Settings
from chexnet_trt.train.steps import Steps
from chexnet_trt.train.summaries import Summaries

_REPORTED_STEPS = 20  # Between two looks at the loss, each of which waits for the device.


class _Epoch:
    """What the steps of an epoch cost and found."""

    def __init__(self, batches: Iterator[Any]) -> None:
        self._batches = batches
        self._begin = time.perf_counter()
        self._waited = 0.0
        self._recent: list[Any] = []
        self._losses: list[float] = []

    def __iter__(self) -> Iterator[Any]:
        while True:
            begin = time.perf_counter()
            batch = next(self._batches, None)
            self._waited += time.perf_counter() - begin
            if batch is None:
                return
            yield batch

    def add(self, loss: Any) -> None:  # noqa: ANN401 - a tensor
        self._recent.append(loss)

    def recent_loss(self) -> float:
        """The mean since the last look; waits for the device."""
        values = [float(loss) for loss in self._recent]
        self._recent.clear()
        self._losses += values
        return float(np.mean(values))

    @property
    def loss(self) -> float:
        return float(np.mean(self._losses))

    @property
    def steps(self) -> int:
        return len(self._losses) + len(self._recent)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._begin

    @property
    def share_waiting(self) -> float:
        return self._waited / self.seconds


class Trainer:
    """Goes from the step of the latest checkpoint, `step`, to the last of the settings' epochs.

    `report` is given lines for people; `progress` is called as ProgressLine.
    """

    def __init__(
        self,
        settings: Settings,
        labels: tuple[str, ...],
        feed: Feed,
        steps: Steps,
        learning_rate: LearningRate,
        checkpoints: Checkpoints,
        summaries: Summaries,
        report: Callable[[str], None],
        progress: ProgressLine,
        step: int,
    ) -> None:
        self.step = step
        self._settings = settings
        self._labels = labels
        self._feed = feed
        self._steps = steps
        self._learning_rate = learning_rate
        self._checkpoints = checkpoints
        self._state = checkpoints.state
        self._summaries = summaries
        self._report = report
        self._progress = progress
        self._last_step = feed.steps_per_epoch * settings.train_epochs
        self._evaluation_seconds = 0.0

    @property
    def best(self) -> dict[str, Any] | None:
        """The evaluation of the best checkpoint."""
        return self._state.best

    def run(self) -> None:
        """Raises BackendError when the loss is no number any more."""
        while self.step < self._last_step:
            self._train_epoch()
            epoch = self.step // self._feed.steps_per_epoch
            if epoch % self._settings.epochs_per_eval == 0 or self.step == self._last_step:
                self._evaluate()
            self._checkpoints.save(self.step)

    def _train_epoch(self) -> None:
        number, done = divmod(self.step, self._feed.steps_per_epoch)
        end = self.step - done + self._feed.steps_per_epoch
        epoch = _Epoch(self._feed.epoch(number, done))
        for batch in epoch:
            if not epoch.steps:
                self._summaries.images(self.step, self._steps.augmented(batch[0], self.step))
            rate = self._learning_rate.at(self.step)
            epoch.add(self._steps.train(batch, self.step, rate))
            self.step += 1
            if self.step % _REPORTED_STEPS == 0 or self.step == end:
                self._look(epoch, rate)
            self._progress(
                f"epoch {number + 1}",
                self.step - end + self._feed.steps_per_epoch,
                self._feed.steps_per_epoch,
            )
            every = self._settings.checkpoint_steps
            if every and self.step % every == 0 and self.step < end:
                self._checkpoints.save(self.step)
        self._progress.close()
        self._report_epoch(number, epoch)

    def _look(self, epoch: _Epoch, rate: float) -> None:
        loss = epoch.recent_loss()
        if not math.isfinite(loss):
            raise BackendError(
                f"the loss at step {self.step} is {loss}: the training diverged; try a lower "
                f"--learning_rate than {self._settings.learning_rate}"
            )
        images = self._feed.step_size * epoch.steps
        self._summaries.training(
            self.step,
            {
                "loss": loss,
                "learning_rate": rate,
                "images_per_second": images / epoch.seconds,
                "share_waiting_for_input": epoch.share_waiting,
            },
        )

    def _report_epoch(self, number: int, epoch: _Epoch) -> None:
        left = (self._last_step - self.step) * epoch.seconds / epoch.steps
        evaluations = math.ceil(
            (self._settings.train_epochs - number - 1) / self._settings.epochs_per_eval
        )
        left += evaluations * self._evaluation_seconds
        self._report(
            f"epoch {number + 1}/{self._settings.train_epochs}: step {self.step}, "
            f"loss {epoch.loss:.4f}, {self._feed.step_size * epoch.steps / epoch.seconds:.1f} "
            f"images/s, {epoch.share_waiting:.0%} of the time waiting for input"
            + (f", about {_duration(left)} left" if left else "")
        )

    def _evaluate(self) -> None:
        begin = time.perf_counter()
        labels, logits = zip(*map(self._steps.score, self._feed.validation()), strict=True)
        metrics = Metrics.of(np.concatenate(labels), np.concatenate(logits))
        self._learning_rate.update_lr(metrics.loss)
        self._state.schedule = self._learning_rate.state
        best = self._state.best
        improved = best is None or metrics.macro > best["macro_auroc"]
        if improved:
            self._state.best = {"step": self.step, **metrics.to_json(self._labels)}
            self._checkpoints.save_best(self.step)
        self._evaluation_seconds = time.perf_counter() - begin
        self._summarise(metrics)
        self._report_metrics(metrics, improved)

    def _summarise(self, metrics: Metrics) -> None:
        by_class = zip(self._labels, metrics.auroc, strict=True)
        self._summaries.evaluation(
            self.step,
            {
                "loss": metrics.loss,
                "auroc/macro": metrics.macro,
                "auroc/macro_200_bins": macro(metrics.auroc_200_bins),
                **{f"auroc/{name}": value for name, value in by_class},
            },
        )

    def _report_metrics(self, metrics: Metrics, improved: bool) -> None:
        by_class = zip(self._labels, metrics.auroc, strict=True)
        classes = ", ".join(f"{name} {value:.3f}" for name, value in by_class)
        self._report(
            f"  validation loss {metrics.loss:.4f}, AUROC {metrics.macro:.4f} "
            f"({macro(metrics.auroc_200_bins):.4f} in 200 bins as tf.metrics.auc)"
            + (", the best so far" if improved else "")
        )
        self._report(textwrap.fill(classes, 100, initial_indent="  ", subsequent_indent="  "))


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
