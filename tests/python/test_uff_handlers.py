from __future__ import annotations

import numpy as np
import pytest

from chexnet_trt._core import InputError, uff
from graph_defs import DType, GraphMaker, const_of, convert, nodes_of, only

FLOAT32, INT32 = uff.DataType(0x20020), uff.DataType(0x10020)


def maker_with(**constants) -> GraphMaker:
    maker = GraphMaker()
    maker.placeholder("x")
    maker.placeholder("y")
    for name, value in constants.items():
        maker.const(name, value)
    return maker


def orders(meta, node):
    value = meta.referenced_data[node.fields["inputs_orders"].key]
    return [item.orders[-1] for item in value]


NHWC, NCHW = [0, 2, 2147483647, 1], [0, 1, 2, 2147483647]
HWIO, HWOI = [2, 2147483647, 1, 0], [2, 2147483647, 0, 1]


@pytest.mark.parametrize(
    ("op", "func"),
    [("Add", "add"), ("AddV2", "add"), ("Sub", "sub"), ("Mul", "mul"), ("Div", "div"),
     ("RealDiv", "div"), ("Minimum", "min"), ("Maximum", "max"), ("Pow", "pow")],
)  # fmt: skip
def test_binary(op, func):
    maker = maker_with()
    maker.node(op, "out", ["x", "y"])
    node = only(maker, "out")
    assert (node.operation, node.inputs, node.fields) == ("Binary", ["x", "y"], {"func": func})


@pytest.mark.parametrize(
    ("operation", "ops"),
    [
        ("Unary", """Neg Abs Exp Log Sqrt Rsqrt Square Sin Cos Tan Sinh Cosh Asin Acos Atan Asinh
         Acosh Atanh Ceil Floor"""),
        ("Activation", "Relu Relu6 Sigmoid Tanh Elu Selu Softsign Softplus"),
    ],
)  # fmt: skip
def test_unary_and_activation(operation, ops):
    for op in ops.split():
        maker = maker_with()
        maker.node(op, "out", ["x"])
        node = only(maker, "out")
        assert (node.operation, node.fields) == (operation, {"func": op.lower()})


def test_leaky_relu_widens_alpha():
    maker = maker_with()
    maker.node("LeakyRelu", "out", ["x"], alpha=0.2)
    assert only(maker, "out").fields == {"alpha": 0.20000000298023224}


@pytest.mark.parametrize("op", ["Placeholder", "PlaceholderWithDefault"])
def test_inputs(op):
    maker = GraphMaker()
    maker.const("default", [1.0])
    maker.placeholder("x", (-1, 4))
    maker.graph.node[1].op = op
    if op == "PlaceholderWithDefault":
        maker.graph.node[1].input.append("default")
    maker.node("Relu", "out", ["x"])
    node = nodes_of(convert(maker, "out"))["x"]
    assert (node.operation, node.inputs) == ("Input", [])
    assert list(node.fields.items()) == [("shape", [-1, 4]), ("dtype", FLOAT32)]


def test_an_input_of_a_type_without_name_is_refused():
    maker = GraphMaker()
    maker.node("Placeholder", "x", dtype=DType("uint8"))
    maker.node("Relu", "out", ["x"])
    with pytest.raises(InputError, match=r"input 'x' is of type uint8.*-I 'x,,float32"):
        convert(maker, "out")


class TestBiasAdd:
    def test_nhwc_keeps_the_shape(self):
        maker = maker_with(bias=[1.0, 2.0, 3.0])
        maker.node("Identity", "read", ["bias"])
        maker.node("BiasAdd", "out", ["x", "read"])
        meta = convert(maker, "out")
        assert nodes_of(meta)["out"].inputs == ["x", "bias"]
        assert nodes_of(meta)["out"].fields == {"func": "add"}
        np.testing.assert_array_equal(const_of(meta, "bias"), [1, 2, 3])

    def test_nchw_reshapes_it(self):
        maker = maker_with(bias=[1.0, 2.0, 3.0])
        maker.node("BiasAdd", "out", ["x", "bias"], data_format="NCHW")
        assert const_of(convert(maker, "out"), "bias").shape == (3, 1, 1)

    def test_nchw_leaves_a_shared_constant_to_its_other_readers(self):
        maker = maker_with(bias=[1.0, 2.0, 3.0])
        maker.node("BiasAdd", "b", ["x", "bias"], data_format="NCHW")
        maker.node("Mul", "out", ["b", "bias"])
        meta = convert(maker, "out")
        assert const_of(meta, "bias").shape == (3,)
        assert const_of(meta, nodes_of(meta)["b"].inputs[1]).shape == (3, 1, 1)

    def test_the_bias_must_be_constant(self):
        maker = maker_with()
        maker.node("BiasAdd", "out", ["x", "y"])
        with pytest.raises(InputError, match="bias of BiasAdd node 'out' is computed by 'y'"):
            convert(maker, "out")


