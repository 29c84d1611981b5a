"""The arrays of one inference: checked against an engine's inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt import _core

Array = NDArray[Any]


@dataclass(frozen=True)
class Bound:
    """`inputs`: in C order, the engine's order of names; `outputs`: to be written."""

    batch: int
    inputs: dict[str, Array]
    outputs: dict[str, Array]


def bind(
    inputs: Sequence[_core.TensorInfo],
    outputs: Sequence[_core.TensorInfo],
    max_batch: int,
    bindings: Array | Mapping[str, Array],
) -> Bound:
    """Takes an array a named input, or the only input itself; outputs that are not given are made.

    Raises InputError when an array does not fit.
    """
    given = _by_name(inputs, outputs, bindings)
    batch = _batch_of(inputs, max_batch, given)
    return Bound(
        batch,
        {info.name: np.ascontiguousarray(_checked(info, given, batch)) for info in inputs},
        {
            info.name: _checked(info, given, batch) if info.name in given else empty(info, batch)
            for info in outputs
        },
    )


def empty(info: _core.TensorInfo, batch: int) -> Array:
    """An array for a tensor at a batch size, its numbers undefined."""
    return np.empty(shape_of(info, batch), dtype_of(info))


def dtype_of(info: _core.TensorInfo) -> np.dtype[Any]:
    try:
        return np.dtype(info.element)
    except TypeError:
        raise _core.InputError(f"NumPy has no {info.element}, the type of '{info.name}'") from None


def shape_of(info: _core.TensorInfo, batch: int) -> tuple[int, ...]:
    return tuple(batch if extent == -1 else extent for extent in info.shape)


def _by_name(
    inputs: Sequence[_core.TensorInfo],
    outputs: Sequence[_core.TensorInfo],
    bindings: Array | Mapping[str, Array],
) -> Mapping[str, Array]:
    if not isinstance(bindings, Mapping):
        if len(inputs) != 1:
            names = ", ".join(info.name for info in inputs)
            raise _core.InputError(f"the engine has several inputs: give a dict with {names}")
        return {inputs[0].name: bindings}
    known = {info.name for info in (*inputs, *outputs)}
    unknown = sorted(set(bindings) - known)
    if unknown:
        raise _core.InputError(
            f"the engine has no input or output '{unknown[0]}', only {', '.join(sorted(known))}"
        )
    return bindings


def _batch_of(
    inputs: Sequence[_core.TensorInfo], max_batch: int, given: Mapping[str, Array]
) -> int:
    for info in inputs:
        if -1 in info.shape and info.name in given:
            shape = np.shape(given[info.name])
            if len(shape) != len(info.shape):
                raise _misfit(info, given[info.name])
            batch = int(shape[0])
            if not 1 <= batch <= max_batch:
                raise _core.InputError(
                    f"input '{info.name}' has batch {batch}, the engine takes 1 ... {max_batch}; "
                    "split it, or build with a larger max batch"
                )
            return batch
    return 1


def _checked(info: _core.TensorInfo, given: Mapping[str, Array], batch: int) -> Array:
    if info.name not in given:
        raise _core.InputError(f"no array for the input '{info.name}'")
    array = given[info.name]
    fits = (
        isinstance(array, np.ndarray)
        and array.dtype == dtype_of(info)
        and array.shape == shape_of(info, batch)
    )
    if not fits:
        raise _misfit(info, array)
    return array


def _misfit(info: _core.TensorInfo, array: object) -> _core.InputError:
    expected = ", ".join("batch" if extent == -1 else str(extent) for extent in info.shape)
    if isinstance(array, np.ndarray):
        got = f"{array.dtype} {list(array.shape)}"
    else:
        got = f"a {type(array).__name__}"
    return _core.InputError(f"'{info.name}' takes {info.element} [{expected}], got {got}")
