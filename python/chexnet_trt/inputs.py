"""Parses NAME,C,H,W and NAME:FILE arguments that several commands share."""

from __future__ import annotations

from collections.abc import Iterable

from chexnet_trt._core import InputError


def parse_uff_inputs(arguments: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """`["input_tensor,3,256,256"]` -> `{"input_tensor": (3, 256, 256)}`.

    Raises InputError on anything but a name and one or three positive sizes, and on a name given
    twice.
    """
    inputs: dict[str, tuple[int, ...]] = {}
    for argument in arguments:
        name, *sizes = argument.split(",")
        try:
            dims = tuple(int(size) for size in sizes)
        except ValueError:
            dims = ()
        if not name or len(dims) not in (1, 3) or min(dims) < 1:
            raise InputError(f"--uffInput={argument}: expected NAME,C,H,W with positive sizes")
        if name in inputs:
            raise InputError(f"--uffInput={argument}: '{name}' is given twice")
        inputs[name] = dims
    return inputs


def parse_outputs(arguments: Iterable[str]) -> list[str]:
    """`["a,b", "c"]` -> `["a", "b", "c"]`. Raises InputError on a name given twice."""
    names = [name.strip() for argument in arguments for name in argument.split(",") if name.strip()]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--output={name} is given twice")
    return names
