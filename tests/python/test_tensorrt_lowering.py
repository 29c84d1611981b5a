"""Lowering to TensorRT: what is built from it and what is refused. What it means is proved by
test_tensorrt_semantics.py.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from chexnet_trt import _core
from chexnet_trt.tensorrt import adapter
from chexnet_trt.tensorrt.context import to_bfloat16
from chexnet_trt.tensorrt.lowering import TABLE
from chexnet_trt.tensorrt.options import Options
from chexnet_trt.tensorrt.plan_builder import build_plan, node_of
from one_op_graphs import CASES, Case
from tensorrt_networks import Built, needs_rtx, network_of

pytestmark = needs_rtx

# A case for every op that has one.
ONE_EACH = list({case.op: case for case in reversed(CASES)}.values())


def plan_of(graph: _core.Graph, precision: str = "fp32", *, static: bool = False) -> memoryview:
    options = Options(static=static)
    api = network_of(graph).api
    return memoryview(
        build_plan(api, graph, precision=precision, batches=options.batches(4), options=options)
    )


def tensors(built: Built) -> list[Any]:
    network = built.network
    return [
        *(network.get_input(index) for index in range(network.num_inputs)),
        *(network.get_output(index) for index in range(network.num_outputs)),
    ]


def count(built: Built, kind: str) -> int:
    layers = [built.network.get_layer(index) for index in range(built.network.num_layers)]
    return sum(built.api.trt.ILayer.type.fget(layer).name == kind for layer in layers)


def image_graph(*, layout: str = "nhwc") -> _core.Graph:
    """x -> conv_0 -> relu_0 -> ... -> relu_2, each 3x3 and SAME."""
    builder = _core.GraphBuilder()
    shape = (None, 8, 8, 4) if layout == "nhwc" else (None, 4, 8, 8)
    value = builder.add("input", "x", [], {"shape": shape, "layout": layout}).name
    weights = np.random.default_rng(0).normal(size=(3, 3, 4, 4)).astype(np.float32)
    builder.add("constant", "w", [], {"value": weights})
    attributes = {"layout": layout, "pads_begin": [1, 1], "pads_end": [1, 1]}
    for index in range(3):
        builder.add("conv2d", f"conv_{index}", [value, "w"], attributes)
        value = builder.add("activation", f"relu_{index}", [f"conv_{index}"], {"kind": "relu"}).name
    builder.add_output("y", value)
    return builder.finish()


def test_the_table_has_every_op_of_the_op_table():
    assert list(TABLE) == _core.op_names()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_op_builds(case: Case):
    assert plan_of(case.graph()).nbytes > 0


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
@pytest.mark.parametrize("case", ONE_EACH, ids=lambda case: case.op)
def test_every_op_builds_in_16_bits(case: Case, precision: str):
    assert plan_of(case.graph(), precision, static=True).nbytes > 0


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_inputs_and_outputs_keep_names_shapes_and_types(precision: str):
    built = network_of(image_graph(), precision)
    x, y = tensors(built)
    assert (x.name, tuple(x.shape), x.dtype) == ("x", (-1, 8, 8, 4), built.api.trt.float32)
    assert (y.name, tuple(y.shape), y.dtype) == ("y", (-1, 8, 8, 4), built.api.trt.float32)


def test_a_static_batch_is_in_the_shapes():
    x, y = tensors(network_of(image_graph(), batch=5))
    assert tuple(x.shape) == tuple(y.shape) == (5, 8, 8, 4)


def test_every_layer_has_a_name_of_its_own_and_a_node():
    graph = image_graph()
    built = network_of(graph, "fp16")
    names = [built.network.get_layer(index).name for index in range(built.network.num_layers)]
    assert len(set(names)) == len(names)
    assert sorted(names) == sorted(built.lowered.layers)
    assert set(built.lowered.layers.values()) <= {node.name for node in graph.nodes}
    assert built.lowered.layers["conv_1"] == "conv_1"


def test_channels_last_costs_a_transpose_at_each_end_and_none_between():
    assert count(network_of(image_graph(layout="nhwc")), "SHUFFLE") == 2
    assert count(network_of(image_graph(layout="nchw")), "SHUFFLE") == 0


def test_taking_axes_of_extent_1_away_is_one_reshape():
    """As ResNet-50 v2 does behind its mean: [N, 2048, 1, 1] in memory, [N, 1, 1, 2048] in the
    graph."""
    builder = _core.GraphBuilder()
    builder.add("input", "x", [], {"shape": (None, 3, 4, 4), "layout": "nchw"})
    builder.add("transpose", "nhwc", ["x"], {"permutation": [0, 2, 3, 1]})
    mean = {"kind": "mean", "axes": [1, 2], "keep_dims": True}
    builder.add("reduce", "mean", ["nhwc"], mean)
    builder.add("reshape", "squeezed", ["mean"], {"shape": (None, 3)})
    builder.add_output("y", "squeezed")
    assert count(network_of(builder.finish()), "SHUFFLE") == 1


def test_shared_weights_are_added_once():
    graph = image_graph()
    ranges = dict.fromkeys(("x", "relu_0", "relu_1", "relu_2"), 1.0)
    built = network_of(_core.quantize(graph, ranges, set(), signed_only=True), "int8")
    names = [built.network.get_layer(index).name for index in range(built.network.num_layers)]
    assert [name for name in names if name.endswith("w/int8")] == ["conv_0/w/int8"]


def kernels(plan: memoryview) -> list[bytes]:
    """Names of those whose CUDA C++ is in the plan; equal ones have equal names."""
    return re.findall(rb"__global__ void (\w+)\(", bytes(plan))


def test_kernels_that_differ_by_a_scale_alone_are_in_the_plan_once():
    graph = image_graph(layout="nchw")
    ranges = {"x": 1.0, "relu_0": 2.0, "relu_1": 3.0}
    quantized = _core.quantize(graph, ranges, set(), signed_only=True)
    names = kernels(plan_of(quantized, "int8", static=True))
    assert len(set(names)) == len(names) >= 2


def test_scales_are_repeated_for_tensorrt_rtx_alone():
    graph = image_graph(layout="nchw")
    quantized = _core.quantize(graph, dict.fromkeys(("x", "relu_0", "relu_1"), 1.0), set(), True)
    rtx = adapter.load(adapter.RTX)
    enterprise = replace(rtx, name=adapter.ENTERPRISE)
    for api, shape in ((rtx, (4,)), (enterprise, ())):
        built = network_of(quantized, "int8", api=api)
        scales = [layer.get_input(1) for layer in built.layers("QUANTIZE")]
        assert [tuple(scale.shape) for scale in scales] == [shape] * 3


def test_an_output_may_be_an_input_a_constant_or_published_twice():
    builder = _core.GraphBuilder()
    builder.add("input", "x", [], {"shape": (None, 3)})
    builder.add("constant", "c", [], {"value": np.float32([1, 2])})
    builder.add("activation", "a", ["x"], {"kind": "relu"})
    for name, node in (("copy", "x"), ("fixed", "c"), ("a", "a"), ("again", "a")):
        builder.add_output(name, node)
    graph = builder.finish()
    built = network_of(graph)
    names = [built.network.get_output(index).name for index in range(built.network.num_outputs)]
    assert names == ["copy", "fixed", "a", "again"]
    assert plan_of(graph).nbytes > 0


def test_an_output_may_have_the_name_of_another_node():
    builder = _core.GraphBuilder()
    builder.add("input", "x", [], {"shape": (None, 3)})
    builder.add("activation", "a", ["x"], {"kind": "relu"})
    builder.add("activation", "b", ["a"], {"kind": "tanh"})
    builder.add_output("a", "b")
    graph = builder.finish()
    built = network_of(graph)
    assert built.network.get_output(0).name == "a"
    assert built.api.log.errors() == []
    assert plan_of(graph).nbytes > 0


def test_bfloat16_is_rounded_to_the_nearest_ties_to_even():
    one = np.float32(1)
    step = np.float32(2**-7)  # Between bfloat16's numbers from 1 on.
    values = np.float32([1, one + step / 2, one + 1.5 * step, one + 0.51 * step, -3.4e38, np.nan])
    rounded = to_bfloat16(values)
    back = (rounded.astype(np.uint32) << 16).view(np.float32)
    np.testing.assert_array_equal(back[:4], [1, 1, 1 + 2 * step, 1 + step])
    assert back[4] < -3.3e38
    assert np.isnan(back[5])


def test_float16_does_not_hold_every_constant():
    builder = _core.GraphBuilder()
    builder.add("input", "x", [], {"shape": (None, 2)})
    builder.add("constant", "big", [], {"value": np.float32([1, 70000])})
    builder.add("binary", "sum", ["x", "big"], {"kind": "add"})
    builder.add_output("y", "sum")
    graph = builder.finish()
    with pytest.raises(_core.InputError, match=r"node 'sum' \(binary\): 'big' has values beyond"):
        network_of(graph, "fp16")
    network_of(graph, "bf16")


def quantized(element: str = "int8", *, by_channel: bool = False) -> _core.Graph:
    builder = _core.GraphBuilder()
    builder.add("input", "x", [], {"shape": (None, 2)})
    builder.add("constant", "one", [], {"value": np.float32(0.5)})
    builder.add("constant", "two", [], {"value": np.float32([0.5, 0.25])})
    builder.add("quantize", "q", ["x", "one"], {"element": element})
    builder.add("dequantize", "d", ["q", "two" if by_channel else "one"], {"axis": 1})
    builder.add_output("y", "d")
    return builder.finish()


def test_quantising_to_uint8_is_refused():
    with pytest.raises(_core.InputError, match=r"node 'q' \(quantize\): .*int8 alone"):
        network_of(quantized("uint8"), "int8")


def test_activations_have_one_scale():
    with pytest.raises(_core.InputError, match=r"node 'd' \(dequantize\): .*constants alone"):
        network_of(quantized(by_channel=True), "int8")
    assert plan_of(quantized(), "int8").nbytes > 0


@pytest.mark.parametrize("field", [{"radius": 8}, {"beta": 0.001}, {"bias": 0.0}])
def test_lrn_has_limits(field: dict[str, float]):
    case = next(case for case in CASES if case.op == "lrn")
    attributes = {**case.attributes, "radius": 1, "beta": 0.5, "bias": 1.0, **field}
    with pytest.raises(_core.InputError, match="TensorRT's LRN takes windows up to 15"):
        network_of(replace(case, attributes=attributes).graph())


def test_what_tensorrt_refuses_is_said_with_its_words_and_the_node():
    """It has no power of integers."""
    builder = _core.GraphBuilder()
    builder.add("input", "x", [], {"shape": (None, 2), "element": "int8"})
    builder.add("binary", "power", ["x", "x"], {"kind": "pow"})
    builder.add_output("y", "power")
    with pytest.raises(_core.BackendError) as error:
        plan_of(builder.finish())
    assert "'power'" in str(error.value)


def test_the_node_that_a_message_names():
    layers = {"a": "A", "net/a": "B", "net/a/reshape": "C", "x": "X"}
    assert node_of("cannot compile operation 'net/a/reshape_U12' for net/a", layers) == "C"
    assert node_of("cannot compile net/a[x]", layers) == "B"
    assert node_of("no expected tactic", layers) is None
