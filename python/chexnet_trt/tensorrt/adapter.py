"""Finds NVIDIA's bindings. What differs between `tensorrt` 10, 11 and `tensorrt_rtx` is here."""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from chexnet_trt import _core
from chexnet_trt.tensorrt.log import Log

ENTERPRISE, RTX = "tensorrt", "tensorrt_rtx"
MODULES = (ENTERPRISE, RTX)
# Compute capabilities of GPUs of data centres, which tensorrt_rtx refuses with "Supported compute
# capabilities: 8.0 8.6 8.9 12.0 12.1 >12.0".
REFUSED_BY_RTX = frozenset({"9.0", "10.0", "10.3"})
OLDEST = {ENTERPRISE: (10, 0), RTX: (1, 7)}

MISSING = (
    "no TensorRT: pip install 'chexnet_trt[tensorrt-rtx]' (GPUs from compute capability 7.5 but "
    "not 9.0; builds without a GPU), or 'chexnet_trt[tensorrt]' (all GPUs; builds where it runs)"
)


@dataclass(frozen=True)
class Api:
    """One of NVIDIA's modules. `version`: its numbers, most significant first."""

    trt: Any
    name: str
    version: tuple[int, ...]
    log: Log

    @property
    def is_rtx(self) -> bool:
        return self.name == RTX

    @property
    def repeats_kernels(self) -> bool:
        """Whether a plan has the source text of a kernel (130 KB in tensorrt_rtx 1.7) once for
        every number that is handed to it by value, such as a single scale. A kernel that reads its
        numbers from memory is there once.
        """
        return self.is_rtx

    def __str__(self) -> str:
        return f"{self.name} {'.'.join(map(str, self.version))}"

    def create_builder(self) -> Any:  # noqa: ANN401
        """Raises BackendError with TensorRT's words where it has none: `tensorrt` without a GPU."""
        self.log.clear()
        try:
            return self.trt.Builder(self.log.sink)
        except TypeError:  # What the bindings make of a null pointer.
            words = "; ".join(self.log.errors()) or "it does not say why"
            raise _core.BackendError(f"{self} cannot build here: {words}") from None

    def create_network(self, builder: Any) -> Any:  # noqa: ANN401
        """Strongly typed: the types of tensors are those of the network, which 11 always does. The
        number of the flag differs between releases.
        """
        flag = self.trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED
        return builder.create_network(1 << int(flag))


def load(name: str | None = None) -> Api:
    """The module called `name`, or the one that is installed (`tensorrt` before `tensorrt_rtx`).

    Raises InputError saying how to get one.
    """
    if name is not None and name not in MODULES:
        raise _core.InputError(f"no TensorRT is called '{name}': {' or '.join(MODULES)}")
    present = installed()
    if name is None and not present:
        raise _core.InputError(MISSING)
    wanted = name or present[0]
    if wanted not in present:
        extra = wanted.replace("_", "-")
        raise _core.InputError(f"no {wanted} here: pip install 'chexnet_trt[{extra}]'")
    return _load(wanted)


def installed() -> tuple[str, ...]:
    """The modules that Python can find; nothing is loaded."""
    return tuple(name for name in MODULES if importlib.util.find_spec(name) is not None)


@functools.cache
def _load(name: str) -> Api:
    try:
        trt = import_module(name)
        version = version_numbers(trt.__version__)
    except (ImportError, OSError, AttributeError, ValueError) as error:
        # A library that is not there is an OSError of the loader, or an ImportError.
        raise _core.InputError(f"{name} is installed and does not load: {error}") from error
    if version < OLDEST[name]:
        least = ".".join(map(str, OLDEST[name]))
        raise _core.InputError(f"{name} {trt.__version__} is too old: {least} or newer is needed")
    return Api(trt, name, version, Log(trt))


def version_numbers(text: str) -> tuple[int, ...]:
    """10.16.1.11 -> (10, 16, 1, 11); what follows the numbers is left out."""
    numbers = []
    for part in text.split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    if not numbers:
        raise ValueError(f"'{text}' is no version")
    return tuple(numbers)