def conv(maker, op="Conv2D", source="x", **attributes):
    attributes = {"strides": [1, 2, 3, 1], "padding": "VALID", **attributes}
    maker.node(op, "out", [source, "w"], **attributes)
    return convert(maker, "out")


WEIGHTS = np.ones((3, 3, 3, 4), np.float32)


class TestConv:
    def test_valid(self):
        meta = conv(maker_with(w=WEIGHTS), dilations=[1, 1, 1, 1])
        node = nodes_of(meta)["out"]
        assert node.operation == "Conv"
        assert list(node.fields) == ["strides", "dilation", "inputs_orders"]
        assert node.fields["strides"] == [2, 3]
        assert node.fields["dilation"] == [1, 1]
        assert node.fields["inputs_orders"] == uff.Reference("orders_N+C_+CK")
        assert orders(meta, node) == [NHWC, HWIO]

    def test_same_in_nchw_without_dilations(self):
        meta = conv(maker_with(w=WEIGHTS), strides=[1, 1, 2, 3], padding="SAME", data_format="NCHW")
        node = nodes_of(meta)["out"]
        assert list(node.fields) == ["strides", "inputs_orders", "implicit_padding"]
        assert node.fields["strides"] == [2, 3]
        assert node.fields["implicit_padding"] == "same"
        assert orders(meta, node) == [NCHW, HWIO]

    def test_symmetric_explicit_padding(self):
        meta = conv(
            maker_with(w=WEIGHTS), padding="EXPLICIT", explicit_paddings=[0, 0, 1, 1, 2, 2, 0, 0]
        )
        node = nodes_of(meta)["out"]
        assert list(node.fields) == ["padding", "strides", "inputs_orders"]
        assert node.fields["padding"] == [1, 2]
        assert "Pad" not in {item.operation for item in meta.nodes}

    def test_asymmetric_explicit_padding_becomes_a_pad_in_front(self):
        pads = [0, 0, 0, 0, 1, 2, 2, 2]
        maker = maker_with(w=WEIGHTS)
        maker.node("Relu", "out/explicit_pad", ["x"])
        meta = conv(
            maker, strides=[1, 1, 1, 1], padding="EXPLICIT", explicit_paddings=pads,
            data_format="NCHW",
        )  # fmt: skip
        node = nodes_of(meta)["out"]
        assert "padding" not in node.fields
        pad = nodes_of(meta)[node.inputs[0]]
        assert (pad.id, pad.operation, pad.inputs[0]) == ("out/explicit_pad_0", "Pad", "x")
        np.testing.assert_array_equal(
            const_of(meta, pad.inputs[1]), np.reshape(pads, (4, 2)).astype(np.int32)
        )
        ids = [item.id for item in meta.nodes]
        assert ids.index(pad.id) < ids.index("out")

    def test_bad_explicit_padding(self):
        with pytest.raises(InputError, match="explicit paddings"):
            conv(maker_with(w=WEIGHTS), padding="EXPLICIT", explicit_paddings=[1] * 8)

    def test_depthwise(self):
        weights = np.ones((3, 3, 5, 2), np.float32)
        meta = conv(maker_with(w=weights), "DepthwiseConv2dNative", dilations=[1, 2, 2, 1])
        node = nodes_of(meta)["out"]
        assert list(node.fields) == ["strides", "dilation", "number_groups", "inputs_orders"]
        assert node.fields["number_groups"] == 5
        assert node.fields["dilation"] == [2, 2]
        assert orders(meta, node) == [NHWC, HWIO]

    def test_strides_over_channels_are_refused(self):
        with pytest.raises(InputError, match="'out' has strides"):
            conv(maker_with(w=WEIGHTS), strides=[1, 1, 1, 2])

    def test_transposed(self):
        maker = maker_with(sizes=np.int32([1, 8, 8, 3]), w=WEIGHTS)
        maker.node(
            "Conv2DBackpropInput", "out", ["sizes", "w", "x"], strides=[1, 2, 2, 1], padding="SAME"
        )
        meta = convert(maker, "out")
        node = nodes_of(meta)["out"]
        assert (node.operation, node.inputs) == ("ConvTranspose", ["x", "w", "sizes"])
        assert list(node.fields) == ["strides", "inputs_orders", "implicit_padding"]
        assert orders(meta, node) == [NHWC, HWOI]


