"""One module a command; `cli.COMMANDS` is their list."""

from __future__ import annotations
