"""The table of TensorRT's API names: the code is held to it, and it to the installed bindings."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from chexnet_trt.tensorrt import adapter, api_table
from chexnet_trt.tensorrt.api_table import ENTRIES, Entry

FOLDER = Path(api_table.__file__).parent
RTX = pytest.importorskip("tensorrt_rtx", reason="the extra tensorrt-rtx is not installed")

# Names of classes of ours, of Python's and of NumPy's that TensorRT has too.
OTHERS = {
    "DEBUG", "append", "clear", "constant", "count", "ctypes", "data", "engine", "enqueue", "flags",
    "float16", "float32", "insert", "int64", "int8", "is_constant", "itemsize", "max", "min",
    "node", "op", "scale", "scales", "size", "start", "value", "weights",
}  # fmt: skip


def members(module: ModuleType) -> set[str]:
    """Every public name of the bindings, of the module and of its classes."""
    found = set()
    for name, item in vars(module).items():
        if name.startswith("_"):
            continue
        found.add(name)
        if inspect.isclass(item):
            found |= {member for member in dir(item) if not member.startswith("_")}
    return found


def used() -> tuple[set[str], set[str]]:
    """Attributes; and names of functions, which TensorRT calls, and strings, for getattr."""
    attributes, words = set(), set()
    for path in FOLDER.glob("*.py"):
        if path.name == Path(api_table.__file__).name:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                attributes.add(node.attr)
            elif isinstance(node, ast.FunctionDef):
                words.add(node.name)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
    return attributes, words


def test_every_name_that_is_used_is_in_the_table():
    attributes, _ = used()
    known = {entry.name for entry in ENTRIES} | OTHERS
    assert sorted((attributes & members(RTX)) - known) == []


def test_nothing_in_the_table_is_unused():
    attributes, words = used()
    assert sorted({entry.name for entry in ENTRIES} - attributes - words) == []


def test_the_names_that_are_not_tensorrts_are_few_and_used():
    attributes, _ = used()
    assert attributes >= OTHERS
    assert not OTHERS & {entry.name for entry in ENTRIES}


def test_no_entry_is_there_twice():
    paths = [entry.path for entry in ENTRIES]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.path)
def test_the_installed_bindings_have_it(entry: Entry):
    item: Any = RTX
    for name in entry.path.split("."):
        item = getattr(item, name)
    if entry.parameters:
        assert takes(item, entry.parameters), item.__doc__


def takes(function: Any, parameters: tuple[str, ...]) -> bool:
    """Whether a signature of it has these parameters first, in this order."""
    if inspect.isfunction(function):
        return tuple(inspect.signature(function).parameters)[: len(parameters)] == parameters
    for line in (function.__doc__ or "").splitlines():
        found = re.findall(r"(?:\(|, )(\w+): ", line)
        if tuple(name for name in found if name != "self")[: len(parameters)] == parameters:
            return True
    return False


def test_a_signature_that_lacks_a_parameter_is_seen():
    add_topk = RTX.INetworkDefinition.add_topk
    assert takes(add_topk, ("input", "op", "k", "axes"))
    assert not takes(add_topk, ("input", "operation", "k", "axes"))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.path)
def test_releases_are_those_that_the_adapter_takes(entry: Entry):
    oldest = ".".join(map(str, adapter.OLDEST[adapter.ENTERPRISE]))
    assert entry.enterprise in ("", f"{oldest}-11.4")
    assert entry.rtx == ".".join(map(str, adapter.OLDEST[adapter.RTX]))
    assert entry.source.endswith((".cpp", ".py")) or entry.source.startswith("https://")
