"""Where a comparison ran: processor, GPU, versions, and how busy the machine was meanwhile."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chexnet_trt import machine
from chexnet_trt.compare.cores import physical

PACKAGES = (
    "chexnet_trt",
    "openvino",
    "numpy",
    "tensorflow",
    "tensorflow-cpu",
    "onnxruntime",
    "onnxruntime-gpu",
    "tf2onnx",
    "nncf",
    "tensorrt",
    "tensorrt_rtx",
    "tensorrt_rtx_cu13",
)
_GPU_FIELDS = ("name", "driver_version", "memory.total", "power.limit", "clocks.max.sm")
_TICKS = os.sysconf("SC_CLK_TCK")


def describe(cores: Collection[int], threads: int) -> dict[str, Any]:
    """JSON-ready facts; None for what this machine does not tell."""
    versions = {name: machine.version(name) for name in PACKAGES}
    return {
        **machine.describe(),
        "os": _system(),
        "packages": {name: version for name, version in versions.items() if version},
        "pinned_to": sorted(cores),
        "physical_cores": physical(cores),
        "threads": threads,
        "governor": _governor(min(cores)),
        "gpus": _gpus(),
    }


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _governor(core: int) -> str | None:
    path = Path(f"/sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor")
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _gpus() -> list[dict[str, str]]:
    query = ["nvidia-smi", f"--query-gpu={','.join(_GPU_FIELDS)}", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    rows = (line.split(", ") for line in done.stdout.splitlines())
    return [dict(zip(_GPU_FIELDS, row, strict=False)) for row in rows]


@dataclass(frozen=True)
class _Clock:
    """Seconds of processor time until now: of the cores, and of that of one's own processes."""

    total: float
    busy: float
    steal: float
    own: float


class LoadMeter:
    """What else ran on the cores between two moments."""

    def __init__(self, cores: Collection[int], processes: Iterable[int]) -> None:
        self._cores = {f"cpu{core}" for core in cores}
        self._processes = list(processes)
        self._begin = self._clock()

    def read(self) -> dict[str, float | None]:
        """Shares of the cores' time that other processes and that other guests of the host took."""
        end = self._clock()
        total = end.total - self._begin.total
        if total <= 0:
            return {"others": None, "stolen": None, "load_average": os.getloadavg()[0]}
        others = end.busy - self._begin.busy - (end.own - self._begin.own)
        return {
            "others": round(max(others, 0.0) / total, 4),
            "stolen": round((end.steal - self._begin.steal) / total, 4),
            "load_average": os.getloadavg()[0],
        }

    def _clock(self) -> _Clock:
        total = busy = steal = 0.0
        for line in _lines(Path("/proc/stat")):
            name, *fields = line.split()
            if name in self._cores:
                user, nice, system, idle, iowait, irq, softirq, stolen = map(int, fields[:8])
                working = user + nice + system + irq + softirq
                total += working + idle + iowait + stolen
                busy += working
                steal += stolen
        own = sum(_ticks(process) for process in (*self._processes, os.getpid()))
        return _Clock(total / _TICKS, busy / _TICKS, steal / _TICKS, own / _TICKS)


def _ticks(process: int) -> int:
    """User and system time; none of a process that has ended."""
    lines = _lines(Path(f"/proc/{process}/stat"))
    if not lines:
        return 0
    fields = lines[0].rpartition(")")[2].split()  # The name before it may hold anything.
    return int(fields[11]) + int(fields[12])


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
