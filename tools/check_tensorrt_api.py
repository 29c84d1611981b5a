"""Looks up chexnet_trt.tensorrt.api_table in NVIDIA's own sources.

    python tools/check_tensorrt_api.py CLONE_OF_NVIDIA_TENSORRT [BINDINGS.whl ...]

In the clone: the Python bindings at every tag from v10.0.0 on. In a wheel of built bindings
(tensorrt_cu13_bindings): the names among its strings, for releases whose sources are not published.
Prints what is missing where; exits 1 if anything is.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from chexnet_trt.tensorrt.api_table import ENTRIES, Entry

_TAG = re.compile(r"v(\d+)\.(\d+)")


def _git(clone: str, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", clone, *words], check=True, capture_output=True, text=True
    ).stdout


def _tags(clone: str) -> Iterator[str]:
    tags = [tag for tag in _git(clone, "tag").split() if _TAG.match(tag)]
    numbers = {tag: tuple(map(int, _TAG.match(tag).groups())) for tag in tags}
    yield from sorted((tag for tag in tags if numbers[tag] >= (10, 0)), key=numbers.__getitem__)


def _sources(clone: str, tag: str) -> dict[str, str]:
    """Text by file name."""
    names = sorted({entry.source for entry in ENTRIES if entry.enterprise})
    return {name: _git(clone, "show", f"{tag}:{name}") for name in names}


def _parts(text: str, owner: str) -> Iterator[str]:
    """What follows the binding of a class or enum, up to the next one; and what is defined by way
    of the variable that holds it.
    """
    name = owner.split(".")[-1]
    for start in re.finditer(rf'py::(?:class_|enum_)<[^"]*"{name}"', text):
        end = re.compile(r"\n\s*py::(class_|enum_)<").search(text, start.end())
        yield text[start.end() : end.start() if end else len(text)]
        for variable in re.findall(r"> (\w+)\{", start.group()):
            for use in re.finditer(rf"\b{variable}\.", text):
                yield text[use.end() : text.find(";", use.end())]


def _defined(entry: Entry, text: str) -> bool:
    """A class; or a name in its own class's part, with the parameters behind it, in their order."""
    if any(_parts(text, entry.path)) or f"def {entry.name}({', '.join(entry.parameters)})" in text:
        return True
    for part in _parts(text, entry.owner):
        for found in re.finditer(rf'"{entry.name}"', part):
            rest = part[found.end() :].split(".def", 1)[0]
            if _in_order(entry.parameters, re.findall(r'"(\w+)"_a', rest)):
                return True
    return False


def _in_order(wanted: tuple[str, ...], found: list[str]) -> bool:
    return list(wanted) == [name for name in found if name in wanted]


def _missing_in_source(clone: str, tag: str) -> list[str]:
    sources = _sources(clone, tag)
    return [
        entry.path
        for entry in ENTRIES
        if entry.enterprise and not _defined(entry, sources[entry.source])
    ]


def _missing_in_wheel(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as wheel:
        binary = b"".join(wheel.read(name) for name in wheel.namelist() if name.endswith(".so"))
    return [
        entry.path
        for entry in ENTRIES
        if entry.enterprise
        and entry.source.endswith(".cpp")
        and not all(name.encode() + b"\0" in binary for name in (entry.name, *entry.parameters))
    ]


def main(clone: str, *wheels: str) -> int:
    results = {tag: _missing_in_source(clone, tag) for tag in _tags(clone)}
    results |= {Path(wheel).name: _missing_in_wheel(Path(wheel)) for wheel in wheels}
    for where, missing in results.items():
        print(f"{where:<12} {'all there' if not missing else 'lacks ' + ', '.join(missing)}")
    return int(any(results.values()))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
