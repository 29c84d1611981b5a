"""From an engine file to a plan in the device: the file's, or one that is built again."""

from __future__ import annotations

import logging

from chexnet_trt import _core
from chexnet_trt.tensorrt import adapter
from chexnet_trt.tensorrt.adapter import Api
from chexnet_trt.tensorrt.config import known_capabilities
from chexnet_trt.tensorrt.device import Device, open_device
from chexnet_trt.tensorrt.options import Batches, Options
from chexnet_trt.tensorrt.plan_builder import build_plan
from chexnet_trt.tensorrt.plan_header import read_plan_header
from chexnet_trt.tensorrt.runtime import LoadedPlan

logger = logging.getLogger("chexnet_trt.tensorrt")


def load_plan(core: _core.ExternalEngine, *, rebuild: bool) -> LoadedPlan:
    """`rebuild`: where the TensorRT that is here, or the device, does not take the engine's plan,
    builds another from its graph, with a warning.

    Raises BackendError where there is no GPU, or none that TensorRT runs on, or no TensorRT.
    """
    device = open_device()
    try:
        return LoadedPlan(_api_of(core), device, core.plan, core.inputs, core.outputs)
    except _core.BackendError as error:
        api = _builder_for(device) if rebuild else None
        if api is None:
            raise
        logger.warning("%s; building it again from the graph", error)
        return _rebuilt(core, api, device)


def _api_of(core: _core.ExternalEngine) -> Api:
    """What made the plan."""
    header = read_plan_header(core.plan)
    try:
        api = adapter.load(header.module)
        header.check(api)
    except _core.InputError as error:
        raise _core.BackendError(str(error)) from None
    return api


def _builder_for(device: Device) -> Api | None:
    """A TensorRT whose plans run on the device, as far as that is known before."""
    for name in adapter.installed():
        try:
            api = adapter.load(name)
        except _core.InputError:
            continue
        if not api.is_rtx or device.capability_text in known_capabilities(api):
            return api
    return None


def _rebuilt(core: _core.ExternalEngine, api: Api, device: Device) -> LoadedPlan:
    options = Options(compute_capabilities=(device.capability_text,) if api.is_rtx else ())
    batches = Batches(1, core.max_batch, core.max_batch)
    plan = build_plan(api, core.graph, precision=core.precision, batches=batches, options=options)
    return LoadedPlan(api, device, plan, core.inputs, core.outputs)
