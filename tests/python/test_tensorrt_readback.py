"""The reader of TensorRT networks against NVIDIA's worked examples, and by itself: a lowering that
it is to judge takes no part here.

The examples are those of https://docs.nvidia.com/deeplearning/tensorrt/latest/_static/operators/.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tensorrt_networks import needs_rtx, run
from tensorrt_readback import read_back

pytestmark = needs_rtx

Build = Callable[[Any, Any, Any], Any]


def value_of(build: Build, x: np.ndarray, batch: int = 1, shape: Any = None) -> np.ndarray:
    """The output of `build(trt, network, input)`, a layer or a tensor, for `x`."""
    import tensorrt_rtx as trt

    builder = trt.Builder(trt.Logger(trt.Logger.ERROR))
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    types = {"float32": trt.float32, "int32": trt.int32}
    layer = build(trt, network, network.add_input("x", types[x.dtype.name], shape or x.shape))
    output = layer if isinstance(layer, trt.ITensor) else layer.get_output(0)
    output.name = "y"
    network.mark_output(output)
    return run(read_back(trt, network, batch), {"x": x})["y"]


def test_lrn() -> None:
    x = np.zeros((1, 5, 2, 2), np.float32) + np.arange(5, dtype=np.float32).reshape(1, 5, 1, 1)
    found = value_of(lambda trt, net, t: net.add_lrn(t, window=3, alpha=1, beta=1, k=0.1), x)
    expected = [0, 0.56603765, 0.4195804, 0.3071672, 0.47430828]
    np.testing.assert_allclose(found[0, :, 0, 1], expected, rtol=1e-6)


def test_quantize_and_dequantize() -> None:
    x = np.float32([[[[0.56, 0.89, 1.4], [-0.56, 0.39, 6.0], [0.67, 0.11, -3.6]]]])

    def build(trt: Any, net: Any, tensor: Any) -> Any:
        scale = net.add_constant((), np.full((), 1 / 127, np.float32)).get_output(0)
        quantized = net.add_quantize(tensor, scale, trt.int8).get_output(0)
        return net.add_dequantize(quantized, scale, trt.float32)

    expected = [[0.56, 0.89, 1], [-0.56, 0.39, 1], [0.67, 0.11, -1]]
    # -3.6 saturates at -128, an int8 more than the example shows.
    np.testing.assert_allclose(value_of(build, x)[0, 0], expected, atol=0.51 / 127 + 1 / 127)


@pytest.mark.parametrize(
    ("scales", "mistake"),
    [([0.5] * 3, None), ([0.5, 0.5, 0.25], "different scales"), ([0.5] * 2, "2 scales for axis 2")],
)
def test_activations_have_one_scale(scales: list[float], mistake: str | None) -> None:
    x = np.linspace(-60, 60, 12, dtype=np.float32).reshape(1, 2, 3, 2)

    def build(trt: Any, net: Any, tensor: Any) -> Any:
        each = net.add_constant((len(scales),), np.float32(scales)).get_output(0)
        quantize = net.add_quantize(tensor, each, trt.int8)
        quantize.axis = 2
        one = net.add_constant((), np.full((), 0.5, np.float32)).get_output(0)
        return net.add_dequantize(quantize.get_output(0), one, trt.float32)

    if mistake:
        with pytest.raises(AssertionError, match=mistake):
            value_of(build, x)
    else:
        np.testing.assert_allclose(value_of(build, x), np.rint(x / 0.5) * 0.5)


def test_slices() -> None:
    x = np.arange(9, dtype=np.float32).reshape(3, 3)
    found = value_of(lambda trt, net, t: net.add_slice(t, (0, 0), (2, 2), (1, 1)), x)
    np.testing.assert_array_equal(found, [[0, 1], [3, 4]])

    def filled(trt: Any, net: Any, tensor: Any) -> Any:
        layer = net.add_slice(tensor, (-1, 2), (3, 3), (2, -2))
        layer.mode = trt.SampleMode.FILL
        return layer

    np.testing.assert_array_equal(value_of(filled, x), [[0, 0, 0], [5, 3, 0], [0, 0, 0]])


def test_the_largest() -> None:
    x = np.float32([[-3, -2, -1, 10, -25], [0, 1, 2, -2, -1]])

    def build(trt: Any, net: Any, tensor: Any) -> Any:
        return net.add_topk(tensor, trt.TopKOperation.MAX, 1, 1 << 1).get_output(1)

    np.testing.assert_array_equal(value_of(build, x), [[3], [2]])


@pytest.mark.parametrize(
    ("name", "alpha", "beta", "expected"),
    [
        ("RELU", 0, 0, [0, 0, 0, 2]),
        ("LEAKY_RELU", 0.5, 0, [-1.5, -0.5, 0, 2]),
        ("CLIP", -1, 1.5, [-1, -1, 0, 1.5]),
        ("ELU", 2, 0, [2 * np.expm1(-3), 2 * np.expm1(-1), 0, 2]),
        ("SELU", 2, 3, [6 * np.expm1(-3), 6 * np.expm1(-1), 0, 6]),
        ("SOFTPLUS", 2, 0.5, 2 * np.log1p(np.exp(0.5 * np.array([-3, -1, 0, 2])))),
        ("SOFTSIGN", 0, 0, [-0.75, -0.5, 0, 2 / 3]),
    ],
)
def test_activations(name: str, alpha: float, beta: float, expected: Any) -> None:
    def build(trt: Any, net: Any, tensor: Any) -> Any:
        layer = net.add_activation(tensor, getattr(trt.ActivationType, name))
        layer.alpha, layer.beta = alpha, beta
        return layer

    x = np.float32([[-3, -1, 0, 2]])
    np.testing.assert_allclose(value_of(build, x)[0], expected, rtol=1e-6, atol=1e-6)


IMAGE = np.arange(1, 17, dtype=np.float32).reshape(1, 1, 4, 4)


@pytest.mark.parametrize(
    ("excludes", "corner"), [(True, (1 + 2 + 5 + 6) / 4), (False, (1 + 2 + 5 + 6) / 9)]
)
def test_average_pooling(excludes: bool, corner: float) -> None:
    def build(trt: Any, net: Any, tensor: Any) -> Any:
        layer = net.add_pooling_nd(tensor, trt.PoolingType.AVERAGE, (3, 3))
        layer.pre_padding, layer.average_count_excludes_padding = (1, 1), excludes
        return layer

    assert value_of(build, IMAGE)[0, 0, 0, 0] == pytest.approx(corner)


@pytest.mark.parametrize(
    ("mode", "begin", "extent"),
    [("EXPLICIT_ROUND_DOWN", 0, 1), ("EXPLICIT_ROUND_UP", 0, 2), ("SAME_UPPER", 0, 2),
     ("SAME_LOWER", 1, 2)],
)  # fmt: skip
def test_padding_modes(mode: str, begin: int, extent: int) -> None:
    """Where the first window begins shows in its sum."""

    def build(trt: Any, net: Any, tensor: Any) -> Any:
        kernel = trt.Weights(np.ones((1, 1, 3, 3), np.float32))
        layer = net.add_convolution_nd(tensor, 1, (3, 3), kernel, trt.Weights())
        layer.stride_nd, layer.padding_mode = (2, 2), getattr(trt.PaddingMode, mode)
        return layer

    found = value_of(build, IMAGE)
    assert found.shape == (1, 1, extent, extent)
    assert found[0, 0, 0, 0] == IMAGE[0, 0, : 3 - begin, : 3 - begin].sum()


def test_deconvolution() -> None:
    """Every number of the input is spread by the kernel; padding takes from the result."""
    x = np.float32([[[[1, 2]], [[10, 20]]]])
    kernel = np.arange(1, 13, dtype=np.float32).reshape(2, 2, 1, 3)  # Input channels first.

    def build(trt: Any, net: Any, tensor: Any) -> Any:
        layer = net.add_deconvolution_nd(tensor, 2, (1, 3), trt.Weights(kernel), trt.Weights())
        layer.stride_nd, layer.pre_padding, layer.post_padding = (1, 2), (0, 1), (0, 0)
        return layer

    full = np.zeros((2, 5), np.float32)
    for c in range(2):
        for column in range(2):
            full[:, 2 * column : 2 * column + 3] += x[0, c, 0, column] * kernel[c, :, 0]
    np.testing.assert_allclose(value_of(build, x)[0, :, 0], full[:, 1:])


def test_bias_and_scale() -> None:
    def biased(trt: Any, net: Any, tensor: Any) -> Any:
        kernel = trt.Weights(np.ones((2, 1, 1, 1), np.float32))
        return net.add_convolution_nd(tensor, 2, (1, 1), kernel, trt.Weights(np.float32([1, 5])))

    np.testing.assert_array_equal(value_of(biased, IMAGE)[0], IMAGE[0] + [[[1]], [[5]]])

    def scaled(trt: Any, net: Any, tensor: Any) -> Any:
        weights = [trt.Weights(np.float32([value])) for value in (3, 2, 2)]
        return net.add_scale(tensor, trt.ScaleMode.UNIFORM, *weights)

    np.testing.assert_allclose(value_of(scaled, IMAGE), (2 * IMAGE + 3) ** 2)


def test_shapes_of_a_dynamic_batch_are_known_at_a_batch_size() -> None:
    """A reshape whose target TensorRT computes: [batch, 6] -> [batch * 2, 3]."""

    def build(trt: Any, net: Any, tensor: Any) -> Any:
        shape = net.add_shape(tensor).get_output(0)
        factor = net.add_constant((2,), np.array([2, 1], np.int64)).get_output(0)
        part = net.add_constant((2,), np.array([1, 2], np.int64)).get_output(0)
        product = net.add_elementwise(shape, factor, trt.ElementWiseOperation.PROD)
        operation = trt.ElementWiseOperation.FLOOR_DIV
        target = net.add_elementwise(product.get_output(0), part, operation)
        layer = net.add_shuffle(tensor)
        layer.set_input(1, target.get_output(0))
        return layer

    x = np.arange(18, dtype=np.float32).reshape(3, 6)
    found = value_of(build, x, batch=3, shape=(-1, 6))
    np.testing.assert_array_equal(found, x.reshape(6, 3))


@pytest.mark.parametrize(
    ("dims", "shape"),
    [((0, -1), (2, 12)), ((-1, 0, 2), (4, 3, 2)), ((24,), (24,)), ((3, 0, 0, 2), None)],
)
def test_placeholders_of_reshapes(dims: tuple[int, ...], shape: Any) -> None:
    def build(trt: Any, net: Any, tensor: Any) -> Any:
        layer = net.add_shuffle(tensor)
        layer.reshape_dims = dims
        return layer

    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    if shape is None:
        with pytest.raises(Exception, match="reshape"):
            value_of(build, x)
        return
    np.testing.assert_array_equal(value_of(build, x), x.reshape(shape))


def test_transposes_of_shuffles() -> None:
    def build(trt: Any, net: Any, tensor: Any) -> Any:
        layer = net.add_shuffle(tensor)
        layer.first_transpose = (1, 2, 0)
        layer.reshape_dims = (4, 6)
        layer.second_transpose = (1, 0)
        return layer

    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    np.testing.assert_array_equal(value_of(build, x), x.transpose(1, 2, 0).reshape(4, 6).T)


def test_what_is_not_understood_is_said() -> None:
    x = np.zeros((2, 3), np.float32)
    with pytest.raises(NotImplementedError, match="NON_ZERO"):
        value_of(lambda trt, net, t: net.add_non_zero(t), x)
    with pytest.raises(NotImplementedError, match="the first 2"):
        value_of(lambda trt, net, t: net.add_topk(t, trt.TopKOperation.MAX, 2, 2), x)
