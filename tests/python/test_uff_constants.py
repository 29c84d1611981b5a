from __future__ import annotations

import numpy as np
import pytest

from chexnet_trt._core import InputError, uff
from graph_defs import TYPES, GraphMaker, const_of, convert, nodes_of


def const_node(maker, dtype, shape, **values):
    node = maker.graph.node.add(op="Const", name="c")
    node.attr["dtype"].type = TYPES[dtype]
    tensor = node.attr["value"].tensor
    tensor.dtype = TYPES[dtype]
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    for field, value in values.items():
        if isinstance(value, bytes):
            setattr(tensor, field, value)
        else:
            getattr(tensor, field).extend(value)


def converted(dtype, shape, **values):
    maker = GraphMaker()
    const_node(maker, dtype, shape, **values)
    maker.node("Identity", "out", ["c"])
    maker.node("Relu", "relu", ["out"])
    return convert(maker, "relu")


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        ("float32", {"float_val": [1.5, 2.5]}, np.float32([1.5, 2.5])),
        ("int32", {"int_val": [-1, 2]}, np.int32([-1, 2])),
        ("int64", {"int64_val": [-1, 1 << 40]}, np.int64([-1, 1 << 40])),
        ("float16", {"half_val": [0x3E00, 0xC000]}, np.float16([1.5, -2])),
        ("float64", {"double_val": [0.5, np.inf]}, np.float32([0.5, np.inf])),
        ("float32", {"tensor_content": np.float32([3, 4]).tobytes()}, np.float32([3, 4])),
        ("float32", {"float_val": [7.0]}, np.float32([7, 7])),
        ("int64", {"int64_val": [7]}, np.int64([7, 7])),
        ("float32", {}, np.float32([0, 0])),
    ],
)
def test_reads_every_form_of_value(dtype, values, expected):
    value = const_of(converted(dtype, [2], **values), "c")
    assert value.dtype == expected.dtype
    np.testing.assert_array_equal(value, expected)


def test_a_scalar_keeps_an_empty_shape():
    meta = converted("float32", [], float_val=[2.0])
    node = nodes_of(meta)["c"]
    assert list(node.fields) == ["shape", "dtype", "values"]
    assert node.fields["shape"] == []
    assert len(meta.referenced_data["weights_c"]) == 4


def test_the_last_value_is_repeated():
    np.testing.assert_array_equal(const_of(converted("int32", [4], int_val=[1, 2]), "c"),
                                  [1, 2, 2, 2])  # fmt: skip


@pytest.mark.parametrize(
    ("dtype", "shape", "values", "message"),
    [
        ("float64", [1], {"double_val": [0.1]}, "float64 values that float32 cannot hold"),
        ("float64", [1], {"double_val": [1e300]}, "float64 values that float32 cannot hold"),
        ("bfloat16", [1], {"half_val": [0x3F80]}, "holds bfloat16 values"),
        ("bool", [1], {"bool_val": [True]}, "holds bool values"),
        ("float32", [3], {"tensor_content": b"\0" * 16}, "4 values for a shape of 3"),
        ("float32", [1], {"tensor_content": b"\0" * 5}, "not a whole number"),
        ("float32", [-1], {"float_val": [1]}, "no definite shape"),
        ("float32", [1 << 20, 1 << 20], {"float_val": [1]}, "impossible shape"),
    ],
)
def test_names_the_node_it_refuses(dtype, shape, values, message):
    with pytest.raises(InputError, match=f"'c' .*{message}"):
        converted(dtype, shape, **values)


def test_strings_are_stored_as_text():
    meta = converted("string", [], string_val=[b"text"])
    assert meta.referenced_data["weights_c"] == "text"


def test_weights_keys_stay_unique():
    maker = GraphMaker()
    maker.const("a", [1.0])
    maker.const("b", [2.0])
    maker.node("Add", "out", ["a", "b"])
    meta = convert(maker, "out")
    assert set(meta.referenced_data) == {"weights_a", "weights_b"}
    assert nodes_of(meta)["a"].fields["values"] == uff.Reference("weights_a")
