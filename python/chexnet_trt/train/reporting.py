"""What a training tells people: lines, progress, TensorBoard."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from chexnet_trt.evaluation.auroc import macro
from chexnet_trt.progress import ProgressLine
from chexnet_trt.train.epoch import Epoch
from chexnet_trt.train.metrics import Metrics
from chexnet_trt.train.summaries import Summaries


class Reporter:
    """`line` is given what is said once; `progress` what changes, as ProgressLine."""

    def __init__(
        self,
        labels: Sequence[str],
        summaries: Summaries,
        line: Callable[[str], None],
        progress: ProgressLine,
    ) -> None:
        self._labels = labels
        self._summaries = summaries
        self._line = line
        self.progress = progress

    def images(self, step: int, pixels: Any) -> None:  # noqa: ANN401 - a tensor
        self._summaries.images(step, pixels)

    def steps(self, step: int, loss: float, learning_rate: float, epoch: Epoch) -> None:
        self._summaries.training(
            step,
            {
                "loss": loss,
                "learning_rate": learning_rate,
                "images_per_second": epoch.images_per_second,
                "share_waiting_for_input": epoch.share_waiting,
            },
        )

    def epoch(self, step: int, epoch: Epoch, epochs: int, seconds_left: float) -> None:
        self.progress.close()
        self._line(
            f"epoch {epoch.number + 1}/{epochs}: step {step}, loss {epoch.loss:.4f}, "
            f"{epoch.images_per_second:.1f} images/s, "
            f"{epoch.share_waiting:.0%} of the time waiting for input"
            + (f", about {_duration(seconds_left)} left" if seconds_left else "")
        )

    def metrics(self, step: int, metrics: Metrics, *, improved: bool) -> None:
        self.progress.close()
        by_class = dict(zip(self._labels, map(float, metrics.auroc), strict=True))
        in_bins = macro(metrics.auroc_200_bins)
        self._summaries.evaluation(
            step,
            {
                "loss": metrics.loss,
                "auroc/macro": metrics.macro,
                "auroc/macro_200_bins": in_bins,
                **{f"auroc/{name}": value for name, value in by_class.items()},
            },
        )
        self._line(
            f"  validation loss {metrics.loss:.4f}, AUROC {metrics.macro:.4f} "
            f"({in_bins:.4f} in 200 bins as tf.metrics.auc)"
            + (", the best so far" if improved else "")
        )
        classes = ", ".join(f"{name} {value:.3f}" for name, value in by_class.items())
        self._line(textwrap.fill(classes, 100, initial_indent="  ", subsequent_indent="  "))


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
