"""Every name of NVIDIA's Python bindings that this folder uses, the releases that have it, and
where that is said.

`tools/check_tensorrt_api.py` looks the table up in the sources of the bindings, of every release
from 10.0 to 11.1 (the repository NVIDIA/TensorRT), and in the built bindings of 11.4; tests hold
the code to the table and the table to the bindings of tensorrt_rtx that are installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_GRAPH = "python/src/infer/pyGraph.cpp"
_CORE = "python/src/infer/pyCore.cpp"
_TYPES = "python/src/infer/pyFoundationalTypes.cpp"
_PACKAGE = "python/packaging/bindings_wheel/tensorrt/__init__.py"
RTX_DOCUMENT = "https://docs.nvidia.com/deeplearning/tensorrt-rtx/latest/"


@dataclass(frozen=True)
class Entry:
    """`owner`: the class, "" for the module itself. `parameters`: of a method, in order, all that
    are given to it. `enterprise`: releases of `tensorrt` that have it, "" for none; `rtx`: of
    `tensorrt_rtx`. `source`: the file of the bindings that defines it, or a document.
    """

    owner: str
    name: str
    parameters: tuple[str, ...]
    source: str
    enterprise: str = "10.0-11.4"
    rtx: str = "1.7"

    @property
    def path(self) -> str:
        return f"{self.owner}.{self.name}" if self.owner else self.name


# Methods of a class: name and parameters.
_METHODS = {
    (_GRAPH, "INetworkDefinition"): (
        "add_activation input type",
        "add_cast input to_type",
        "add_concatenation inputs",
        "add_constant shape weights",
        "add_convolution_nd input num_output_maps kernel_shape kernel bias",
        "add_deconvolution_nd input num_output_maps kernel_shape kernel bias",
        "add_dequantize input scale output_type",
        "add_elementwise input1 input2 op",
        "add_gather input indices axis",
        "add_identity input",
        "add_input name dtype shape",
        "add_lrn input window alpha beta k",
        "add_matrix_multiply input0 op0 input1 op1",
        "add_pooling_nd input type window_size",
        "add_quantize input scale output_type",
        "add_reduce input op axes keep_dims",
        "add_shape input",
        "add_shuffle input",
        "add_slice input start shape stride",
        "add_softmax input",
        "add_topk input op k axes",
        "add_unary input op",
        "mark_output tensor",
    ),
    (_GRAPH, "ILayer"): ("get_output index", "set_input index tensor"),
    (_CORE, "Builder"): (
        "build_serialized_network network config",
        "create_builder_config",
        "create_network flags",
        "create_optimization_profile",
    ),
    (_CORE, "IBuilderConfig"): (
        "add_optimization_profile profile",
        "clear_flag flag",
        "create_timing_cache serialized_timing_cache",
        "get_timing_cache",
        "set_memory_pool_limit pool pool_size",
        "set_timing_cache cache ignore_mismatch",
    ),
    (_CORE, "EngineInspector"): ("get_engine_information format",),
    (_CORE, "ICudaEngine"): (
        "create_engine_inspector",
        "create_execution_context",
        "get_tensor_dtype name",
        "get_tensor_name index",
        "get_tensor_profile_shape name profile_index",
        "get_tensor_shape name",
    ),
    (_CORE, "IExecutionContext"): (
        "execute_async_v3 stream_handle",
        "report_to_profiler",
        "set_input_shape name shape",
        "set_tensor_address name memory",
    ),
    (_CORE, "IProfiler"): ("report_layer_time layer_name ms",),
    (_CORE, "Runtime"): ("deserialize_cuda_engine serialized_engine",),
    (_CORE, "IOptimizationProfile"): ("set_shape input min opt max",),
    (_CORE, "ITimingCache"): ("serialize",),
    (_CORE, "ILogger"): ("log severity msg",),
    (_CORE, "IProgressMonitor"): (
        "phase_start phase_name parent_phase num_steps",
        "step_complete phase_name step",
        "phase_finish phase_name",
    ),
}

# Attributes that are read or set.
_ATTRIBUTES = {
    (_GRAPH, "ILayer"): "name",
    (_GRAPH, "ITensor"): "dtype is_network_input is_network_output name shape",
    (_GRAPH, "IActivationLayer"): "alpha beta",
    (_GRAPH, "IConcatenationLayer"): "axis",
    (_GRAPH, "IConvolutionLayer"): "dilation_nd num_groups post_padding pre_padding stride_nd",
    (_GRAPH, "IDeconvolutionLayer"): "post_padding pre_padding stride_nd",
    (_GRAPH, "IDequantizeLayer"): "axis",
    (_GRAPH, "IPoolingLayer"): "average_count_excludes_padding post_padding pre_padding stride_nd",
    (_GRAPH, "IQuantizeLayer"): "axis",
    (_GRAPH, "IShuffleLayer"): "first_transpose reshape_dims",
    (_GRAPH, "ISliceLayer"): "mode",
    (_GRAPH, "ISoftMaxLayer"): "axes",
    (_CORE, "EngineInspector"): "execution_context",
    (_CORE, "IBuilderConfig"): "builder_optimization_level profiling_verbosity progress_monitor",
    (_CORE, "ICudaEngine"): "num_io_tensors",
    (_CORE, "IExecutionContext"): "enqueue_emits_profile profiler",
}

# Classes of the module, and the members that are used of its enums.
_MEMBERS = {
    (_GRAPH, "ActivationType"): ("CLIP ELU LEAKY_RELU RELU SELU SIGMOID SOFTPLUS SOFTSIGN TANH"),
    (_GRAPH, "ElementWiseOperation"): "DIV MAX MIN POW PROD SUB SUM",
    (_GRAPH, "MatrixOperation"): "NONE TRANSPOSE",
    (_GRAPH, "PoolingType"): "AVERAGE MAX",
    (_GRAPH, "ReduceOperation"): "AVG MAX MIN PROD SUM",
    (_GRAPH, "SampleMode"): "FILL",
    (_GRAPH, "TopKOperation"): "MAX MIN",
    (_GRAPH, "UnaryOperation"): (
        "ABS ACOS ACOSH ASIN ASINH ATAN ATANH CEIL COS COSH EXP FLOOR LOG NEG RECIP SIN SINH SQRT "
        "TAN"
    ),
    (_CORE, "BuilderFlag"): "TF32",
    (_CORE, "LayerInformationFormat"): "JSON",
    (_CORE, "MemoryPoolType"): "WORKSPACE",
    (_CORE, "NetworkDefinitionCreationFlag"): "STRONGLY_TYPED",
    (_CORE, "ProfilingVerbosity"): "DETAILED",
    (_TYPES, "DataType"): "BF16 FLOAT HALF INT32 INT64 INT8 UINT8",
    (_CORE, "ILogger.Severity"): "INFO VERBOSE WARNING",
    (_CORE, "Builder"): "",
    (_CORE, "ILogger"): "",
    (_CORE, "IProfiler"): "",
    (_CORE, "IProgressMonitor"): "",
    (_CORE, "Runtime"): "",
    (_TYPES, "Weights"): "",
}

_PYTHON = (Entry("", "nptype", ("trt_type",), _PACKAGE),)

_RTX_ONLY = (
    Entry("IExecutionContext", "is_stream_capturable", ("stream",), RTX_DOCUMENT, enterprise=""),
    Entry("", "ComputeCapability", (), RTX_DOCUMENT, enterprise=""),
    Entry("ComputeCapability", "__members__", (), RTX_DOCUMENT, enterprise=""),
    Entry("IBuilderConfig", "num_compute_capabilities", (), RTX_DOCUMENT, enterprise=""),
    Entry(
        "IBuilderConfig",
        "set_compute_capability",
        ("compute_capability", "index"),
        RTX_DOCUMENT,
        enterprise="",
    ),
)


def _entries() -> Iterator[Entry]:
    for (source, owner), lines in _METHODS.items():
        for line in lines:
            name, *parameters = line.split()
            yield Entry(owner, name, tuple(parameters), source)
    for (source, owner), names in _ATTRIBUTES.items():
        for name in names.split():
            yield Entry(owner, name, (), source)
    for (source, owner), names in _MEMBERS.items():
        outer, _, inner = owner.rpartition(".")
        yield Entry(outer, inner, (), source)
        for name in names.split():
            yield Entry(owner, name, (), source)
    yield from _PYTHON
    yield from _RTX_ONLY


ENTRIES: tuple[Entry, ...] = tuple(_entries())
