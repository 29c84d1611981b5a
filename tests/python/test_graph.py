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
