"""Arguments that several commands share: counts, NAME,C,H,W, outputs, what to write."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

from chexnet_trt._core import InputError

LARGEST = 2**31 - 1


def positive(text: str) -> int:
    """argparse type: an integer of at least 1."""
    return _integer(text, 1)


def non_negative(text: str) -> int:
    """argparse type: an integer of at least 0."""
    return _integer(text, 0)


def _integer(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value <= LARGEST:
        raise argparse.ArgumentTypeError(f"{text} is not an integer from {least} to {LARGEST}")
    return value


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
        if not name or len(dims) not in (1, 3) or not 1 <= min(dims) <= max(dims) <= LARGEST:
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


def target_of(model: str, save: str | None, suffix: str) -> Path:
    """The file to write: `save`, else the network's name with `suffix`. Raises InputError."""
    if not Path(model).name:
        raise InputError(f"'{model}' is not the name of a network file")
    return Path(save) if save else Path(model).with_suffix(suffix)


def check_targets(*paths: str | Path | None) -> None:
    """Raises InputError when a file cannot be written for its folder's sake; before long work."""
    for path in paths:
        if path is None:
            continue
        target = Path(path)
        if target.is_dir() or not target.name:
            raise InputError(f"cannot write '{path}': it is a folder; name a file")
        if target.exists() and not target.is_file():
            raise InputError(f"cannot write '{path}': it is a device or a pipe; name a file")
        if not target.parent.is_dir():
            raise InputError(f"cannot write '{path}': there is no folder '{target.parent}'")
        if not os.access(target.parent, os.W_OK):
            raise InputError(f"cannot write '{path}': no permission to write in '{target.parent}'")


def make_folder(folder: str | Path) -> Path:
    """Makes it, with its parents, where there is none; before long work.

    Raises InputError when it cannot be made or cannot be written in.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder '{folder}': {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"no permission to write in '{folder}'")
    return folder
