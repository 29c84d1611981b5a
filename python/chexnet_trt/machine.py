"""What this machine is: processor, instruction sets, memory, package versions."""

from __future__ import annotations

import importlib.metadata
import math
import os
import platform
from collections.abc import Mapping
from pathlib import Path

# Instruction sets that decide which kernels run, as /proc/cpuinfo names them, slowest first.
INSTRUCTION_SETS = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_bf16",
    "amx_int8",
)


# Of the control group that a container sees as the whole machine: version 2, version 1. In bytes.
MEMORY_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def describe() -> dict[str, object]:
    """JSON-ready facts: cpu, isa, cores, memory_gib, os, python, packages."""
    fields = _cpuinfo()
    flags = fields.get("flags", "").split()
    return {
        "cpu": cpu_name(fields),
        "isa": [name for name in INSTRUCTION_SETS if name in flags],
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory_bytes() / 2**30, 1),
        "os": platform.platform(),
        "python": platform.python_version(),
        "packages": {
            name: version(name) for name in ("chexnet_trt", "openvino", "numpy", "pillow")
        },
    }


def memory_bytes() -> int:
    """The physical memory, or a container's limit below it."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(min(physical, *map(_limit, MEMORY_LIMITS)))


def _limit(path: Path) -> float:
    """Infinite for a file that is not there or says `max`."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return math.inf


def version(package: str) -> str | None:
    """The installed version, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def cpu_name(fields: Mapping[str, str]) -> str:
    """Of the fields of /proc/cpuinfo. Virtual machines name CPUs of several generations alike,
    which family and model tell apart."""
    name = fields.get("model name", platform.processor() or platform.machine())
    if not {"cpu family", "model"} <= fields.keys():
        return name
    return f"{name} (family {fields['cpu family']}, model {fields['model']})"


def _cpuinfo() -> dict[str, str]:
    """/proc/cpuinfo of the first CPU; empty where there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}
