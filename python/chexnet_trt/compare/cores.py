"""Which logical CPUs the modes run on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path


def core_of(cpu: int) -> str:
    """The logical CPUs of the physical core that has `cpu`, as Linux lists them; or `cpu` alone."""
    path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    try:
        return path.read_text().strip()
    except OSError:
        return str(cpu)


def choose(allowed: Iterable[int], count: int, core: Callable[[int], str] = core_of) -> set[int]:
    """`count` of the allowed ones, or all: a second one of a physical core comes after all first.

    Two threads on one core share its vector and matrix units.
    """
    taken: Counter[str] = Counter()
    ranked = []
    for cpu in sorted(allowed):
        ranked.append((taken[core(cpu)], cpu))
        taken[core(cpu)] += 1
    return {cpu for _, cpu in sorted(ranked)[:count]}


def physical(cpus: Iterable[int], core: Callable[[int], str] = core_of) -> int:
    """How many physical cores they are of."""
    return len({core(cpu) for cpu in cpus})
