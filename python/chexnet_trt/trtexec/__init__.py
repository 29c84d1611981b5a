"""The trtexec command line: its flags, its loop, its report."""

from __future__ import annotations