class TestPadFusion:
    def convert(self, pads, *, between=None, op="Conv2D", **attributes):
        maker = maker_with(w=WEIGHTS, pads=np.int32(pads))
        maker.node("Pad", "pad", ["x", "pads"])
        source = "pad"
        for index, passing in enumerate(between or []):
            source = maker.node(passing, f"pass{index}", [source])
        if op == "Conv2D":
            return conv(maker, source=source, **attributes)
        maker.node(op, "out", [source], ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
        return convert(maker, "out")

    @pytest.mark.parametrize("between", [[], ["Identity"], ["Identity", "Identity"]])
    def test_a_symmetric_pad_disappears(self, between):
        meta = self.convert([[0, 0], [1, 1], [2, 2], [0, 0]], between=between)
        node = nodes_of(meta)["out"]
        assert node.inputs == ["x", "w"]
        assert node.fields["padding"] == [1, 2]
        assert {item.operation for item in meta.nodes} == {"Input", "Const", "Conv", "MarkOutput"}

    @pytest.mark.parametrize("op", ["MaxPool", "AvgPool"])
    def test_in_front_of_pools_too(self, op):
        node = nodes_of(self.convert([[0, 0], [1, 1], [1, 1], [0, 0]], op=op))["out"]
        assert list(node.fields) == ["func", "kernel", "padding", "strides", "inputs_orders"]
        assert node.inputs == ["x"]
        assert node.fields["padding"] == [1, 1]

    @pytest.mark.parametrize(
        "pads",
        [[[0, 0], [1, 2], [1, 1], [0, 0]], [[0, 0], [1, 1], [1, 1], [2, 2]],
         [[1, 1], [0, 0], [0, 0], [0, 0]]],
    )  # fmt: skip
    def test_other_pads_stay(self, pads):
        meta = self.convert(pads)
        assert nodes_of(meta)["out"].inputs == ["pad", "w"]
        assert nodes_of(meta)["pad"].inputs == ["x", "pads"]
        assert "padding" not in nodes_of(meta)["out"].fields

    def test_a_pad_before_same_padding_stays(self):
        meta = self.convert([[0, 0], [1, 1], [1, 1], [0, 0]], padding="SAME")
        assert nodes_of(meta)["out"].inputs == ["pad", "w"]

    def test_other_readers_keep_the_pad(self):
        maker = maker_with(w=WEIGHTS, pads=np.int32([[0, 0], [1, 1], [1, 1], [0, 0]]))
        maker.node("Pad", "pad", ["x", "pads"])
        maker.node("Relu", "other", ["pad"])
        maker.node("Conv2D", "out", ["pad", "w"], strides=[1, 1, 1, 1], padding="VALID")
        meta = nodes_of(convert(maker, "out", "other"))
        assert meta["out"].inputs == ["x", "w"]
        assert meta["other"].inputs == ["pad"]


class TestDilatedChain:
    def convert(self, paddings, crops, *, second_reader=False):
        maker = maker_with(
            w=WEIGHTS, block=np.int32([2, 3]), paddings=np.int32(paddings), crops=np.int32(crops)
        )
        maker.node("SpaceToBatchND", "first", ["x", "block", "paddings"])
        maker.node("Conv2D", "conv", ["first", "w"], strides=[1, 1, 1, 1], padding="VALID")
        maker.node("BatchToSpaceND", "last", ["conv", "block", "crops"])
        maker.node("Relu", "out", ["last"])
        if second_reader:
            maker.node("Add", "both", ["out", "conv"])
            return convert(maker, "both")
        return convert(maker, "out")

    def test_becomes_a_dilation(self):
        meta = self.convert([[2, 3], [3, 4]], [[0, 1], [0, 1]])
        node = nodes_of(meta)["conv"]
        assert nodes_of(meta)["out"].inputs == ["conv"]
        assert node.inputs == ["x", "w"]
        assert node.fields["dilation"] == [2, 3]
        assert node.fields["padding"] == [2, 3]
        assert [d.id for d in meta.descriptors] == ["tensorflow_extension"]

    def test_without_padding_left(self):
        node = nodes_of(self.convert([[0, 1], [0, 1]], [[0, 1], [0, 1]]))["conv"]
        assert "padding" not in node.fields

    def test_asymmetric_padding_left_becomes_a_pad(self):
        meta = self.convert([[2, 3], [3, 4]], [[0, 0], [0, 0]])
        pad = nodes_of(meta)[nodes_of(meta)["conv"].inputs[0]]
        np.testing.assert_array_equal(
            const_of(meta, pad.inputs[1]), [[0, 0], [2, 3], [3, 4], [0, 0]]
        )

    def test_a_chain_with_another_reader_stays(self):
        operations = {node.operation for node in self.convert(
            [[0, 1], [0, 1]], [[0, 1], [0, 1]], second_reader=True).nodes}  # fmt: skip
        assert {"_SpaceToBatchND", "_BatchToSpaceND"} <= operations


class TestPool:
    @pytest.mark.parametrize(("op", "func"), [("MaxPool", "max"), ("AvgPool", "avg")])
    def test_same(self, op, func):
        maker = maker_with()
        maker.node(op, "out", ["x"], ksize=[1, 1, 3, 2], strides=[1, 1, 2, 1], padding="SAME",
                   data_format="NCHW")  # fmt: skip
        meta = convert(maker, "out")
        node = nodes_of(meta)["out"]
        assert list(node.fields) == [
            "func", "kernel", "strides", "inputs_orders", "implicit_padding",
        ]  # fmt: skip
        assert node.fields["func"] == func
        assert node.fields["kernel"] == [3, 2]
        assert node.fields["strides"] == [2, 1]
        assert orders(meta, node) == [NCHW]

    def explicit(self, source):
        maker = maker_with()
        maker.node("Relu", "positive", ["x"])
        maker.node("MaxPool", "out", [source], ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1],
                   padding="EXPLICIT", explicit_paddings=[0, 0, 1, 1, 1, 1, 0, 0])  # fmt: skip
        return only(maker, "out")

    def test_explicit_padding_of_a_max_pool_needs_values_above_zero(self):
        assert self.explicit("positive").fields["padding"] == [1, 1]
        with pytest.raises(InputError, match="'out' has explicit padding"):
            self.explicit("x")


