"""The commands: HELP, EXAMPLE, add_arguments(parser), run(args) -> exit code."""

from __future__ import annotations
