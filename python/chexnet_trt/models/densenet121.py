"""DenseNet-121 as keras.applications defines it, under its layer and variable names.

Huang et al., Densely Connected Convolutional Networks, arXiv:1608.06993; the network of CheXNet.
"""

from __future__ import annotations

from chexnet_trt.models.layers import Layers, T

NAME = "densenet121"
BLOCKS = (6, 12, 24, 16)
GROWTH = 32
EPSILON = 1.001e-5
PREPROCESSING = "torch"
MOMENTUM = 0.99
INITIALIZER = "glorot_uniform"


def logits(layers: Layers[T], images: T, num_classes: int) -> T:
    """Scores before the sigmoid, [batch, num_classes], of NHWC RGB images."""
    x = layers.to_data_format("transpose", images)
    x = layers.pad("zero_padding2d/Pad", x, 3, 3)
    x = layers.conv2d("conv1/conv", x, 2 * GROWTH, 7, 2, "VALID")
    x = _batch_norm_relu(layers, x, "conv1/bn", "conv1/relu")
    x = layers.pad("zero_padding2d_1/Pad", x, 1, 1)
    x = layers.max_pool("pool1/MaxPool", x, 3, 2, "VALID")
    channels = 2 * GROWTH
    for stage, blocks in enumerate(BLOCKS, start=2):
        for block in range(1, blocks + 1):
            x = _dense_block(layers, x, f"conv{stage}_block{block}")
        channels += GROWTH * blocks
        if stage <= len(BLOCKS):
            channels //= 2
            x = _transition(layers, x, f"pool{stage}", channels)
    x = _batch_norm_relu(layers, x, "bn", "relu")
    x = layers.spatial_mean("avg_pool/Mean", x, keep_dims=False)
    return layers.dense("predictions", x, num_classes)


def _dense_block(layers: Layers[T], x: T, name: str) -> T:
    y = _batch_norm_relu(layers, x, f"{name}_0_bn", f"{name}_0_relu")
    y = layers.conv2d(f"{name}_1_conv", y, 4 * GROWTH, 1, 1, "VALID")
    y = _batch_norm_relu(layers, y, f"{name}_1_bn", f"{name}_1_relu")
    y = layers.conv2d(f"{name}_2_conv", y, GROWTH, 3, 1, "SAME")
    return layers.concat(f"{name}_concat/concat", [x, y])


def _transition(layers: Layers[T], x: T, name: str, channels: int) -> T:
    x = _batch_norm_relu(layers, x, f"{name}_bn", f"{name}_relu")
    x = layers.conv2d(f"{name}_conv", x, channels, 1, 1, "VALID")
    return layers.avg_pool(f"{name}_pool/AvgPool", x, 2, 2)


def _batch_norm_relu(layers: Layers[T], x: T, batch_norm: str, relu: str) -> T:
    return layers.relu(f"{relu}/Relu", layers.batch_norm(batch_norm, x, EPSILON))
