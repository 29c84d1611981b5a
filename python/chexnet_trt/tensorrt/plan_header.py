"""The head of a TensorRT plan, read without TensorRT.

 0  magic: "vtrt" tensorrt_rtx, "ftrt" tensorrt (sampleEngines.cpp of NVIDIA/TensorRT)
 4  u32 serialisation version of "ftrt": 0
16  u64 size of the plan ("vtrt")
24  u8  major, minor, patch, build of the TensorRT that made it
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from chexnet_trt import _core
from chexnet_trt.tensorrt.adapter import ENTERPRISE, RTX, Api

_MODULES = {b"vtrt": RTX, b"ftrt": ENTERPRISE}
_SIZE = 28


@dataclass(frozen=True)
class PlanHeader:
    """`module`: tensorrt or tensorrt_rtx, whose `version` made the plan."""

    module: str
    version: tuple[int, int, int, int]

    def __str__(self) -> str:
        return f"{self.module} {'.'.join(map(str, self.version))}"

    def check(self, api: Api) -> None:
        """Raises InputError unless `api` is what made the plan, but for the build number: a plan is
        for one release alone.
        """
        if self.module == api.name and self.version[:3] == api.version[:3]:
            return
        release = ".".join(map(str, self.version[:3]))
        raise _core.InputError(
            f"the plan was made by {self} and this is {api}: install {self.module} {release}, or "
            "build the engine again"
        )


def read_plan_header(plan: bytes | memoryview) -> PlanHeader:
    """Raises InputError on what is no plan, or is cut off."""
    head = bytes(plan[:_SIZE])
    module = _MODULES.get(head[:4])
    if module is None or len(head) < _SIZE:
        raise _core.InputError("this is no plan of TensorRT: it does not begin as one")
    if module == ENTERPRISE and struct.unpack_from("<I", head, 4) != (0,):
        raise _core.InputError("the plan is of a newer TensorRT than this version knows")
    if module == RTX:
        (size,) = struct.unpack_from("<Q", head, 16)
        if size != len(plan):
            raise _core.InputError(
                f"the plan says that it has {size} bytes, and has {len(plan)}: it is damaged"
            )
    major, minor, patch, build = head[24:28]
    return PlanHeader(module, (major, minor, patch, build))
