"""The -I option: nodes of the graph that become inputs of the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chexnet_trt._core import InputError
from chexnet_trt.uff import graph_def as tf

_TYPES = {
    "float": tf.DT_FLOAT, "float32": tf.DT_FLOAT, "half": tf.DT_HALF, "float16": tf.DT_HALF,
    "int": tf.DT_INT32, "int32": tf.DT_INT32, "int64": tf.DT_INT64, "int16": tf.DT_INT16,
    "int8": tf.DT_INT8,
}  # fmt: skip


@dataclass
class InputReplacement:
    name: str
    new_name: str
    dtype: int
    shape: list[int]

    def placeholder(self, old: tf.NodeDef) -> tf.NodeDef:
        """The node that takes the place of `old`."""
        node = type(old)(name=self.name, op="Placeholder")
        node.attr["dtype"].type = self.dtype
        node.attr["shape"].shape.SetInParent()
        for size in self.shape:
            node.attr["shape"].shape.dim.add(size=size)
        return node


def parse_replacements(
    texts: Sequence[str], graph: dict[str, tf.NodeDef]
) -> dict[str, InputReplacement]:
    """Reads "name,new_name,dtype,dim1,dim2,..."; an empty new_name keeps the name."""
    replacements = [_parse(text) for text in texts]
    for item in replacements:
        if item.name not in graph:
            raise InputError(
                f"-I names the node '{item.name}', which is not in the graph: list the nodes "
                "with -l"
            )
        if item.new_name != item.name and item.new_name in graph:
            raise InputError(f"-I renames '{item.name}' to '{item.new_name}', a name in use")
    return {item.name: item for item in replacements}


def _parse(text: str) -> InputReplacement:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) < 3 or not parts[0]:
        raise InputError(f"-I '{text}' is not of the form NAME,NEW_NAME,DTYPE,DIM1,DIM2,...")
    name = parts[0].removesuffix(":0")
    dtype = parts[2].lower().removeprefix("dt_").removeprefix("tf.").removeprefix("np.")
    if dtype not in _TYPES:
        raise InputError(f"-I '{text}': no type '{parts[2]}', only {', '.join(_TYPES)}")
    try:
        shape = [int(part) for part in parts[3:]]
    except ValueError:
        raise InputError(f"-I '{text}': the dimensions must be whole numbers") from None
    if any(size < -1 or size > np.iinfo(np.int32).max for size in shape):
        raise InputError(f"-I '{text}': a dimension is -1 (unknown) or a size")
    return InputReplacement(name, parts[1] or name, _TYPES[dtype], shape)