def test_matmul_orders():
    expected = {(False, False): "NC_CK", (True, False): "CN_CK",
                (False, True): "NC_KC", (True, True): "CN_KC"}  # fmt: skip
    lists = {"NC": [0, 1], "CN": [1, 0], "CK": [1, 0], "KC": [0, 1]}
    for (a, b), name in expected.items():
        maker = maker_with(w=np.ones((4, 2)))
        maker.node("MatMul", "out", ["x", "w"], transpose_a=a, transpose_b=b)
        meta = convert(maker, "out")
        node = nodes_of(meta)["out"]
        assert node.operation == "FullyConnected"
        assert node.fields == {"inputs_orders": uff.Reference("orders_" + name)}
        assert orders(meta, node) == [lists[part] for part in name.split("_")]


class TestBatchNorm:
    def convert(self, op, **attributes):
        maker = maker_with(gamma=[1.0], beta=[1.0], mean=[1.0], variance=[1.0])
        maker.node(op, "out", ["x", "gamma", "beta", "mean", "variance"], **attributes)
        return convert(maker, "out")

    @pytest.mark.parametrize("op", ["FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"])
    def test_inference(self, op):
        meta = self.convert(op, is_training=False, epsilon=0.001, data_format="NCHW")
        node = nodes_of(meta)["out"]
        assert node.operation == "BatchNorm"
        assert node.inputs == ["x", "gamma", "beta", "mean", "variance"]
        assert list(node.fields) == ["epsilon", "inputs_orders"]
        assert node.fields["epsilon"] == float(np.float32(0.001))
        assert orders(meta, node) == [NCHW]

    @pytest.mark.parametrize("attributes", [{}, {"is_training": True}])
    def test_training_is_refused(self, attributes):
        with pytest.raises(InputError, match=r"in training mode: 'out' \(FusedBatchNormV3\)"):
            self.convert("FusedBatchNormV3", **attributes)


