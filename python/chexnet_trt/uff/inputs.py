"""The -I option: nodes of the graph that become inputs of the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chexnet_trt._core import InputError
from chexnet_trt._core.uff import DataType
from chexnet_trt.uff import graph_def as tf
from chexnet_trt.uff.constants import UFF_TYPES

_ALIASES = {"float": "float32", "half": "float16", "int": "int32"}


@dataclass
class InputReplacement:
    name: str
    new_name: str
    dtype: DataType
    shape: list[int]


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
    dtypes = {str(key): value for key, value in UFF_TYPES.items()}
    dtype = parts[2].lower().removeprefix("dt_").removeprefix("tf.").removeprefix("np.")
    dtype = _ALIASES.get(dtype, dtype)
    if dtype not in dtypes:
        raise InputError(f"-I '{text}': no type '{parts[2]}', only {', '.join(sorted(dtypes))}")
    try:
        shape = [int(part) for part in parts[3:]]
    except ValueError:
        raise InputError(f"-I '{text}': the dimensions must be whole numbers") from None
    if any(size < -1 or size > np.iinfo(np.int32).max for size in shape):
        raise InputError(f"-I '{text}': a dimension is -1 (unknown) or a size")
    return InputReplacement(name, parts[1] or name, dtypes[dtype], shape)
