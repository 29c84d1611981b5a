"""Progress of long work: one rewritten line on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

# What long work calls, as a ProgressLine: with its stage, how much is done, and of how much.
Progress = Callable[[str, int, int], None]

_QUIET_INTERVAL = 30.0  # seconds; shorter work leaves no line in a log


class ProgressLine:
    """Shows `stage done/total, time left` on standard error."""

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._begin = self._last_line = clock()
        self._done = self._width = 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = self._clock()
        if done < self._done:  # Another stage, whose pace is its own.
            self._begin = now
        self._done = done
        elapsed = now - self._begin
        left = f", about {elapsed / done * (total - done):.0f} s left" if 0 < done < total else ""
        text = f"[{done}/{total}] {stage}{left}"
        if self._stream.isatty():
            self._show(text)
        elif now - self._last_line >= _QUIET_INTERVAL:
            self._last_line = now
            self._stream.write(text + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Clears the line."""
        if self._width:
            self._show("")

    def _show(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._width) + ("" if text else "\r"))
        self._stream.flush()
        self._width = len(text)
