"""The networks of chexnet_trt.models in PyTorch: the peers of tools/bench_gpu.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from chexnet_trt import _core
from chexnet_trt.models.networks import NETWORKS
from chexnet_trt.models.variables import variable_shapes


def network_of(graph: _core.Graph) -> str:
    """The network of chexnet_trt.models whose variables a graph has. Raises InputError."""
    for name in NETWORKS:
        shapes = variable_shapes(name, _classes(graph))
        if all(graph.find(variable) is not None for variable in shapes):
            return name
    raise _core.InputError(f"the network is none of {', '.join(NETWORKS)}: it has no peers here")


def torch_network(graph: _core.Graph) -> nn.Module:
    """fp32 on the CPU, with the weights of `graph`: images [batch, 3, height, width] to scores.

    A flat list of operations, which torch.compile takes whole. Raises InputError.
    """
    return fx.symbolic_trace(_TorchLayers(network_of(graph), graph)).eval()


def in_half(network: nn.Module) -> nn.Module:
    """The same in fp16 and channels_last; batch norms keep fp32, which their variances need."""
    for name, value in network.named_buffers():
        if value.ndim > 1 or name.endswith("_bias"):
            setattr(network, name, value.half())
    return network.to(memory_format=torch.channels_last)


def _classes(graph: _core.Graph) -> int:
    _, scores = graph.outputs[0]
    return int(scores.shape[-1])


@dataclass(frozen=True)
class _Padded:
    """A value with so many zeros around it, which the layer behind adds itself."""

    x: Tensor
    pads: int


class _TorchLayers(nn.Module):
    """models.layers.Layers over images in NCHW order, which is only their shape: convolutions run
    in channels_last where their weights and inputs are.
    """

    def __init__(self, network: str, graph: _core.Graph) -> None:
        super().__init__()
        self._logits = NETWORKS[network].logits
        self._class_count = _classes(graph)
        for name, shape in variable_shapes(network, self._class_count).items():
            value = torch.tensor(graph.find(name).value).reshape(shape)
            if value.ndim > 1:  # HWIO to OIHW, IO to OI
                value = value.movedim((-1, -2), (0, 1))
            self.register_buffer(_buffer(name), value.contiguous())

    def forward(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self._logits(self, images, self._class_count))

    def _variable(self, name: str) -> Any:  # noqa: ANN401 - a tensor, or its stand-in
        return getattr(self, _buffer(name))

    def to_data_format(self, name: str, x: Tensor) -> Tensor:
        return x

    def pad(self, name: str, x: Tensor, before: int, after: int) -> _Padded:
        if before != after:
            raise _core.InputError(f"'{name}' pads one side more than the other")
        return _Padded(x, before)

    def conv2d(
        self, name: str, x: Tensor | _Padded, filters: int, kernel: int, strides: int, padding: str
    ) -> Tensor:
        pads = kernel // 2 if padding == "SAME" else 0
        if isinstance(x, _Padded):
            x, pads = x.x, x.pads
        return functional.conv2d(x, self._variable(f"{name}/kernel"), None, strides, pads)

    def batch_norm(self, name: str, x: Tensor, epsilon: float) -> Tensor:
        parts = ("moving_mean", "moving_variance", "gamma", "beta")
        values = (self._variable(f"{name}/{part}") for part in parts)
        return functional.batch_norm(x, *values, eps=epsilon)

    def relu(self, name: str, x: Tensor) -> Tensor:
        return functional.relu(x)

    def max_pool(
        self, name: str, x: Tensor | _Padded, size: int, strides: int, padding: str
    ) -> Tensor:
        """Behind a relu zeros around an image are as good as none. SAME: the odd pixel at the end,
        where the last window may hang over."""
        if isinstance(x, _Padded):
            return functional.max_pool2d(x.x, size, strides, x.pads)
        return functional.max_pool2d(x, size, strides, ceil_mode=padding == "SAME")

    def avg_pool(self, name: str, x: Tensor, size: int, strides: int) -> Tensor:
        return functional.avg_pool2d(x, size, strides)

    def add(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        return a + b

    def concat(self, name: str, tensors: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(tensors), 1)

    def identity(self, name: str, x: Tensor) -> Tensor:
        return x

    def spatial_mean(self, name: str, x: Tensor, keep_dims: bool) -> Tensor:
        return x.mean((2, 3), keepdim=keep_dims)

    def squeeze(self, name: str, x: Tensor) -> Tensor:
        return x.flatten(1)

    def dense(self, name: str, x: Tensor, units: int) -> Tensor:
        return functional.linear(
            x, self._variable(f"{name}/kernel"), self._variable(f"{name}/bias")
        )


def _buffer(variable: str) -> str:
    return variable.replace("/", "_")