def test_lrn_keeps_the_numbers_of_tensorflow():
    maker = maker_with()
    maker.node("LRN", "out", ["x"], depth_radius=3, alpha=0.5, beta=0.25, bias=2.0)
    meta = convert(maker, "out")
    node = nodes_of(meta)["out"]
    assert list(node.fields) == ["window_size", "alpha", "beta", "k", "inputs_orders"]
    assert [node.fields[key] for key in ("window_size", "alpha", "beta", "k")] == [3, 0.5, 0.25, 2]
    assert orders(meta, node) == [NCHW]


def test_softmax():
    maker = maker_with()
    maker.node("Softmax", "out", ["x"])
    node = only(maker, "out")
    assert node.fields == {"axis": 0, "inputs_orders": uff.Reference("orders_N+C")}


class TestReshape:
    def convert(self, name, shape):
        maker = maker_with(shape=np.int32(shape))
        maker.node("Reshape", name, ["x", "shape"])
        return nodes_of(convert(maker, name))

    @pytest.mark.parametrize("name", ["flatten/Reshape", "a/Flatten_1/Reshape"])
    def test_under_a_flatten_scope_is_flatten(self, name):
        nodes = self.convert(name, [-1, 192])
        assert (nodes[name].operation, nodes[name].inputs) == ("Flatten", ["x"])
        assert "shape" not in nodes

    @pytest.mark.parametrize("name", ["Reshape", "flatten", "flatten/a/Reshape"])
    def test_elsewhere_keeps_its_shape(self, name):
        nodes = self.convert(name, [-1, 192])
        assert (nodes[name].operation, nodes[name].inputs) == ("Reshape", ["x", "shape"])

    def test_to_another_rank_is_no_flatten(self):
        assert self.convert("flatten/Reshape", [-1, 3, 64])["flatten/Reshape"].operation == (
            "Reshape"
        )


@pytest.mark.parametrize("axes", [np.int32([1, 2]), np.int64([1, 2])])
@pytest.mark.parametrize("op", ["Sum", "Prod", "Min", "Max", "Mean"])
def test_reduce(op, axes):
    maker = maker_with(axes=axes)
    maker.node(op, "out", ["x", "axes"], keep_dims=True)
    meta = convert(maker, "out")
    node = nodes_of(meta)["out"]
    assert (node.operation, node.inputs) == ("Reduce", ["x"])
    assert list(node.fields.items()) == [
        ("func", op.lower()), ("axes", [1, 2]), ("keepdims", True),
    ]  # fmt: skip
    assert "axes" not in nodes_of(meta)


def test_reduce_over_a_scalar_axis():
    maker = maker_with(axes=np.int32(-1))
    maker.node("Mean", "out", ["x", "axes"])
    assert only(maker, "out").fields["axes"] == [-1]


@pytest.mark.parametrize("op", ["ExpandDims", "ArgMax", "ArgMin"])
def test_ops_with_one_axis(op):
    maker = maker_with(axis=np.int32(-1))
    maker.node(op, "out", ["x", "axis"])
    node = only(maker, "out")
    assert (node.operation, node.inputs, node.fields) == (op, ["x"], {"axis": -1})


