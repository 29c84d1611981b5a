"""Integrated mode: engines as nodes of a TensorFlow graph, TensorFlow running the rest."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chexnet_trt.integrated.engine_op import fallback_calls, load_op_library
from chexnet_trt.tensorflow_import import import_tensorflow

if TYPE_CHECKING:
    from chexnet_trt.integrated.graph_converter import (
        calib_graph_to_infer_graph,
        create_inference_graph,
    )
    from chexnet_trt.integrated.saved_model_converter import (
        TrtConversionParams,
        TrtGraphConverterV2,
    )
    from chexnet_trt.integrated.session import make_callable

__all__ = [
    "TrtConversionParams",
    "TrtGraphConverterV2",
    "calib_graph_to_infer_graph",
    "create_inference_graph",
    "fallback_calls",
    "load_op_library",
    "make_callable",
]

# Loaded when they are first asked for: they load TensorFlow, which a light command must not.
_HOMES = {
    "TrtConversionParams": "saved_model_converter",
    "TrtGraphConverterV2": "saved_model_converter",
    "calib_graph_to_infer_graph": "graph_converter",
    "create_inference_graph": "graph_converter",
    "make_callable": "session",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    import_tensorflow("integrated mode")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
