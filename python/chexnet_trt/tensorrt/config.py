"""The configuration of TensorRT's builder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chexnet_trt import _core
from chexnet_trt.tensorrt.adapter import Api
from chexnet_trt.tensorrt.options import OPTIMIZATION_LEVELS, Batches, Options

_MIB = 1 << 20


def configure(api: Api, builder: Any, options: Options) -> Any:  # noqa: ANN401
    """A configuration of `builder` without its optimisation profile. Raises InputError."""
    config = builder.create_builder_config()
    config.profiling_verbosity = api.trt.ProfilingVerbosity.DETAILED
    if not options.tf32:
        config.clear_flag(api.trt.BuilderFlag.TF32)
    if options.workspace_mib is not None:
        pool = api.trt.MemoryPoolType.WORKSPACE
        config.set_memory_pool_limit(pool, options.workspace_mib * _MIB)
    if options.optimization_level is not None:
        if options.optimization_level not in OPTIMIZATION_LEVELS:
            raise _core.InputError(
                f"optimisation level {options.optimization_level}: it is 0 ... "
                f"{OPTIMIZATION_LEVELS[-1]}"
            )
        config.builder_optimization_level = options.optimization_level
    if options.compute_capabilities:
        _set_capabilities(api, config, options.compute_capabilities)
    if options.timing_cache:
        _read_timing_cache(api, config, Path(options.timing_cache))
    return config


def add_profile(builder: Any, config: Any, graph: _core.Graph, batches: Batches) -> None:  # noqa: ANN401
    """The batch sizes of the inputs that have a batch, if there are any."""
    batched = [node for node in graph.inputs if None in node.shape]
    if not batched:
        return
    profile = builder.create_optimization_profile()
    for node in batched:
        sizes = (batches.least, batches.best, batches.most)
        shapes = [tuple(size if n is None else n for n in node.shape) for size in sizes]
        profile.set_shape(node.name, *shapes)
    config.add_optimization_profile(profile)


def known_capabilities(api: Api) -> list[str]:
    """Those that plans can be built for, as "8.9"; none where the module builds for its own device.

    They are members of an enum, SM89.
    """
    if not api.is_rtx:
        return []
    names = [name for name in api.trt.ComputeCapability.__members__ if name.startswith("SM")]
    return [f"{name[2:-1]}.{name[-1]}" for name in names]


def capability_text(api: Api, options: Options) -> str:
    """For which devices a plan is, in words."""
    if options.compute_capabilities:
        return f"compute capability {', '.join(options.compute_capabilities)}"
    if api.is_rtx:
        return "compute capability 8.0 and newer, but not 9.0"
    return "the GPU that it was built on"


def _set_capabilities(api: Api, config: Any, capabilities: tuple[str, ...]) -> None:  # noqa: ANN401
    known = known_capabilities(api)
    if not known:
        raise _core.InputError(
            f"{api.name} builds for the device that it runs on: compute capabilities are for "
            "tensorrt_rtx"
        )
    config.num_compute_capabilities = len(capabilities)
    for index, capability in enumerate(capabilities):
        if capability not in known:
            raise _core.InputError(
                f"{api} builds for no compute capability '{capability}', only {', '.join(known)}"
            )
        member = api.trt.ComputeCapability.__members__["SM" + capability.replace(".", "")]
        config.set_compute_capability(member, index)


def _read_timing_cache(api: Api, config: Any, path: Path) -> None:  # noqa: ANN401
    """An unreadable one is TensorRT's to refuse; one that is not there yet begins empty."""
    if api.is_rtx:
        raise _core.InputError(
            "a timing cache is for tensorrt: tensorrt_rtx tunes on the device, when it first runs"
        )
    set_timing_cache(config, path)


def set_timing_cache(config: Any, path: Path) -> None:  # noqa: ANN401
    data = path.read_bytes() if path.exists() else b""
    cache = config.create_timing_cache(data)
    if cache is None or not config.set_timing_cache(cache, False):
        raise _core.InputError(
            f"TensorRT does not take the timing cache '{path}': it is of another version or device;"
            " remove it"
        )


def write_timing_cache(config: Any, path: Path) -> None:  # noqa: ANN401
    """What TensorRT measured, for the next build. Raises InputError when that fails."""
    _core.write_file(str(path), bytes(config.get_timing_cache().serialize()))
