"""Time and memory of importing a .uff: the median of fresh parses, and anonymous memory gained.

python tools/bench_import.py chexnet.uff --uffInput input_tensor,3,256,256
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from chexnet_trt import _core
from chexnet_trt.inputs import parse_uff_inputs


def resident_mib(kind: str) -> float:
    """RssAnon (heap) or RssFile (mapped files) of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(kind):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {kind} in /proc/self/status")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--uffInput", action="append", required=True, metavar="NAME,C,H,W")
    parser.add_argument("--repeat", type=int, default=20)
    args = parser.parse_args()
    uff = _core.uff.UffParser()
    for name, size in parse_uff_inputs(args.uffInput).items():
        uff.register_input(name, list(size))

    before = {kind: resident_mib(kind) for kind in ("RssAnon", "RssFile")}
    begin = time.perf_counter()
    graph = uff.parse(args.file)
    first = (time.perf_counter() - begin) * 1e3
    gained = {kind: resident_mib(kind) - value for kind, value in before.items()}
    times = []
    for _ in range(args.repeat):
        begin = time.perf_counter()
        uff.parse(args.file)
        times.append((time.perf_counter() - begin) * 1e3)
    size = Path(args.file).stat().st_size / 2**20
    print(f"{args.file}: {size:.1f} MiB, {len(graph)} nodes")
    median = statistics.median(times)
    print(f"first import {first:.2f} ms, median of {args.repeat} more {median:.2f} ms")
    print(
        f"resident memory gained: {gained['RssAnon']:.2f} MiB anonymous,"
        f" {gained['RssFile']:.2f} MiB of the mapped file"
    )


if __name__ == "__main__":
    main()
