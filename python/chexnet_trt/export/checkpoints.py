"""Weights of a checkpoint by the names of the network's variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from chexnet_trt._core import InputError
from chexnet_trt.export.matching import match
from chexnet_trt.models.layers import Array
from chexnet_trt.models.variables import Shape

BEST = "best"

# Key of a tf.train.Checkpoint(network=TensorFlowNetwork): "/" is written ".S" there, "." as "..".
_OBJECT_KEY = re.compile(r"network/weights_by_name/([^/]+)/\.ATTRIBUTES/VARIABLE_VALUE")
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_STEP = re.compile(r"-(\d+)$")
_FILE_SUFFIX = re.compile(r"\.(index|meta|data-\d+-of-\d+)$")


@dataclass(frozen=True)
class Checkpoint:
    """shapes: by name; of a TensorFlow 1 checkpoint with all that its training saved."""

    prefix: Path
    shapes: Mapping[str, Shape]
    _keys: Mapping[str, str]
    _reader: Any

    def read(self, name: str) -> NDArray[Any]:
        """Raises InputError when the data is damaged or is NaN or infinite somewhere."""
        try:
            value = np.asarray(self._reader.get_tensor(self._keys[name]))
        except (tf.errors.OpError, ValueError) as error:
            raise InputError(f"cannot read '{name}' of '{self.prefix}': {_first(error)}") from None
        if value.dtype.kind != "i" and not np.isfinite(value.astype(np.float32)).all():
            raise InputError(f"'{name}' of '{self.prefix}' holds NaN or infinity")
        return value


@dataclass(frozen=True)
class Weights:
    """values: by the network's names. notice: the layer that was left out, and why."""

    values: dict[str, Array]
    prefix: Path
    notice: str | None


def load_weights(
    path: str | Path,
    expected: Mapping[str, Shape],
    *,
    scope: str | None = None,
    new_head: bool = False,
) -> Weights:
    """The variables `expected` (models.variables) of a checkpoint; all of them or InputError.

    `scope` and `new_head`: see `matching.match`. With new_head the dense layer may be left out.
    """
    checkpoint = read_weights(path)
    found = match(
        checkpoint.shapes,
        expected,
        source=f"the checkpoint '{checkpoint.prefix}'",
        scope=scope,
        new_head=new_head,
    )
    values = {name: checkpoint.read(key).astype(np.float32) for name, key in found.names.items()}
    return Weights(values, checkpoint.prefix, found.notice)


def read_weights(path: str | Path) -> Checkpoint:
    """Opens a checkpoint: ours, whose keys are objects' paths, or TensorFlow 1's, by names.

    path: as `find_checkpoint` takes it. Raises InputError for what is no checkpoint of either kind.
    """
    prefix = find_checkpoint(path)
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        shapes = {key: tuple(s) for key, s in reader.get_variable_to_shape_map().items()}
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise InputError(f"cannot read the checkpoint '{prefix}': {_first(error)}") from None
    keys = _object_keys(shapes) if _OBJECT_GRAPH in shapes else {key: key for key in shapes}
    if not keys:
        raise InputError(
            f"the checkpoint '{prefix}' keeps its variables under other objects than this tool's "
            f"(such as '{min(shapes)}'): save a SavedModel of it and freeze that"
        )
    ordered = {name: shapes[key] for name, key in sorted(keys.items(), key=_natural)}
    return Checkpoint(prefix, ordered, keys, reader)


def find_checkpoint(path: str | Path) -> Path:
    """The prefix of a checkpoint's files.

    path: a prefix, one of its files, or a folder. Of a folder it is `best/` where there is one,
    else what its `checkpoint` file names, else the one with the highest step.
    Raises InputError when there is none.
    """
    path = Path(path)
    if path.is_dir():
        return _of_folder(path)
    prefix = path.with_name(_FILE_SUFFIX.sub("", path.name)) if path.name else path
    if prefix.with_name(f"{prefix.name}.index").is_file() or path.is_file():
        return prefix
    raise InputError(
        f"there is no checkpoint '{path}': give a folder, or a name such as model.ckpt-1234 whose "
        "file model.ckpt-1234.index exists"
    )


def _of_folder(folder: Path) -> Path:
    if (folder / BEST).is_dir():
        return _of_folder(folder / BEST)
    latest = tf.train.latest_checkpoint(str(folder))
    if latest is not None:
        return Path(latest)
    # The `checkpoint` file of a published model often names its author's folders.
    found = [path.with_suffix("") for path in folder.glob("*.index")]
    if not found:
        raise InputError(f"there is no checkpoint in '{folder}': no file there ends in .index")
    return max(found, key=_step)


def _object_keys(shapes: Mapping[str, Shape]) -> dict[str, str]:
    matches = {key: _OBJECT_KEY.fullmatch(key) for key in shapes}
    return {_unescape(found[1]): key for key, found in matches.items() if found}


def _unescape(name: str) -> str:
    return re.sub(r"\.(S|\.)", lambda found: "/" if found[1] == "S" else ".", name)


def _step(prefix: Path) -> int:
    found = _STEP.search(prefix.name)
    return int(found[1]) if found else -1


def _natural(item: tuple[str, str]) -> list[tuple[int, str]]:
    """Sorts conv2d_2 before conv2d_10."""
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", item[0])]


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
