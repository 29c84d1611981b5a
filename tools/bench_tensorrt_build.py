"""Build time and plan size of TensorRT engines: every precision, static and dynamic batch.

    python tools/bench_tensorrt_build.py chexnet.uff --uffInput input_tensor,3,256,256 \\
        --output chexnet_sigmoid_tensor --max-batch 8 --repeat 3

Nothing is run, and no GPU is needed with tensorrt_rtx. The int8 ranges are random: they decide
scales, which plan sizes hardly depend on. The table is Markdown; seconds are the median of the
repetitions, each a whole build, from the optimised graph on.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from chexnet_trt import _core, machine
from chexnet_trt import int8 as quantization
from chexnet_trt.backends import TENSORRT_PRECISIONS
from chexnet_trt.inputs import parse_outputs, parse_uff_inputs
from chexnet_trt.int8 import QUANTIZED
from chexnet_trt.network import Network, read
from chexnet_trt.tensorrt import adapter
from chexnet_trt.tensorrt.options import Options
from chexnet_trt.tensorrt.plan_builder import build_plan


@dataclass(frozen=True)
class Row:
    precision: str
    static: bool
    seconds: float
    plan_bytes: int


def graph_for(network: Network, precision: str) -> _core.Graph:
    if precision not in QUANTIZED:
        return network.optimized
    ranges = quantization.from_random(network).ranges
    return _core.quantize(network.optimized, ranges, set(), signed_only=True)


def measure(network: Network, precision: str, max_batch: int, options: Options, repeat: int) -> Row:
    api = adapter.load(options.module)
    graph = graph_for(network, precision)
    times = []
    for _ in range(repeat):
        begin = time.perf_counter()
        plan = build_plan(
            api,
            graph,
            precision=precision,
            batches=options.batches(max_batch),
            options=options,
        )
        times.append(time.perf_counter() - begin)
    return Row(precision, options.static, statistics.median(times), plan.nbytes)


def print_table(path: str, rows: list[Row]) -> None:
    reference = {row.static: row.plan_bytes for row in rows if row.precision == "fp32"}
    print(f"\n{Path(path).name}\n")
    print("| precision | batch | build, s | plan, MB | of fp32's |")
    print("| --- | --- | ---: | ---: | ---: |")
    for row in rows:
        batch = "static" if row.static else "dynamic"
        share = row.plan_bytes / reference[row.static]
        print(
            f"| {row.precision} | {batch} | {row.seconds:.2f} | {row.plan_bytes / 1e6:.2f} |"
            f" {share:.3f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="FILE", help=".uff or frozen .pb")
    parser.add_argument("--uffInput", action="append", default=[], metavar="NAME,C,H,W")
    parser.add_argument("--output", action="append", default=[], metavar="NAME")
    parser.add_argument("--max-batch", type=int, default=8)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--tensorrt", choices=adapter.MODULES)
    args = parser.parse_args()
    cpu, cores = machine.describe()["cpu"], machine.describe()["cores"]
    print(f"{adapter.load(args.tensorrt)}, {cpu}, {cores} cores, batch up to {args.max_batch}")
    for path in args.models:
        network = read(
            path, inputs=parse_uff_inputs(args.uffInput), outputs=parse_outputs(args.output)
        )
        rows = [
            measure(
                network,
                precision,
                args.max_batch,
                Options(module=args.tensorrt, static=static),
                args.repeat,
            )
            for static in (True, False)
            for precision in TENSORRT_PRECISIONS
        ]
        print_table(path, rows)


if __name__ == "__main__":
    main()
