"""Running a network with one tool: a module each, with `open_session(mode, setting)`."""

from __future__ import annotations

import importlib
from typing import Any, Protocol

from numpy.typing import NDArray

from chexnet_trt.compare.modes import Mode
from chexnet_trt.compare.setting import Setting

Array = NDArray[Any]


class Bound(Protocol):
    """A network ready for one batch size."""

    @property
    def input(self) -> Array:
        """float32, in the session's layout; what it holds when `run` begins is inferred."""

    def run(self) -> Array:
        """One inference: scores [batch, classes], as the host gets them."""

    def device_times(self, count: int) -> list[float]:
        """Milliseconds of computing alone, of further inferences; empty where the tool does not
        tell them apart."""


class Session(Protocol):
    @property
    def layout(self) -> str:
        """nhwc or nchw, of the input."""

    @property
    def facts(self) -> dict[str, Any]:
        """What the tool says of how it runs the network, for JSON."""

    def bind(self, batch: int) -> Bound: ...


def open_session(mode: Mode, setting: Setting) -> Session:
    """Raises InputError or BackendError with the reason why this machine lacks the mode."""
    module = importlib.import_module(f"{__name__}.{mode.runtime}")
    session: Session = module.open_session(mode, setting)
    return session
