"""Latency of TensorFlow's graph, of the same with engine nodes in it, and of the engines alone.

By the method of tools/bench_peers.py: a process a mode, interleaved rounds, the same random images
for all, host latencies of one synchronous inference; sessions are fed the images with every run.

    python tools/bench_integrated.py model.pb --batches 1 2 4 8 16 32 --json results.json
"""

from __future__ import annotations

from bench_peers import arguments, report, run
from peer_modes import INTEGRATED_MODES

NATIVE = "tensorflow-fp32"


def comparison(row: dict, rows: dict[str, dict]) -> str:
    """Of an integrated mode: beside TensorFlow, and beside its engine alone."""
    if not row["mode"].startswith("integrated"):
        return ""
    engine = row["mode"].replace("integrated", "ours")
    parts = []
    if NATIVE in rows:
        parts.append(f"{NATIVE} {rows[NATIVE]['ratios'][row['mode']]:.2f} x this")
    if engine in rows:
        parts.append(f"{row['ratios'][engine]:.3f} x {engine}")
    return ", ".join(parts)


def main() -> None:
    args = arguments(__doc__.splitlines()[0], INTEGRATED_MODES, [1, 2, 4, 8, 16, 32])
    report(args, run(args), comparison)


if __name__ == "__main__":
    main()
