"""Which of a checkpoint's variables are a network's, and what to do where they do not fit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import commonpath

from chexnet_trt._core import InputError
from chexnet_trt.models.variables import Shape

SCOPE_OPTION = "--checkpoint_scope"
_SHOWN = 3
_SLOT = re.compile(
    r"/(Adam|Momentum|RMSProp|Adagrad|Adadelta|Ftrl|Linear|LARSOptimizer|ExponentialMovingAverage)"
    r"(_\d+)?$"
)


@dataclass(frozen=True)
class Match:
    """names: the network's variable -> the checkpoint's. notice: what was left out, and why."""

    names: dict[str, str]
    notice: str | None = None


def match(
    found: Mapping[str, Shape],
    expected: Mapping[str, Shape],
    *,
    source: str,
    scope: str | None = None,
    new_head: bool = False,
) -> Match:
    """Finds every expected variable, or raises InputError with the difference.

    scope: stands in the checkpoint where the network's names have their common scope.
    Steps and optimizers' slots of the checkpoint are passed over.
    new_head: the dense layer is left out where the checkpoint has another number of classes or
    none at all, as transfer learning wants.
    """
    own = _common_scope(expected)
    theirs = own if scope is None else f"{scope.strip('/')}/".lstrip("/")
    names = {name: theirs + name.removeprefix(own) for name in expected}
    notice = _take_out_head(names, found, expected) if new_head else None
    fitting = {name: key for name, key in names.items() if found.get(key) == expected[name]}
    if len(fitting) < len(names):
        raise InputError(
            f"{source} does not fit the network: "
            + "; ".join(_difference(names, found, expected))
            + _advice(found, expected, own, theirs, len(fitting))
        )
    return Match(names, notice)


def _common_scope(names: Iterable[str]) -> str:
    """`a/b/` of `a/b/c/x`, `a/b/d/x`; empty when there is none."""
    path = commonpath([name.rpartition("/")[0] for name in names])
    return f"{path}/" if path else ""


def _take_out_head(
    names: dict[str, str], found: Mapping[str, Shape], expected: Mapping[str, Shape]
) -> str | None:
    """Removes the dense layer from `names` where it is another one; says so."""
    kernel = next(name for name, shape in expected.items() if len(shape) == 2)
    layer = kernel.removesuffix("/kernel")
    features, classes = expected[kernel]
    head = [kernel, f"{layer}/bias"]
    shapes = [found.get(names[name]) for name in head]
    if shapes == [None, None]:
        there = "is not in the checkpoint"
    elif shapes[0] and shapes[0][0] == features and shapes[0][1:] == shapes[1] != (classes,):
        there = f"has {shapes[0][1]} classes in the checkpoint and {classes} here"
    else:
        return None
    for name in head:
        del names[name]
    return f"left out: '{layer}' {there}; it starts at random and has to be trained"


def _difference(
    names: Mapping[str, str], found: Mapping[str, Shape], expected: Mapping[str, Shape]
) -> Iterator[str]:
    missing = [key for key in names.values() if key not in found]
    wrong = [name for name, key in names.items() if key in found and found[key] != expected[name]]
    used = set(names.values())
    unused = [key for key in found if key not in used and not _is_training_state(key, found)]
    yield f"{len(names) - len(missing) - len(wrong)} of its {len(names)} variables found"
    if missing:
        yield "missing: " + _listing(missing)
    if wrong:
        yield "of another shape: " + _listing(
            f"{names[name]} {list(found[names[name]])} instead of {list(expected[name])}"
            for name in wrong
        )
    if unused:
        yield "not used: " + _listing(unused)


def _advice(
    found: Mapping[str, Shape], expected: Mapping[str, Shape], own: str, theirs: str, fitting: int
) -> str:
    fits: Counter[str] = Counter()
    wanted = {name.removeprefix(own): shape for name, shape in expected.items()}
    for name, shape in found.items():
        starts = [0] + [place + 1 for place, letter in enumerate(name) if letter == "/"]
        fits.update(name[:start] for start in starts if wanted.get(name[start:]) == shape)
    prefix, count = fits.most_common(1)[0] if fits else ("", 0)
    if prefix == theirs or count <= max(fitting, len(expected) // 2):
        return ""
    there = f"begin with '{prefix}'" if prefix else f"have no scope before '{next(iter(wanted))}'"
    here = f"'{theirs}' is" if theirs else "no scope is"
    return (
        f"; the checkpoint's names {there} where {here} expected: give "
        f"{SCOPE_OPTION}={prefix.rstrip('/')}"
    )


def _is_training_state(name: str, found: Mapping[str, Shape]) -> bool:
    """Steps, rates and losses are scalars; optimizers name a slot after its variable."""
    return not found[name] or bool(_SLOT.search(name)) or name.rpartition("/")[0] in found


def _listing(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more
