"""What an int8 build needs beside the network: dynamic ranges, and which layers stay in float."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chexnet_trt import _core
from chexnet_trt.network import Network

# The precisions that compute in int8.
QUANTIZED = frozenset({"int8", "mixed"})
_SEED = 1


@dataclass(frozen=True)
class Int8:
    """`ranges`: amax by value name. `high_precision`: names of convolutions and matmuls that keep
    floating point. `calibration`: what the manifest says of the ranges' origin.
    `signed_only`: never uint8, which TensorRT does not have.
    """

    ranges: Mapping[str, float]
    calibration: Mapping[str, Any]
    high_precision: tuple[str, ...] = ()
    signed_only: bool = False

    def keeping(self, layers: Sequence[str]) -> Int8:
        """The same with other layers in high precision."""
        return replace(self, high_precision=tuple(layers))


def from_table(table: _core.CalibrationTable, *, signed_only: bool = False) -> Int8:
    found = table.provenance
    fields: dict[str, Any] = {"random_ranges": False, "foreign_table": found is None}
    if found is not None:
        fields |= {
            "algorithm": found.algorithm,
            "calibrator_version": found.calibrator_version,
            "sample_limit": found.sample_limit,
            "image_count": found.image_count,
            "images_sha256": found.images_sha256,
            "network_sha256": found.network_sha256,
            "preprocessing_sha256": found.preprocessing_sha256,
        }
    return Int8(table.ranges, fields, signed_only=signed_only)


def from_random(network: Network, *, signed_only: bool = False) -> Int8:
    """Ranges drawn at random, the same for the same network: good for timing and nothing else."""
    draw = random.Random(_SEED)
    points = _core.quantization_points(network.optimized)
    return Int8(
        {name: draw.uniform(1.0, 8.0) for name, _, _ in points},
        {"random_ranges": True, "foreign_table": False},
        signed_only=signed_only,
    )


def keep_layers(network: Network, int8: Int8, names: Sequence[str]) -> Int8:
    """`int8` with these layers in high precision. Raises InputError on a name that int8 would not
    compute.
    """
    known = layers(network, int8) if names else []
    for name in names:
        if name not in known:
            few = ", ".join(f"'{layer}'" for layer in known[:3])
            raise _core.InputError(
                f"'{name}' is none of the {len(known)} layers that int8 computes here ({few}, ...)"
            )
    return int8.keeping(names)


def layers(network: Network, int8: Int8) -> list[str]:
    """The convolutions and matmuls that int8 computes when none is kept, in the network's order."""
    graph = _core.quantize(network.optimized, int8.ranges, set())
    return [
        node.name
        for node in graph.nodes
        if node.op in ("conv2d", "matmul") and node.inputs[1].op == "dequantize"
    ]
