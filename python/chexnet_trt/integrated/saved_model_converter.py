"""A SavedModel with engines from a SavedModel, with the interface of TensorFlow's own converter."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import tensorflow as tf

from chexnet_trt._core import InputError
from chexnet_trt.int8 import Int8
from chexnet_trt.integrated.calibration_graph import recording_graph, start_calibration
from chexnet_trt.integrated.conversion import Converted, Settings, build, divide
from chexnet_trt.integrated.engine_op import load_op_library
from chexnet_trt.integrated.meaningless import say_meaningless
from chexnet_trt.integrated.report import Report
from chexnet_trt.integrated.saved_models import ServedGraph, read_saved_model, write_saved_model
from chexnet_trt.integrated.segments import ENGINE_OP
from chexnet_trt.uff.graph_def import GraphDef

v1 = tf.compat.v1

ConcreteFunction: TypeAlias = Any
# Gives batches: an array for the only input, arrays in the order of the signature's sorted keys, or
# arrays by key.
InputFunction: TypeAlias = Callable[[], Iterable[Any]]

_WORKSPACE = 1 << 30


class TrtConversionParams(NamedTuple):
    """What the converter takes in one argument, too."""

    max_workspace_size_bytes: int = _WORKSPACE
    precision_mode: str = "FP32"
    minimum_segment_size: int = 3
    maximum_cached_engines: int = 1
    use_calibration: bool = True
    allow_build_at_runtime: bool = True


class TrtGraphConverterV2:
    """convert, then build (on data, to learn the largest batch), then save.

    precision_mode: FP32, FP16 or INT8, which is permitted, not forced. max_batch_size: None for the
    largest batch that `convert` and `build` are shown. fallback: TensorFlow computes a segment
    whose engine fails, and says so; else that is an error. Arguments that mean nothing here are
    accepted; the log says why.
    """

    def __init__(
        self,
        input_saved_model_dir: str | Path | None = None,
        input_saved_model_tags: list[str] | None = None,
        input_saved_model_signature_key: str | None = None,
        use_dynamic_shape: bool | None = None,
        dynamic_shape_profile_strategy: str | None = None,
        max_workspace_size_bytes: int = _WORKSPACE,
        precision_mode: str = "FP32",
        minimum_segment_size: int = 3,
        maximum_cached_engines: int = 1,
        use_calibration: bool = True,
        allow_build_at_runtime: bool = True,
        conversion_params: TrtConversionParams | None = None,
        *,
        max_batch_size: int | None = None,
        fallback: bool = False,
    ) -> None:
        if input_saved_model_dir is None:
            raise InputError("give input_saved_model_dir")
        given = conversion_params or TrtConversionParams(
            max_workspace_size_bytes,
            precision_mode,
            minimum_segment_size,
            maximum_cached_engines,
            use_calibration,
            allow_build_at_runtime,
        )
        say_meaningless(
            use_dynamic_shape=(use_dynamic_shape, None),
            dynamic_shape_profile_strategy=(dynamic_shape_profile_strategy, None),
            max_workspace_size_bytes=(given.max_workspace_size_bytes, _WORKSPACE),
            maximum_cached_engines=(given.maximum_cached_engines, 1),
            allow_build_at_runtime=(given.allow_build_at_runtime, True),
        )
        self._settings = Settings(
            max_batch_size or 1, given.precision_mode.upper(), given.minimum_segment_size, fallback
        )
        self._learns_batch = max_batch_size is None
        self._use_calibration = given.use_calibration
        self._served = read_saved_model(
            input_saved_model_dir, input_saved_model_tags, input_saved_model_signature_key
        )
        self._partition = divide(
            self._served.graph, list(self._served.outputs.values()), given.minimum_segment_size
        )
        self._see_batch(self._partition.fixed_batch or 1)
        self._int8: dict[str, Int8] = {}
        self._converted: Converted | None = None

    def convert(self, calibration_input_fn: InputFunction | None = None) -> ConcreteFunction:
        """Builds the engines, for INT8 after the calibration on all that the function gives.

        Returns the converted function: arrays in the order of the sorted input keys -> arrays by
        key. Raises InputError when INT8 has no calibration_input_fn.
        """
        if self._settings.precision == "INT8":
            self._calibrate(calibration_input_fn)
        elif calibration_input_fn is not None:
            raise InputError("calibration_input_fn is for INT8 alone")
        return self._build()

    def build(self, input_fn: InputFunction) -> None:
        """Runs the converted function on all that `input_fn` gives, for batches larger than the
        engines' with engines built anew. Raises InputError before `convert`."""
        self._finished()
        batches = [self._arguments(item) for item in input_fn()]
        built_for = self._settings.max_batch
        for arguments in batches:
            self._see_batch(len(arguments[0]))
        if self._settings.max_batch > built_for:
            self._build()
        function = as_function(self._finished().graph, self._served)
        for arguments in batches:
            function(*arguments)

    def save(
        self,
        output_saved_model_dir: str | Path,
        save_gpu_specific_engines: bool = True,
        options: Any = None,  # noqa: ANN401
    ) -> None:
        """Writes the SavedModel, its engines in it; a process that loads it calls load_op_library
        before. Raises InputError before `convert`, and when the folder exists."""
        say_meaningless(
            save_gpu_specific_engines=(save_gpu_specific_engines, True), options=(options, None)
        )
        graph = self._finished().graph
        load_op_library()
        write_saved_model(output_saved_model_dir, replace(self._served, graph=graph))

    def summary(
        self,
        line_length: int = 160,
        detailed: bool = True,
        print_fn: Callable[[str], object] | None = None,
    ) -> None:
        """Prints which nodes became engines and, with `detailed`, why the others did not."""
        say = print_fn or _print
        for line in self.report.lines(detailed=detailed):
            say(line if len(line) <= line_length else f"{line[: line_length - 3]}...")

    @property
    def report(self) -> Report:
        return self._finished().report

    def _finished(self) -> Converted:
        if self._converted is None:
            raise InputError("call convert first")
        return self._converted

    def _build(self) -> ConcreteFunction:
        self._converted = build(self._partition, self._settings, self._int8)
        return as_function(self._converted.graph, self._served)

    def _calibrate(self, input_fn: InputFunction | None) -> None:
        calibration = start_calibration(self._partition)
        if not calibration.recorders:
            return
        if input_fn is None or not self._use_calibration:
            raise InputError("INT8 needs its calibration: give calibration_input_fn")
        function = as_function(recording_graph(calibration), self._served)
        for item in input_fn():
            arguments = self._arguments(item)
            self._see_batch(len(arguments[0]))
            function(*arguments)
        self._int8 = calibration.int8()

    def _see_batch(self, size: int) -> None:
        if self._learns_batch and size > self._settings.max_batch:
            self._settings = replace(self._settings, max_batch=size)

    def _arguments(self, item: Any) -> list[tf.Tensor]:  # noqa: ANN401
        keys = sorted(self._served.inputs)
        if isinstance(item, Mapping):
            missing = [key for key in keys if key not in item]
            if missing:
                raise InputError(f"the input function gives nothing for '{missing[0]}'")
            values = [item[key] for key in keys]
        else:
            values = list(item) if isinstance(item, list | tuple) else [item]
        if len(values) != len(keys):
            raise InputError(
                f"the input function gives {len(values)} arrays for the inputs {', '.join(keys)}"
            )
        return [tf.convert_to_tensor(value) for value in values]


def as_function(graph: GraphDef, served: ServedGraph) -> ConcreteFunction:
    """The graph as a function: tensors in the order of the sorted input keys -> tensors by key."""
    if any(node.op == ENGINE_OP for node in graph.node):
        load_op_library()
    wrapped = v1.wrap_function(lambda: v1.import_graph_def(graph, name=""), [])

    def tensor(name: str) -> tf.Tensor:
        return wrapped.graph.get_tensor_by_name(name)

    return wrapped.prune(
        [tensor(served.inputs[key]) for key in sorted(served.inputs)],
        {key: tensor(name) for key, name in served.outputs.items()},
    )


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
