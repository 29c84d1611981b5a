"""What trtexec prints and writes: averages, summary, profile, JSON files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chexnet_trt import _core

# trtexec prints that many of the averages at each end.
_SHOWN_AVERAGES = 200


def average_lines(averages: Sequence[_core.Average]) -> Iterator[str]:
    """TensorRT 5's line for each average, the middle of a long run left out."""
    for index, average in enumerate(averages):
        if index == _SHOWN_AVERAGES and len(averages) > 2 * _SHOWN_AVERAGES:
            yield f"... {len(averages) - 2 * _SHOWN_AVERAGES} more ..."
        if _SHOWN_AVERAGES <= index < len(averages) - _SHOWN_AVERAGES:
            continue
        yield (
            f"Average over {average.runs} runs is {average.compute_ms:.6g} ms"
            f" (host walltime is {average.host_ms:.6g} ms,"
            f" 99% percentile time is {average.percentile_ms:.6g})."
        )


def summary_lines(summary: _core.Summary) -> Iterator[str]:
    """The block of today's trtexec; transfers only where there are any."""
    yield "=== Performance summary ==="
    yield f"Throughput: {summary.throughput_qps:.6g} qps ({summary.images_per_second:.6g} images/s)"
    yield f"Latency: {_statistics_text(summary.latency)}"
    yield f"Enqueue Time: {_statistics_text(summary.enqueue)}"
    if summary.h2d.max or summary.d2h.max:
        yield f"H2D Latency: {_statistics_text(summary.h2d)}"
    yield f"Compute Time: {_statistics_text(summary.compute)}"
    if summary.h2d.max or summary.d2h.max:
        yield f"D2H Latency: {_statistics_text(summary.d2h)}"
    yield f"Total Host Walltime: {summary.walltime_ms / 1e3:.6g} s"
    yield f"Total Compute Time: {summary.total_compute_ms / 1e3:.6g} s"
    for warning in summary.warnings:
        yield f"Warning: {warning}"
    yield (
        "Latency is host time of one query, from enqueue to result in memory; decoding and"
        " preprocessing of images are not in it."
    )
    if summary.h2d.max or summary.d2h.max:
        yield "Compute Time and the latencies of transfers are the device's, by its own events."


def summary_json(summary: _core.Summary) -> dict[str, Any]:
    """The same numbers; milliseconds but for the rates."""
    return {
        "queries": summary.queries,
        "batch": summary.batch,
        "throughput_qps": summary.throughput_qps,
        "images_per_second": summary.images_per_second,
        "latency_ms": _statistics_json(summary.latency),
        "enqueue_ms": _statistics_json(summary.enqueue),
        "compute_ms": _statistics_json(summary.compute),
        "h2d_ms": _statistics_json(summary.h2d),
        "d2h_ms": _statistics_json(summary.d2h),
        "host_walltime_ms": summary.walltime_ms,
        "total_compute_ms": summary.total_compute_ms,
        "warnings": list(summary.warnings),
    }


def profile_lines(profile: Sequence[_core.LayerProfile]) -> Iterator[str]:
    """trtexec's table of layers."""
    yield f"{'Time(ms)':>10} {'Avg.(ms)':>10} {'Median(ms)':>11} {'Time(%)':>8}   Layer"
    for layer in profile:
        yield (
            f"{layer.total_ms:>10.2f} {layer.average_ms:>10.4f} {layer.median_ms:>11.4f}"
            f" {layer.percentage:>8.1f}   {layer.name}"
        )
    total = sum(layer.total_ms for layer in profile)
    average = sum(layer.average_ms for layer in profile)
    yield f"{total:>10.2f} {average:>10.4f} {'':>11} {100.0:>8.1f}   Total"


def layer_lines(layers: Iterable[_core.LayerInfo]) -> Iterator[str]:
    """Name, type, precision and kernel of each layer that the backend runs."""
    for layer in layers:
        yield f"{layer.name}: {layer.type}, {layer.precision}, {layer.kernel}"


def layers_json(layers: Iterable[_core.LayerInfo]) -> list[dict[str, str]]:
    """The same for machines."""
    return [
        {"name": x.name, "type": x.type, "precision": x.precision, "kernel": x.kernel}
        for x in layers
    ]


def profile_json(profile: Sequence[_core.LayerProfile], count: int) -> list[dict[str, Any]]:
    """trtexec's exportProfile."""
    rows: list[dict[str, Any]] = [{"count": count}]
    for layer in profile:
        rows.append(
            {
                "name": layer.name,
                "timeMs": layer.total_ms,
                "averageMs": layer.average_ms,
                "medianMs": layer.median_ms,
                "percentage": layer.percentage,
            }
        )
    return rows


def times_json(traces: Sequence[_core.Trace]) -> list[dict[str, float]]:
    """trtexec's exportTimes; transfers take no time on a CPU."""
    return [
        {
            "startEnqMs": trace.start_enqueue,
            "endEnqMs": trace.end_enqueue,
            "startH2dMs": trace.start_compute - trace.h2d_ms,
            "endH2dMs": trace.start_compute,
            "startComputeMs": trace.start_compute,
            "endComputeMs": trace.end_compute,
            "startD2hMs": trace.end_compute,
            "endD2hMs": trace.end_compute + trace.d2h_ms,
            "h2dMs": trace.h2d_ms,
            "computeMs": trace.compute_ms,
            "d2hMs": trace.d2h_ms,
            "latencyMs": trace.latency_ms,
        }
        for trace in traces
    ]


def outputs_json(outputs: dict[str, np.ndarray[Any, Any]]) -> list[dict[str, Any]]:
    """trtexec's exportOutput."""
    return [
        {
            "name": name,
            "dimensions": "x".join(str(extent) for extent in values.shape),
            "values": values.ravel().tolist(),
        }
        for name, values in outputs.items()
    ]


def write_json(path: str, value: object) -> None:
    """Writes the file whole or not at all. Raises InputError."""
    _core.write_file(path, (json.dumps(value, indent=1) + "\n").encode())


def raw_input(path: str, byte_count: int) -> bytes:
    """The bytes of a --loadInputs file. Raises InputError unless there are `byte_count`."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise _core.InputError(f"cannot read '{path}': {error.strerror}") from None
    if len(data) != byte_count:
        raise _core.InputError(f"'{path}' has {len(data)} bytes, the input needs {byte_count}")
    return data


def _statistics_text(statistics: _core.Statistics) -> str:
    parts = [
        f"min = {statistics.min:.6g} ms",
        f"max = {statistics.max:.6g} ms",
        f"mean = {statistics.mean:.6g} ms",
        f"median = {statistics.median:.6g} ms",
    ]
    parts += [f"percentile({p:g}%) = {value:.6g} ms" for p, value in statistics.percentiles]
    return ", ".join(parts)


def _statistics_json(statistics: _core.Statistics) -> dict[str, Any]:
    return {
        "min": statistics.min,
        "max": statistics.max,
        "mean": statistics.mean,
        "median": statistics.median,
        "percentiles": {f"{p:g}": value for p, value in statistics.percentiles},
        "coefficient_of_variation_percent": statistics.coefficient_of_variation,
    }
