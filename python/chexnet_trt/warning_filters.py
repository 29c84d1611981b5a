"""Changing Python's warning filters where other threads may be changing them as well."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def warning_filter(action: Literal["error", "ignore"], category: type[Warning]) -> Iterator[None]:
    """The filter for one category, and the former filters afterwards; keep it short.

    The filters belong to the whole process: two threads that restored them in the order in which
    they began would leave one's filter for good.
    """
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter(action, category)
        yield
