"""Why something is missing, in one line that may stand in a table."""

from __future__ import annotations

import re

from chexnet_trt._core import Error, printable

_LONGEST = 300


def reason_of(error: BaseException) -> str:
    """Our own errors speak for themselves; others come with their type."""
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        text = "not enough memory"
    elif not isinstance(error, Error):
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return shorten(text)


def shorten(text: str) -> str:
    """One line without the folders of this machine."""
    text = re.sub(r"(?<![\w.])/(?:[\w.+-]+/)+", "", " ".join(text.split()))
    text = str(printable(text))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
