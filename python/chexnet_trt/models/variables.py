"""The variables of a network by name, without building it."""

from __future__ import annotations

from collections.abc import Sequence

from chexnet_trt.models.networks import checked_network

Shape = tuple[int, ...]

BATCH_NORM_PARTS = ("gamma", "beta", "moving_mean", "moving_variance")


def variable_shapes(network: str, num_classes: int) -> dict[str, Shape]:
    """Name -> shape in the order of the layers. Raises InputError for an unknown network."""
    layers = _ChannelLayers()
    checked_network(network, num_classes=num_classes).logits(layers, 3, num_classes)
    return layers.shapes


class _ChannelLayers:
    """Layers over channel counts, which is all that the variables' shapes depend on."""

    def __init__(self) -> None:
        self.shapes: dict[str, Shape] = {}

    def to_data_format(self, name: str, x: int) -> int:
        return x

    def pad(self, name: str, x: int, before: int, after: int) -> int:
        return x

    def conv2d(
        self, name: str, x: int, filters: int, kernel: int, strides: int, padding: str
    ) -> int:
        self.shapes[f"{name}/kernel"] = (kernel, kernel, x, filters)
        return filters

    def batch_norm(self, name: str, x: int, epsilon: float) -> int:
        self.shapes |= {f"{name}/{part}": (x,) for part in BATCH_NORM_PARTS}
        return x

    def relu(self, name: str, x: int) -> int:
        return x

    def max_pool(self, name: str, x: int, size: int, strides: int, padding: str) -> int:
        return x

    def avg_pool(self, name: str, x: int, size: int, strides: int) -> int:
        return x

    def add(self, name: str, a: int, b: int) -> int:
        return a

    def concat(self, name: str, tensors: Sequence[int]) -> int:
        return sum(tensors)

    def identity(self, name: str, x: int) -> int:
        return x

    def spatial_mean(self, name: str, x: int, keep_dims: bool) -> int:
        return x

    def squeeze(self, name: str, x: int) -> int:
        return x

    def dense(self, name: str, x: int, units: int) -> int:
        self.shapes[f"{name}/kernel"] = (x, units)
        self.shapes[f"{name}/bias"] = (units,)
        return units
