"""What this machine can do with TensorRT, and why not more. Nothing is built, nothing run."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

from chexnet_trt import _core
from chexnet_trt.tensorrt import adapter
from chexnet_trt.tensorrt.adapter import ENTERPRISE, REFUSED_BY_RTX, RTX

# CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR of cuda.h.
_CAPABILITY = (75, 76)
SELF_TEST = "python -m chexnet_trt self-test ENGINE"


@dataclass(frozen=True)
class Presence:
    """`modules`: those that load, with their versions. `missing`: why nothing can be built, or
    empty. `builds`, `runs`: what this machine can do, in words.
    """

    modules: tuple[str, ...]
    missing: str
    builds: str
    runs: str


def presence() -> Presence:
    """Loads the modules that are installed."""
    apis, problems = [], []
    for name in adapter.installed():
        try:
            apis.append(adapter.load(name))
        except _core.InputError as error:
            problems.append(str(error))
    modules = tuple(str(api) for api in apis)
    if not apis:
        return Presence(modules, "; ".join(problems) or adapter.MISSING, "no", "no")
    names = [api.name for api in apis]
    try:
        capabilities, problem = gpus(), ""
    except OSError as error:
        capabilities, problem = [], str(error)
    return Presence(modules, "", _builds(names, problem), _runs(names, capabilities, problem))


def _builds(names: Sequence[str], problem: str) -> str:
    if RTX in names:
        return "yes, with or without a GPU"
    return (
        f"no: {problem}, and tensorrt builds on the GPU that it is to run on" if problem else "yes"
    )


def _runs(names: Sequence[str], capabilities: Sequence[str], problem: str) -> str:
    check = f"to check one that is there: {SELF_TEST}"
    if problem:
        return f"no: {problem}; {check}"
    if ENTERPRISE not in names and REFUSED_BY_RTX.issuperset(capabilities):
        return f"no: tensorrt_rtx refuses compute capability {', '.join(capabilities)}; {check}"
    return f"on compute capability {', '.join(capabilities)}, where the plan is for it; {check}"


def gpus() -> list[str]:
    """Compute capabilities of NVIDIA's GPUs here, by the driver's word, as "8.9". Raises OSError
    saying why there are none.
    """
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        raise OSError("there is no NVIDIA driver (libcuda.so.1)") from None
    count = ctypes.c_int(0)
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if status != 0:
        raise OSError(f"the NVIDIA driver says error {status}")
    if count.value == 0:
        raise OSError("the NVIDIA driver sees no GPU")
    return [_capability(driver, device) for device in range(count.value)]


def _capability(driver: ctypes.CDLL, device: int) -> str:
    parts = []
    for attribute in _CAPABILITY:
        value = ctypes.c_int(0)
        driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
        parts.append(str(value.value))
    return ".".join(parts)
