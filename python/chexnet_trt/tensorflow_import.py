"""Loading TensorFlow: without its start-up messages, and with a clear one where it is missing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from chexnet_trt._core import InputError


def import_tensorflow(purpose: str) -> None:
    """Call before the first import of a module that has TensorFlow at its top.

    TensorFlow's own logs are errors only from here on, unless TF_CPP_MIN_LOG_LEVEL says otherwise.
    Raises InputError, beginning with `purpose`, when it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    try:
        with _quiet_libraries():
            import tensorflow as tf
    except ImportError as error:
        raise InputError(
            f"{purpose} needs TensorFlow: pip install 'chexnet_trt[train]' ({error})"
        ) from None
    tf.get_logger().setLevel("ERROR")


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Discards what shared libraries print while they load, which no log level governs."""
    if "tensorflow" in sys.modules:
        yield
        return
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:  # noqa: PTH123 - a device
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
