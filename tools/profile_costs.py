"""Where an engine's time goes: its layers by kind and kernel, the dearest kinds first.

The input is random, and so the ranges of an int8 engine that was built with random ones.

    python tools/profile_costs.py chexnet.engine --batch 1 --top 3
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import chexnet_trt as ct
from chexnet_trt import _core


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine", help="engine file")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--top", type=int, default=3, help="kinds to print (default 3)")
    parser.add_argument("--threads", type=int, help="default: as the engine was built")
    args = parser.parse_args()
    engine = ct.load(args.engine, threads=args.threads, profiling=True)
    kind_of = {
        layer.name: (layer.type, layer.precision, layer.kernel)
        for layer in engine.layers(args.batch)
    }
    kinds = defaultdict(list)
    for layer in _core.profile_layers(engine.core, batch=args.batch, iterations=args.runs):
        kinds[kind_of.get(layer.name, ("", "", ""))].append(layer)
    total = sum(layer.median_ms for layers in kinds.values() for layer in layers)
    dearest = sorted(kinds.items(), key=lambda kind: -_milliseconds(kind[1]))
    print(f"{engine.precision}, {engine.device}, batch {args.batch}: {total:.2f} ms in layers")
    print(f"{'ms':>8}{'share':>8}{'layers':>8}  kind, precision, kernel; its slowest layer")
    for (kind, precision, kernel), layers in dearest[: args.top]:
        spent = _milliseconds(layers)
        slowest = max(layers, key=lambda layer: layer.median_ms)
        print(
            f"{spent:>8.3f}{spent / total:>8.1%}{len(layers):>8}  {kind}, {precision}, {kernel}; "
            f"{slowest.name} {slowest.median_ms:.3f} ms"
        )


def _milliseconds(layers: list[_core.LayerProfile]) -> float:
    return sum(layer.median_ms for layer in layers)


if __name__ == "__main__":
    main()
