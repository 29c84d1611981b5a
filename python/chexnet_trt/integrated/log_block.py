"""The block of log.txt, as the whitepaper's script wrote it.

Format and formulas of tensorflow/models, research/tensorrt/tensorrt.py, `log_stats`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LOG_FILE = "log.txt"
LEAST_STEPS = 2  # An uncertainty needs two.

_BLOCK = """
==========================
network: {network},\t batchsize {batch_size}, steps {steps}
  fps \tmedian: {fps.median:.1f}, \tmean: {fps.mean:.1f}, \tuncertainty: {fps.uncertainty:.1f}, \
\tjitter: {fps.jitter:.1f}
  latency \tmedian: {latency.median:.5f}, \tmean: {latency.mean:.5f}, \t99th_p: {latency.p99:.5f}, \
\t99th_uncertainty: {latency.p99_uncertainty:.5f}
"""


@dataclass(frozen=True)
class Throughput:
    """Images a second. uncertainty: the standard error of the mean. jitter: 1.4826 times the median
    absolute deviation, which is the standard deviation of normal noise."""

    median: float
    mean: float
    uncertainty: float
    jitter: float


@dataclass(frozen=True)
class Latency:
    """Seconds a batch. p99_uncertainty: how far the 99th percentiles of the even and of the odd
    steps are apart."""

    median: float
    mean: float
    p99: float
    p99_uncertainty: float


def throughput(seconds: Sequence[float], batch_size: int) -> Throughput:
    fps = batch_size / np.asarray(seconds)
    return Throughput(
        median=float(np.median(fps)),
        mean=float(np.mean(fps)),
        uncertainty=float(np.std(fps, ddof=1) / np.sqrt(len(fps))),
        jitter=float(1.4826 * np.median(np.abs(fps - np.median(fps)))),
    )


def latency(seconds: Sequence[float]) -> Latency:
    even, odd = np.percentile(seconds[0::2], 99), np.percentile(seconds[1::2], 99)
    return Latency(
        median=float(np.median(seconds)),
        mean=float(np.mean(seconds)),
        p99=float(np.percentile(seconds, 99)),
        p99_uncertainty=float(np.abs(even - odd)),
    )


def log_block(network: str, batch_size: int, seconds: Sequence[float]) -> str:
    """network: the name of the graph's file. seconds: of at least LEAST_STEPS batches."""
    return _BLOCK.format(
        network=network,
        batch_size=batch_size,
        steps=len(seconds),
        fps=throughput(seconds, batch_size),
        latency=latency(seconds),
    )
