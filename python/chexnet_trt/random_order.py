"""A random order of names that depends on nothing but them and a seed."""

from __future__ import annotations

import hashlib


def rank(seed: int, name: str) -> bytes:
    """What to sort by."""
    return hashlib.sha256(f"{seed} {name}".encode()).digest()
