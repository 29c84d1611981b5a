"""The bindings of Graph, the passes and the UFF importer."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from chexnet_trt import _core
from chexnet_trt._core import uff


def encoded() -> bytes:
    """x -> Identity -> subtract [1, 2, 3] -> MarkOutput."""
    meta = uff.MetaGraph()
    meta.add_node("x", "Input", [], {"shape": [-1, 3], "dtype": uff.DataType(0x20020)})
    meta.add_node("same", "Identity", ["x"], {})
    fields = {"shape": [3], "dtype": uff.DataType(0x20020), "values": uff.Reference("weights_c")}
    meta.add_node("c", "Const", [], fields)
    meta.add_node("y", "Binary", ["same", "c"], {"func": "sub"})
    meta.add_node("MarkOutput_0", "MarkOutput", ["y"], {})
    meta.add_data("weights_c", np.array([1, 2, 3], np.float32).tobytes())
    return bytes(uff.encode(meta))


def test_parse_buffer_makes_a_graph() -> None:
    graph = uff.UffParser().parse_buffer(encoded())
    graph.verify()
    assert [node.name for node in graph.inputs] == ["x"]
    name, node = graph.outputs[0]
    assert (name, node.op, node.shape, node.element_type) == ("y", "binary", (None, 3), "float32")
    assert node.attributes == {"kind": "sub"}
    assert [operand.name for operand in node.inputs] == ["x", "c"]
    assert graph.find("y") == node
    assert graph.find("nowhere") is None


def test_constants_are_read_only_views_that_outlive_the_graph() -> None:
    graph = uff.UffParser().parse_buffer(encoded())
    value = graph.find("c").value
    again = graph.find("c").value
    assert np.shares_memory(value, again)
    del graph, again
    gc.collect()
    np.testing.assert_array_equal(value, [1, 2, 3])
    with pytest.raises(ValueError, match="read-only"):
        value[0] = 5
    with pytest.raises(ValueError, match="WRITEABLE"):
        value.setflags(write=True)


def test_optimize_reports_its_rewrites() -> None:
    graph = uff.UffParser().parse_buffer(encoded())
    better, passes = _core.optimize(graph)
    assert dict(passes)["merge_scale_shift"] == 1
    assert better.find("y").attributes == {"kind": "add"}
    assert better.hash() != graph.hash()
    again, passes = _core.optimize(better)
    assert all(count == 0 for _, count in passes)
    assert again.to_text() == better.to_text()


def test_registration_errors_are_input_errors() -> None:
    parser = uff.UffParser()
    assert parser.register_input("z", [3], uff.UffInputOrder.NC)
    with pytest.raises(_core.InputError, match="no input 'z'"):
        parser.parse_buffer(encoded())
    with pytest.raises(_core.InputError, match="registered twice"):
        parser.register_input("z", [3], uff.UffInputOrder.NC)
    with pytest.raises(_core.InputError, match="float99"):
        parser.register_input("w", [3], uff.UffInputOrder.NC, "float99")


def copied(graph: _core.Graph) -> _core.Graph:
    builder = _core.GraphBuilder()
    for node in graph.nodes:
        builder.add(node.op, node.name, [source.name for source in node.inputs], node.attributes)
    for name, node in graph.outputs:
        builder.add_output(name, node.name)
    return builder.finish()


def test_a_graph_made_node_by_node_is_the_same() -> None:
    graph = uff.UffParser().parse_buffer(encoded())
    assert copied(graph).hash() == graph.hash()
    assert copied(graph).to_text() == graph.to_text()


def test_a_graph_builder_keeps_a_copy_of_its_constants() -> None:
    builder, value = _core.GraphBuilder(), np.float32([1, 2])
    node = builder.add("constant", "c", [], {"value": value})
    value[:] = 0
    np.testing.assert_array_equal(node.value, [1, 2])


@pytest.mark.parametrize(
    ("op", "inputs", "attributes", "message"),
    [
        ("conv3d", ["x"], {}, "unknown op 'conv3d'"),
        ("conv2d", ["x"], {}, r"'y' \(conv2d\).*takes 2 inputs, got 1"),
        ("unary", ["z"], {}, "'y' reads 'z', which is not there"),
        ("unary", ["x"], {"sort": "exp"}, "it has no attribute 'sort'"),
        ("unary", ["x"], {"kind": "expp"}, "kind: "),
        ("unary", ["x"], {"kind": 3}, "kind cannot be 3"),
        ("reshape", ["x"], {"shape": [None, 2**80]}, "shape cannot be"),
        ("reshape", ["x"], {"shape": [None, 2**62, 4]}, "too large"),
        ("reshape", ["x"], {"shape": "ab"}, "shape cannot be"),
        ("slice", ["x"], {"begin": [0, 0]}, "does not fit"),
        ("constant", [], {"value": ["a"]}, "value: unknown element type"),
        ("constant", [], {"value": np.zeros(3)}, "unknown element type 'float64'"),
        ("constant", [], {"value": np.zeros((0, 3), "f4")}, "empty shape"),
        ("constant", [], {}, "empty shape"),
        ("unary", ["x"], {}, None),
    ],
)
def test_a_graph_builder_refuses_what_the_op_table_does(
    op: str, inputs: list[str], attributes: dict[str, object], message: str | None
) -> None:
    builder = _core.GraphBuilder()
    builder.add("input", "x", [], {"shape": [None, 3]})
    if message is None:
        assert builder.add(op, "y", inputs, attributes).shape == (None, 3)
        return
    with pytest.raises(_core.InputError, match=message):
        builder.add(op, "y", inputs, attributes)


def test_a_graph_builder_ends() -> None:
    builder = _core.GraphBuilder()
    builder.add("input", "x", [], {"shape": [None, 3]})
    with pytest.raises(_core.InputError, match="no output"):
        builder.finish()
    builder.add_output("y", "x")
    builder.finish()
    with pytest.raises(_core.InputError, match="is finished"):
        builder.add_output("y", "x")
    with pytest.raises(_core.InputError, match="is finished"):
        builder.add("input", "z", [], {"shape": [3]})
