"""Types and shapes of every tensor of a graph, and which of them have the batch in front."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import tensorflow as tf

from chexnet_trt._core import InputError
from chexnet_trt.export.inference_graph import PLACEHOLDERS
from chexnet_trt.integrated.dataflow import BATCH, Extent, TensorType, in_order, tensor_name
from chexnet_trt.uff.context import is_control, strip
from chexnet_trt.uff.graph_def import DT_FLOAT, GraphDef

v1 = tf.compat.v1

# Two sizes that hardly any divisor of a reshape spoils: what is the one in the first run and the
# other in the second is the batch.
_MARKERS = (840, 1680)


@dataclass(frozen=True)
class GraphTypes:
    """tensors: "node:index" -> type. fixed_batch: where the graph is written for one size alone.
    problem: why no tensor is known to have a batch; empty otherwise.
    """

    tensors: Mapping[str, TensorType]
    fixed_batch: int | None = None
    problem: str = ""


def infer_types(graph: GraphDef) -> GraphTypes:
    """By TensorFlow's own shape inference. All inputs share their batch: placeholders whose first
    extent is open or common to all, and images that the graph itself makes in a number unknown
    beforehand, by decoding files for example. Raises InputError for a graph that TensorFlow does
    not import.
    """
    fixed = _declared_batch(graph)
    images: dict[str, TensorType] = {}
    while True:
        try:
            first, second = (_infer(graph, marker, images) for marker in _MARKERS)
        except InputError as error:
            return _without_markers(_infer(graph, None, {}), fixed, str(error))
        types = {
            name: TensorType(found.dtype, _compared(found.shape, second[name].shape))
            for name, found in first.items()
        } | images
        more = _unknown_images(graph, types)
        if not more:
            return GraphTypes(types, fixed)
        images |= more


def _unknown_images(graph: GraphDef, types: Mapping[str, TensorType]) -> dict[str, TensorType]:
    """Tensors of images in an unknown number that are not computed from others such."""
    nodes = {node.name: node for node in graph.node}
    behind: set[str] = set()
    found = {}
    for name in in_order(nodes):
        made = types.get(f"{name}:0")
        if any(strip(item) in behind for item in nodes[name].input):
            behind.add(name)
        elif made and _is_unknown_number_of_images(made):
            behind.add(name)
            found[f"{name}:0"] = TensorType(made.dtype, (BATCH, *(made.shape or ())[1:]))
    return found


def _is_unknown_number_of_images(found: TensorType) -> bool:
    if found.dtype != DT_FLOAT or found.shape is None or len(found.shape) != 4:
        return False
    return found.shape[0] is None and None not in found.shape[1:]


def _compared(
    first: tuple[Extent, ...] | None, second: tuple[Extent, ...] | None
) -> tuple[Extent, ...] | None:
    if first is None or second is None or len(first) != len(second):
        return None
    return tuple(map(_compared_extent, first, second))


def _compared_extent(first: Extent, second: Extent) -> Extent:
    if first == second:
        return first
    return BATCH if (first, second) == _MARKERS else None


def _without_markers(
    declared: dict[str, TensorType], fixed: int | None, problem: str
) -> GraphTypes:
    """A graph whose reshapes name its one batch size: what begins with that size has the batch, if
    it is no integer, as shapes are."""
    if fixed is None:
        return GraphTypes(declared, None, f"the graph does not take every batch size: {problem}")

    def marked(found: TensorType) -> TensorType:
        if found.shape and found.shape[0] == fixed and found.dtype == DT_FLOAT:
            return TensorType(found.dtype, (BATCH, *found.shape[1:]))
        return found

    return GraphTypes({name: marked(found) for name, found in declared.items()}, fixed)


def _declared_batch(graph: GraphDef) -> int | None:
    """The first extent of the placeholders of rank 2 or more, where all say the same."""
    sizes = {shape[0] for shape in _placeholder_shapes(graph) if len(shape) > 1}
    return sizes.pop() if len(sizes) == 1 and min(sizes) > 0 else None


def _placeholder_shapes(graph: GraphDef) -> Iterator[list[int]]:
    for node in graph.node:
        if node.op in PLACEHOLDERS:
            yield [dim.size for dim in node.attr["shape"].shape.dim]


def _infer(
    graph: GraphDef, batch: int | None, images: Mapping[str, TensorType]
) -> dict[str, TensorType]:
    """batch: in place of the placeholders' own first extent. images: tensors that have it, too."""
    copy = v1.GraphDef.FromString(graph.SerializeToString())
    fixed = _declared_batch(graph)
    for node in copy.node:
        node.attr.pop("_output_shapes", None)
        if batch is not None and node.op in PLACEHOLDERS:
            shape = node.attr["shape"].shape
            if shape.dim and shape.dim[0].size in (-1, fixed):
                shape.dim[0].size = batch
    _replace(copy, images, batch)
    try:
        with tf.Graph().as_default() as imported:
            v1.import_graph_def(copy, name="")
    except (ValueError, tf.errors.OpError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"TensorFlow cannot import the graph: {reason}") from None
    return {
        tensor.name: TensorType(tensor.dtype.as_datatype_enum, _extents(tensor.shape))
        for operation in imported.get_operations()
        for tensor in operation.outputs
    }


def _replace(graph: GraphDef, images: Mapping[str, TensorType], batch: int | None) -> None:
    """Lets the readers of the tensors read placeholders of the batch."""
    taken = {tensor: f"{strip(tensor)}/images" for tensor in images}
    for node in graph.node:
        for index, item in enumerate(node.input):
            if not is_control(item):
                node.input[index] = taken.get(tensor_name(item), item)
    for tensor, name in taken.items():
        node = graph.node.add(name=name, op="Placeholder")
        node.attr["dtype"].type = images[tensor].dtype
        for extent in (batch, *(images[tensor].shape or ())[1:]):
            node.attr["shape"].shape.dim.add(size=extent)


def _extents(shape: tf.TensorShape) -> tuple[Extent, ...] | None:
    return None if shape.rank is None else tuple(shape.as_list())
