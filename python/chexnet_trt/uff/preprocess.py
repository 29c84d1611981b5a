"""The -p option: a user's script that edits the graph before the conversion."""

from __future__ import annotations

import runpy
from pathlib import Path

from chexnet_trt._core import InputError
from chexnet_trt.uff import graph_def as tf


def run_preprocessor(path: str | Path, graph_def: tf.GraphDef) -> None:
    """Calls `preprocess(graph_def)` of the script, which edits the GraphDef in place. Raises
    InputError when the script cannot be run or fails."""
    try:
        preprocess = runpy.run_path(str(path)).get("preprocess")
        if not callable(preprocess):
            raise InputError(f"'{path}' does not define preprocess(graph_def)")
        preprocess(graph_def)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"the preprocessor '{path}' failed: {error}") from error
    except Exception as error:
        raise InputError(
            f"the preprocessor '{path}' failed: {type(error).__name__}: {error}"
        ) from error
