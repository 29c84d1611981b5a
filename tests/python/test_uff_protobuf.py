"""The wire and text forms against protobuf itself, given the schema of UFF."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chexnet_trt._core import uff

pytest.importorskip("google.protobuf")
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

LISTS = {"ListString": 9, "ListDouble": 1, "ListBool": 8, "ListINT64": 3}
DATA = [
    ("s", 1, 9, ""), ("s_list", 2, 11, "ListString"), ("d", 3, 1, ""),
    ("d_list", 4, 11, "ListDouble"), ("b", 5, 8, ""), ("b_list", 6, 11, "ListBool"),
    ("i", 7, 3, ""), ("i_list", 8, 11, "ListINT64"), ("blob", 9, 12, ""), ("ref", 100, 9, ""),
    ("dtype", 101, 14, "DataType"), ("dtype_list", 102, 11, "ListDataType"),
    ("dim_orders", 103, 11, "DimensionOrders"),
    ("dim_orders_list", 104, 11, "ListDimensionOrders"),
]  # fmt: skip


def field(message, name, number, kind, type_name="", label=1):
    item = message.field.add(name=name, number=number, type=kind, label=label)
    if type_name:
        item.type_name = ".uff." + type_name
    return item


def map_field(message, name, number, owner, key, value, value_type):
    """A protobuf map: a repeated nested entry message."""
    entry_name = "".join(part.capitalize() for part in name.split("_")) + "Entry"
    entry = message.nested_type.add(name=entry_name)
    entry.options.map_entry = True
    field(entry, "key", 1, key)
    field(entry, "value", 2, value, value_type)
    field(message, name, number, 11, f"{owner}.{entry_name}", label=3)


def schema():
    file = descriptor_pb2.FileDescriptorProto(name="uff.proto", package="uff", syntax="proto3")
    types = file.enum_type.add(name="DataType")
    for name, value in (("DT_INVALID", 0), ("DT_INT8", 0x10008), ("DT_INT16", 0x10010),
                        ("DT_INT32", 0x10020), ("DT_INT64", 0x10040), ("DT_FLOAT16", 0x20010),
                        ("DT_FLOAT32", 0x20020)):  # fmt: skip
        types.value.add(name=name, number=value)
    for name, kind in LISTS.items():
        field(file.message_type.add(name=name), "val", 1, kind, label=3)
    field(file.message_type.add(name="ListDataType"), "val", 1, 14, "DataType", 3)
    field(file.message_type.add(name="ListDimensionOrders"), "val", 1, 11, "DimensionOrders", 3)
    orders = file.message_type.add(name="DimensionOrders")
    map_field(orders, "orders", 1, "DimensionOrders", 5, 11, "ListINT64")
    data = file.message_type.add(name="Data")
    data.oneof_decl.add(name="data_oneof")
    for name, number, kind, type_name in DATA:
        field(data, name, number, kind, type_name).oneof_index = 0
    descriptor = file.message_type.add(name="Descriptor")
    for name, number, kind in (("id", 1, 9), ("version", 2, 3), ("optional", 3, 8)):
        field(descriptor, name, number, kind)
    node = file.message_type.add(name="Node")
    field(node, "id", 1, 9)
    field(node, "inputs", 2, 9, label=3)
    field(node, "operation", 3, 9)
    map_field(node, "fields", 4, "Node", 9, 11, "Data")
    graph = file.message_type.add(name="Graph")
    field(graph, "id", 1, 9)
    field(graph, "nodes", 2, 11, "Node", 3)
    meta = file.message_type.add(name="MetaGraph")
    field(meta, "version", 1, 3)
    field(meta, "descriptor_core_version", 2, 3)
    field(meta, "descriptors", 3, 11, "Descriptor", 3)
    field(meta, "graphs", 4, 11, "Graph", 3)
    map_field(meta, "referenced_data", 5, "MetaGraph", 9, 11, "Data")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("uff.MetaGraph"))


META_GRAPH = schema()

integers = st.integers(-(1 << 63), (1 << 63) - 1)
floats = st.floats(allow_nan=False)
names = st.text(max_size=8)
orders = st.builds(lambda axes: uff.DimensionOrders({-1: axes}), st.lists(integers, max_size=4))
types = st.sampled_from([0, 0x10008, 0x20020]).map(uff.DataType)
values = st.one_of(
    names, floats, st.booleans(), integers, st.binary(max_size=40), types, orders,
    *(st.lists(item, max_size=4)
      for item in (names, floats, st.booleans(), integers, types, orders)),
)  # fmt: skip


@st.composite
def meta_graphs(draw):
    meta = uff.MetaGraph()
    for name in draw(st.lists(names, max_size=2)):
        meta.add_descriptor(name, draw(integers), draw(st.booleans()))
    data = draw(st.dictionaries(names, values, max_size=3))
    for key, value in data.items():
        meta.add_data(key, value)
    for _ in range(draw(st.integers(0, 2))):
        fields = draw(st.dictionaries(names, values, max_size=3))
        if data:
            fields["ref"] = uff.Reference(next(iter(data)))
        meta.add_node(draw(names), draw(names), draw(st.lists(names, max_size=2)), fields)
    return meta


@settings(max_examples=150, deadline=None)
@given(meta_graphs())
def test_protobuf_reads_what_is_written(meta):
    data = uff.encode(meta)
    message = META_GRAPH.FromString(data)
    again = message.SerializeToString(deterministic=True)
    assert len(again) == len(data)
    assert META_GRAPH.FromString(again) == message
    reread = uff.read_bytes(again)
    assert META_GRAPH.FromString(uff.encode(reread)) == message


@settings(max_examples=150, deadline=None)
@given(meta_graphs())
def test_protobuf_reads_the_text_form(meta):
    message = META_GRAPH.FromString(uff.encode(meta))
    blobs = list(message.referenced_data.values())
    blobs += [item for node in message.graphs[0].nodes for item in node.fields.values()]
    for item in blobs:
        if len(item.blob) > 32:
            item.blob = b"(...%d bytes skipped...)" % len(item.blob)
    assert text_format.Parse(uff.to_text(meta), META_GRAPH()) == message


def test_the_text_form_is_that_of_protobuf():
    meta = uff.MetaGraph()
    meta.add_descriptor("tensorflow_extension")
    meta.add_data("orders_N+C", [uff.DimensionOrders({-1: [0, 2, 2147483647, 1]})])
    meta.add_data("weights_w", b"\x00\xff'\"")
    fields = {"z": 0.20000000298023224, "a": [1, -1], "e": [], "t": uff.DataType(0x20020)}
    meta.add_node("n", "Op", ["x", "y"], fields | {"r": uff.Reference("weights_w"), "b": False})
    message = META_GRAPH.FromString(uff.encode(meta))
    assert uff.to_text(meta) == text_format.MessageToString(message)


@pytest.mark.models
def test_the_text_form_of_a_real_file_is_that_of_protobuf(models_dir):
    path = models_dir / "grumperka-lenet5" / "lenet5.uff"
    message = META_GRAPH.FromString(path.read_bytes())
    for item in message.referenced_data.values():
        if len(item.blob) > 32:
            item.blob = b"(...%d bytes skipped...)" % len(item.blob)
    text = uff.to_text(uff.read_file(str(path)))
    assert text == text_format.MessageToString(message)


def test_values_come_back_and_blobs_keep_their_owner():
    meta = uff.MetaGraph()
    value = {"s": "é", "d": 1.5, "b": True, "i": -1, "l": [1, 2], "f": [0.5], "e": [], "n": None}
    meta.add_node("n", "Op", ["a"], value)
    meta.add_data("w", bytearray(b"abc"))
    again = uff.read_bytes(uff.encode(meta))
    assert again.nodes[0].fields == value
    blob = again.referenced_data["w"]
    del again
    view = memoryview(blob)
    assert view.readonly
    assert bytes(view) == b"abc"


def test_refuses_values_that_uff_cannot_hold():
    meta = uff.MetaGraph()
    with pytest.raises(TypeError, match="no UFF data"):
        meta.add_data("k", object())
    with pytest.raises(ValueError, match="contiguous"):
        meta.add_data("k", memoryview(b"abcdef")[::2])
