"""The calibration graph: TensorFlow's own graph, with a node in front of every segment that records
what flows into it.

As with the original it is run in the process that made it, on representative data; what it gives is
right at the same time.
"""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from chexnet_trt import _core
from chexnet_trt import int8 as quantization
from chexnet_trt._core import InputError
from chexnet_trt.calibration import Method, provenance
from chexnet_trt.int8 import Int8
from chexnet_trt.integrated.conversion import Partition, Settings
from chexnet_trt.integrated.dataflow import TensorType
from chexnet_trt.integrated.segments import Segment
from chexnet_trt.network import Network
from chexnet_trt.uff.graph_def import GraphDef, NodeDef

v1 = tf.compat.v1

_KEY = "_chexnet_trt_calibration"
_SUFFIX = "_calibration"
_RECORDING_OP = "PyFunc"

_calibrations: dict[str, tuple[Calibration, Settings]] = {}


class Recorder:
    """Calibrates one segment, image by image, so that the batch size makes no difference."""

    def __init__(self, segment: Segment, network: Network, types: Mapping[str, TensorType]) -> None:
        self._network, self._method = network, Method()
        self._session = _core.CalibrationSession(
            network.optimized,
            backend="openvino",
            algorithm=self._method.algorithm,
            percentile=self._method.percentile,
            max_batch=1,
            threads=0,
            sample_limit=self._method.counted,
        )
        self._lock = threading.Lock()
        self._digest = hashlib.sha256()
        self.tensors = [segment.subgraph.inputs[info.name] for info in self._session.inputs]
        # TensorFlow finds the function by a token as long as this graph lives.
        self._graph = tf.Graph()
        with self._graph.as_default():
            fed = [v1.placeholder(types[tensor].dtype) for tensor in self.tensors]
            v1.py_func(self.record, fed, [], stateful=True, name="record")

    def node(self) -> NodeDef:
        """The node that calls this recorder, without its inputs."""
        (node,) = (node for node in self._graph.as_graph_def().node if node.name == "record")
        del node.input[:]
        return node

    def record(self, *values: NDArray[Any]) -> None:
        """values: a batch of each of `tensors`."""
        with self._lock:
            for row in range(len(values[0])):
                images = [np.ascontiguousarray(value[row : row + 1]) for value in values]
                for image in images:
                    self._digest.update(image.tobytes())
                self._session.add(1, images)

    def int8(self) -> Int8:
        """Raises InputError when nothing was recorded."""
        count = self._session.image_count
        if not count:
            raise InputError(
                "the calibration graph has seen no data: run it on representative ones"
            )
        method = self._method
        return quantization.from_table(
            _core.CalibrationTable(
                _core.CalibrationTable.header_for(method.algorithm),
                self._session.ranges(),
                provenance(
                    self._network, str(method), method.counted, self._digest.hexdigest(), count
                ),
            )
        )


@dataclass(frozen=True)
class Calibration:
    """recorders: by segment; without those in which nothing can be quantised."""

    partition: Partition
    recorders: Mapping[str, Recorder]

    def int8(self) -> dict[str, Int8]:
        return {name: recorder.int8() for name, recorder in self.recorders.items()}


def start_calibration(partition: Partition) -> Calibration:
    found = partition.segmentation
    recorders = {
        each.name: Recorder(each, partition.networks[each.name], found.flow.types)
        for each in found.segments
        if _core.quantization_points(partition.networks[each.name].optimized)
    }
    return Calibration(partition, recorders)


def recording_graph(calibration: Calibration) -> GraphDef:
    """The graph to run on data before `calibration.int8()`."""
    found = calibration.partition.segmentation
    graph = type(found.flow.graph)()
    graph.CopyFrom(found.flow.graph)
    nodes = {node.name: node for node in graph.node}
    for each in found.segments:
        if each.name not in calibration.recorders:
            continue
        recorder = calibration.recorders[each.name]
        node = graph.node.add()
        node.CopyFrom(recorder.node())
        node.name = each.name + _SUFFIX
        node.input.extend(recorder.tensors)
        for output in each.subgraph.outputs:
            nodes[output].input.append(f"^{node.name}")
    return graph


def keep_calibration(calibration: Calibration, settings: Settings) -> GraphDef:
    """Its recording graph, marked so that `taken_calibration` finds both by it."""
    graph = recording_graph(calibration)
    key = uuid.uuid4().hex
    for node in graph.node:
        if node.op == _RECORDING_OP and node.name.removesuffix(_SUFFIX) in calibration.recorders:
            node.attr[_KEY].s = key.encode()
    _calibrations[key] = (calibration, settings)
    return graph


@contextmanager
def taken_calibration(graph: GraphDef) -> Iterator[tuple[Calibration, Settings]]:
    """What `keep_calibration` was given; forgotten afterwards unless something failed.

    Raises InputError for one that is no calibration graph or was made in another process.
    """
    keys = {node.attr[_KEY].s.decode() for node in graph.node if _KEY in node.attr}
    if not keys:
        raise InputError(
            "this is no calibration graph: take what create_inference_graph gives for INT8"
        )
    key = keys.pop()
    if key not in _calibrations:
        raise InputError(
            "the ranges of this calibration graph are not in this process: make it, run it and "
            "convert it in one process, and convert it once"
        )
    yield _calibrations[key]
    del _calibrations[key]
