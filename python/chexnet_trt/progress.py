"""Progress of long work: one rewritten line on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO


class ProgressLine:
    """Shows `stage done/total, time left` on standard error while that is a terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._begin = time.monotonic()
        self._width = 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        if not self._stream.isatty():
            return
        elapsed = time.monotonic() - self._begin
        left = f", about {elapsed / done * (total - done):.0f} s left" if 0 < done < total else ""
        self._show(f"[{done}/{total}] {stage}{left}")

    def close(self) -> None:
        """Clears the line."""
        if self._width:
            self._show("")

    def _show(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._width) + ("" if text else "\r"))
        self._stream.flush()
        self._width = len(text)
