"""ResNet-50 v2 as TensorFlow's official model garden defines it (official/resnet, release 1.13).

He et al., Identity Mappings in Deep Residual Networks, arXiv:1603.05027. Node and variable names
are those of its frozen graph, so its checkpoints fit by name.
"""

from __future__ import annotations

from collections import Counter

from chexnet_trt.models.layers import Layers, T

NAME = "resnet50_v2"
SCOPE = "resnet_model"
BLOCKS = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # filters, blocks, stride
# The source says 1e-5; TensorFlow 1's fused_batch_norm raises it to what cuDNN accepts.
EPSILON = 1.001e-5
PREPROCESSING = "imagenet-tf"
MOMENTUM = 0.997
INITIALIZER = "variance_scaling"


class _Names:
    """TensorFlow's automatic names in one scope: conv2d, conv2d_1, conv2d_2, ..."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def __call__(self, base: str) -> str:
        count = self._used[base]
        self._used[base] += 1
        return f"{SCOPE}/{base}_{count}" if count else f"{SCOPE}/{base}"


def logits(layers: Layers[T], images: T, num_classes: int) -> T:
    """Scores before the sigmoid, [batch, num_classes], of NHWC RGB images."""
    names = _Names()
    x = layers.to_data_format(f"{SCOPE}/transpose", images)
    x = _conv(layers, names, x, 64, kernel=7, strides=2)
    x = layers.identity(f"{SCOPE}/initial_conv", x)
    x = layers.max_pool(f"{SCOPE}/max_pooling2d/MaxPool", x, 3, 2, "SAME")
    x = layers.identity(f"{SCOPE}/initial_max_pool", x)
    for index, (filters, blocks, strides) in enumerate(BLOCKS, start=1):
        x = _bottleneck(layers, names, x, filters, strides, project=True)
        for _ in range(1, blocks):
            x = _bottleneck(layers, names, x, filters, 1, project=False)
        x = layers.identity(f"{SCOPE}/block_layer{index}", x)
    x = _batch_norm_relu(layers, names, x)
    x = layers.spatial_mean(f"{SCOPE}/Mean", x, keep_dims=True)
    x = layers.identity(f"{SCOPE}/final_reduce_mean", x)
    x = layers.squeeze(f"{SCOPE}/Squeeze", x)
    x = layers.dense(f"{SCOPE}/dense", x, num_classes)
    return layers.identity(f"{SCOPE}/final_dense", x)


def _bottleneck(
    layers: Layers[T], names: _Names, x: T, filters: int, strides: int, project: bool
) -> T:
    shortcut = x
    x = _batch_norm_relu(layers, names, x)
    if project:
        shortcut = _conv(layers, names, x, 4 * filters, kernel=1, strides=strides)
    x = _conv(layers, names, x, filters, kernel=1, strides=1)
    x = _batch_norm_relu(layers, names, x)
    x = _conv(layers, names, x, filters, kernel=3, strides=strides)
    x = _batch_norm_relu(layers, names, x)
    x = _conv(layers, names, x, 4 * filters, kernel=1, strides=1)
    return layers.add(names("add"), x, shortcut)


def _batch_norm_relu(layers: Layers[T], names: _Names, x: T) -> T:
    x = layers.batch_norm(names("batch_normalization"), x, EPSILON)
    return layers.relu(names("Relu"), x)


def _conv(layers: Layers[T], names: _Names, x: T, filters: int, *, kernel: int, strides: int) -> T:
    """A strided convolution pads by its kernel alone; a strided 1x1 one gets a Pad of zeros."""
    if strides > 1:
        total = kernel - 1
        x = layers.pad(names("Pad"), x, total // 2, total - total // 2)
    padding = "VALID" if strides > 1 else "SAME"
    return layers.conv2d(names("conv2d"), x, filters, kernel, strides, padding)