def test_a_computed_parameter_is_refused():
    maker = maker_with()
    maker.node("ArgMax", "out", ["x", "y"])
    with pytest.raises(InputError, match="axis of ArgMax node 'out' is computed by 'y'"):
        convert(maker, "out")


def test_transpose():
    maker = maker_with(order=np.int32([0, 3, 1, 2]))
    maker.node("Transpose", "out", ["x", "order"])
    node = only(maker, "out")
    assert (node.inputs, node.fields) == (["x"], {"permutation": [0, 3, 1, 2]})


def test_concat():
    maker = maker_with(axis=np.int32(3))
    maker.node("ConcatV2", "new", ["x", "y", "axis"])
    maker.node("Concat", "old", ["axis", "y", "x"])
    maker.node("ConcatV2", "made", ["x", "y"], axis=1)
    nodes = nodes_of(convert(maker, "new", "old", "made"))
    assert (nodes["new"].inputs, nodes["new"].fields) == (["x", "y"], {"axis": 3})
    assert (nodes["old"].inputs, nodes["old"].fields) == (["y", "x"], {"axis": 3})
    assert (nodes["made"].inputs, nodes["made"].fields) == (["x", "y"], {"axis": 1})
    assert "axis" not in nodes


def test_stack_shape_and_squeeze():
    maker = maker_with()
    maker.node("Pack", "stack", ["x", "y"], axis=1)
    maker.node("Shape", "shape", ["x"])
    maker.node("Squeeze", "squeeze", ["x"], squeeze_dims=[1, 2])
    nodes = nodes_of(convert(maker, "stack", "shape", "squeeze"))
    assert (nodes["stack"].operation, nodes["stack"].fields) == ("Stack", {"axis": 1})
    assert (nodes["shape"].operation, nodes["shape"].fields) == ("Shape", {})
    assert (nodes["squeeze"].operation, nodes["squeeze"].fields) == ("Squeeze", {"axes": [1, 2]})


class TestStridedSlice:
    def convert(self, **masks):
        maker = maker_with(a=np.int32([0]), b=np.int32([1]), c=np.int32([1]))
        maker.node("StridedSlice", "out", ["x", "a", "b", "c"], **masks)
        return only(maker, "out")

    def test_masks(self):
        node = self.convert(begin_mask=1, end_mask=2, shrink_axis_mask=4)
        assert node.inputs == ["x", "a", "b", "c"]
        assert list(node.fields.items()) == [
            ("begin_mask", 1), ("end_mask", 2), ("shrink_axis_mask", 4),
        ]  # fmt: skip

    @pytest.mark.parametrize("mask", ["ellipsis_mask", "new_axis_mask"])
    def test_masks_without_a_counterpart_are_refused(self, mask):
        with pytest.raises(InputError, match=f"'out' uses {mask}"):
            self.convert(**{mask: 1})


def test_gather():
    maker = maker_with(axis=np.int32(1), ids=np.int32([0]))
    types = {"Tindices": DType("int32"), "Tparams": DType("float32")}
    maker.node("Gather", "old", ["x", "ids"], **types)
    maker.node("GatherV2", "new", ["x", "ids", "axis"], **types)
    nodes = nodes_of(convert(maker, "old", "new"))
    assert list(nodes["old"].fields.items()) == [
        ("indices_dtype", INT32), ("params_dtype", FLOAT32), ("validate_indices", True),
    ]  # fmt: skip
    assert list(nodes["new"].fields.items()) == [
        ("axis", 1), ("indices_dtype", INT32), ("params_dtype", FLOAT32),
    ]  # fmt: skip
    assert nodes["new"].inputs == ["x", "ids"]


def test_pad_keeps_its_constant():
    maker = maker_with(pads=np.int32([[0, 0], [1, 2], [0, 0], [0, 0]]))
    maker.node("Pad", "out", ["x", "pads"])
    node = only(maker, "out")
    assert (node.operation, node.inputs, node.fields) == ("Pad", ["x", "pads"], {})


def test_a_wrong_number_of_inputs_is_refused():
    maker = maker_with()
    maker.node("Relu", "out", ["x", "y"])
    with pytest.raises(InputError, match="'out' has 2 inputs in place of 1"):
        convert(maker, "out")
