"""Arguments of the original converters that mean nothing here, and why."""

from __future__ import annotations

import logging
from typing import Any

logger = logging.getLogger("chexnet_trt")

_ONE_ENGINE = "one engine takes every batch size up to its largest"
_REASONS = {
    "max_workspace_size_bytes": "engines take the memory that they need",
    "is_dynamic_op": _ONE_ENGINE,
    "maximum_cached_engines": _ONE_ENGINE,
    "cached_engine_batches": _ONE_ENGINE,
    "use_dynamic_shape": "the batch is open, other sizes are the graph's",
    "dynamic_shape_profile_strategy": "the batch is open, other sizes are the graph's",
    "allow_build_at_runtime": "engines are built by convert and build alone",
    "save_gpu_specific_engines": "engines are compiled where they are loaded",
    "options": "a SavedModel is written in one way",
    "rewriter_config": "TensorFlow's own graph optimizer is not run",
    "session_config": "no session is needed",
}


def say_meaningless(**given: tuple[Any, Any]) -> None:
    """given: argument -> its value and its default. The log says of each that was given."""
    for name, (value, default) in given.items():
        if value != default:
            logger.info("%s has no effect: %s", name, _REASONS[name])
