"""
The native core of chexnet_trt; import chexnet_trt instead.
"""

from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
import typing_extensions
from . import uff

__all__: list[str] = [
    "Average",
    "BackendError",
    "BackendStatus",
    "BenchResult",
    "CLASS_ACTIVATION_OUTPUT",
    "CalibrationSession",
    "CalibrationTable",
    "DeviceTimes",
    "Engine",
    "Error",
    "ExecutionContext",
    "ExternalEngine",
    "Graph",
    "GraphBuilder",
    "Histogram",
    "InputError",
    "LayerInfo",
    "LayerProfile",
    "LayerTime",
    "Node",
    "Provenance",
    "Statistics",
    "Summary",
    "TensorInfo",
    "Trace",
    "add_class_activation",
    "averages",
    "backends",
    "build_engine",
    "calibration_method_name",
    "device_fingerprint",
    "device_name",
    "device_precisions",
    "embed_preprocessing",
    "entropy_threshold",
    "input_infos",
    "is_engine_file",
    "load_engine",
    "min_max_threshold",
    "op_names",
    "optimize",
    "percentile_threshold",
    "printable",
    "profile_layers",
    "quantization_points",
    "quantize",
    "run_bench",
    "set_log_sink",
    "storable_amax",
    "summarize",
    "summarize_layers",
    "uff",
    "unfilter_png_rows",
    "write_file",
    "write_files",
]

class Error(RuntimeError):
    pass

class InputError(Error):
    pass

class BackendError(Error):
    pass

class Node:
    """
    One operation of a Graph and the value it computes.
    """
    def __eq__(self, arg0: typing.Any) -> bool: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    @property
    def attributes(self) -> dict:
        """
        Name to value; a constant has its data under 'value'.
        """
    @property
    def element_type(self) -> str:
        """
        NumPy's name of the element type.
        """
    @property
    def inputs(self) -> list[Node]: ...
    @property
    def name(self) -> str: ...
    @property
    def op(self) -> str: ...
    @property
    def shape(self) -> tuple:
        """
        Extents; None stands for the batch.
        """
    @property
    def value(self) -> typing.Any:
        """
        A constant's data as a read-only view without a copy, else None.
        """

class Graph:
    """
    An inference network with TensorFlow's semantics; immutable from here.
    """
    def __len__(self) -> int: ...
    def find(self, name: str) -> typing.Any:
        """
        The node called `name`, or None.
        """
    def hash(self) -> str:
        """
        SHA-256 over structure and weights.
        """
    def to_text(self) -> str:
        """
        One line a node; constants as offsets into the weights.
        """
    def verify(self) -> None:
        """
        Raises InputError naming the first node that is wrong.
        """
    @property
    def inputs(self) -> list[Node]: ...
    @property
    def nodes(self) -> list[Node]:
        """
        Every node; inputs come before their users.
        """
    @property
    def outputs(self) -> list:
        """
        (name, node) for each output.
        """

class GraphBuilder:
    """
    Makes a Graph node by node.
    """
    def __init__(self) -> None: ...
    def add(
        self, op: str, name: str, inputs: collections.abc.Sequence[str] = [], attributes: dict = {}
    ) -> Node:
        """
        Adds a node that reads the nodes named in `inputs`; `attributes` as Node.attributes has them, what is not given keeps its default. Raises InputError where the op table refuses it.
        """
    def add_output(self, name: str, node: str) -> None:
        """
        Publishes a node's value as the output `name`.
        """
    def finish(self) -> Graph:
        """
        The graph, verified; nothing can be added then.
        """

class Histogram:
    """
    Counts of |x| in bins whose width is a power of two; depends on nothing but the values.
    """
    def __init__(self) -> None: ...
    def add(self, values: numpy.typing.NDArray[numpy.float32]) -> None:
        """
        Counts a float32 array in C order. Raises InputError on NaN or infinity.
        """
    def merge(self, other: Histogram) -> None: ...
    @property
    def bin_width(self) -> float: ...
    @property
    def counts(self) -> numpy.typing.NDArray[numpy.uint64]:
        """
        Of the bins up to that of max_abs.
        """
    @property
    def max(self) -> float: ...
    @property
    def max_abs(self) -> float: ...
    @property
    def min(self) -> float: ...
    @property
    def total(self) -> int:
        """
        Values counted.
        """
    @property
    def zeros(self) -> int:
        """
        Of them those that are 0.
        """

class Provenance:
    """
    What a calibration table was made from.
    """
    def __init__(
        self,
        *,
        network_sha256: str,
        images_sha256: str,
        image_count: typing.SupportsInt | typing.SupportsIndex,
        preprocessing_sha256: str,
        algorithm: str,
        sample_limit: typing.SupportsInt | typing.SupportsIndex,
        calibrator_version: typing.SupportsInt | typing.SupportsIndex = 1,
    ) -> None: ...
    def mismatch(self, found: Provenance) -> str:
        """
        The first field in which `found` differs, with both values; '' when none does.
        """
    @property
    def algorithm(self) -> str: ...
    @property
    def calibrator_version(self) -> int: ...
    @property
    def image_count(self) -> int: ...
    @property
    def images_sha256(self) -> str: ...
    @property
    def network_sha256(self) -> str: ...
    @property
    def preprocessing_sha256(self) -> str: ...
    @property
    def sample_limit(self) -> int:
        """
        Numbers of a value that an image counts with; 0: all.
        """

class CalibrationTable:
    """
    Dynamic ranges (amax by value name) as TensorRT's calibration cache stores them.
    """
    @staticmethod
    def from_text(text: str) -> CalibrationTable: ...
    @staticmethod
    def header_for(
        algorithm: str, tensorrt_version: typing.SupportsInt | typing.SupportsIndex = 8601
    ) -> str:
        """
        The first line of a table made by entropy, minmax or percentile.
        """
    @staticmethod
    def read(path: str) -> CalibrationTable: ...
    def __init__(
        self,
        header: str,
        ranges: collections.abc.Mapping[str, typing.SupportsFloat | typing.SupportsIndex],
        provenance: Provenance | None = None,
    ) -> None: ...
    def to_text(self) -> str: ...
    def write(self, path: str) -> None:
        """
        Writes the file whole or not at all.
        """
    @property
    def header(self) -> str: ...
    @property
    def provenance(self) -> Provenance | None:
        """
        None for a table that another tool wrote.
        """
    @property
    def ranges(self) -> dict[str, float]: ...

class BackendStatus:
    @property
    def cannot_run(self) -> str:
        """
        Empty when it runs engines here, else why not.
        """
    @property
    def devices(self) -> int:
        """
        How many are here, numbered from 0.
        """
    @property
    def missing(self) -> str:
        """
        Empty when it builds engines here, else why not and how to get it.
        """
    @property
    def name(self) -> str: ...

class TensorInfo:
    @property
    def element(self) -> str: ...
    @property
    def layout(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> list[int]:
        """
        -1 where the batch goes.
        """

class LayerInfo:
    @property
    def kernel(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def nodes(self) -> list[str]:
        """
        Names of the graph's nodes that it computes.
        """
    @property
    def precision(self) -> str: ...
    @property
    def type(self) -> str: ...

class DeviceTimes:
    """
    Of an inference, by the device, milliseconds.
    """
    @property
    def compute(self) -> float:
        """
        From the first kernel to the last.
        """
    @property
    def d2h(self) -> float:
        """
        Copying its outputs.
        """
    @property
    def h2d(self) -> float:
        """
        Copying its inputs.
        """

class LayerTime:
    @property
    def milliseconds(self) -> float: ...
    @property
    def name(self) -> str: ...

class Engine:
    manifest: str
    def compile(self, batch: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        Compiles a batch size now instead of on first use.
        """
    def host_memory(
        self, bytes: typing.SupportsInt | typing.SupportsIndex
    ) -> numpy.typing.NDArray[numpy.uint8]:
        """
        Zeroed, at a multiple of 64, and such that the device reads and writes it without the CPU where there is a choice.
        """
    def layers(self, batch: typing.SupportsInt | typing.SupportsIndex) -> list[LayerInfo]: ...
    def save(self, path: str) -> None: ...
    def with_profiling(self) -> Engine:
        """
        The same network, to be compiled so that layers are timed.
        """
    @property
    def backend(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def graph(self) -> Graph: ...
    @property
    def inputs(self) -> list[TensorInfo]: ...
    @property
    def max_batch(self) -> int: ...
    @property
    def max_cached_batches(self) -> int:
        """
        Compiled batch sizes that are kept, least recently used first out; 0: all.
        """
    @max_cached_batches.setter
    def max_cached_batches(self, arg1: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    @property
    def outputs(self) -> list[TensorInfo]: ...
    @property
    def precision(self) -> str: ...
    @property
    def profiling(self) -> bool: ...
    @property
    def slice(self) -> int:
        """
        Larger batches run in pieces of at most this size; 0: every batch whole.
        """
    @property
    def slices_at_once(self) -> int:
        """
        How many of them run side by side, each on its share of the threads.
        """
    @property
    def streams(self) -> int: ...
    @property
    def threads(self) -> int: ...

class ExecutionContext:
    def __init__(self, engine: Engine) -> None: ...
    def device_times(self) -> DeviceTimes | None:
        """
        Of the last inference; None where the device has no clock.
        """
    def enqueue(
        self,
        batch: typing.SupportsInt | typing.SupportsIndex,
        arrays: collections.abc.Sequence[typing.Any],
    ) -> None:
        """
        `arrays`: of NumPy, or with __cuda_array_interface__, whose contents are ready.
        """
    def layer_times(self) -> list[LayerTime]: ...
    def ready(self) -> bool: ...
    def wait(self) -> None: ...

class ExternalEngine:
    """
    An engine file of a runtime outside this library, as TensorRT is.
    """

    manifest: str
    def __init__(
        self,
        graph: Graph,
        *,
        backend: str,
        precision: str,
        max_batch: typing.SupportsInt | typing.SupportsIndex,
        fingerprint: str,
        device: str,
        plan: typing_extensions.Buffer,
    ) -> None:
        """
        `plan`: a buffer, which is kept and not copied.
        """
    def save(self, path: str) -> None: ...
    @property
    def backend(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def fingerprint(self) -> str:
        """
        What the plan depends on: the runtime, its version, the devices.
        """
    @property
    def graph(self) -> Graph: ...
    @property
    def inputs(self) -> list[TensorInfo]: ...
    @property
    def max_batch(self) -> int: ...
    @property
    def outputs(self) -> list[TensorInfo]: ...
    @property
    def plan(self) -> memoryview:
        """
        The runtime's own engine, read-only and without a copy.
        """
    @property
    def precision(self) -> str: ...

class CalibrationSession:
    """
    Finds dynamic ranges by running an optimised network in fp32.
    """
    def __init__(
        self,
        graph: Graph,
        *,
        backend: str,
        algorithm: str,
        percentile: typing.SupportsFloat | typing.SupportsIndex,
        max_batch: typing.SupportsInt | typing.SupportsIndex,
        threads: typing.SupportsInt | typing.SupportsIndex,
        sample_limit: typing.SupportsInt | typing.SupportsIndex,
    ) -> None: ...
    def add(
        self,
        batch: typing.SupportsInt | typing.SupportsIndex,
        arrays: collections.abc.Sequence[numpy.ndarray],
    ) -> None:
        """
        `batch` items: a C-contiguous array an input, in the network's order.
        """
    def ranges(self) -> dict[str, float]:
        """
        amax by value name.
        """
    @property
    def image_count(self) -> int: ...
    @property
    def inputs(self) -> list[TensorInfo]: ...

class Trace:
    def __init__(
        self,
        start_enqueue: typing.SupportsFloat | typing.SupportsIndex,
        end_enqueue: typing.SupportsFloat | typing.SupportsIndex,
        start_compute: typing.SupportsFloat | typing.SupportsIndex,
        end_compute: typing.SupportsFloat | typing.SupportsIndex,
        h2d_ms: typing.SupportsFloat | typing.SupportsIndex = 0,
        d2h_ms: typing.SupportsFloat | typing.SupportsIndex = 0,
    ) -> None: ...
    @property
    def compute_ms(self) -> float: ...
    @property
    def d2h_ms(self) -> float: ...
    @property
    def end_compute(self) -> float: ...
    @property
    def end_enqueue(self) -> float: ...
    @property
    def enqueue_ms(self) -> float: ...
    @property
    def h2d_ms(self) -> float: ...
    @property
    def latency_ms(self) -> float: ...
    @property
    def start_compute(self) -> float: ...
    @property
    def start_enqueue(self) -> float: ...

class BenchResult:
    def __init__(
        self,
        traces: collections.abc.Sequence[Trace],
        warm_up_queries: typing.SupportsInt | typing.SupportsIndex,
        random_input: bool,
        outputs: collections.abc.Sequence[bytes],
    ) -> None: ...
    @property
    def outputs(self) -> list[bytes]:
        """
        Raw bytes, one object an output.
        """
    @property
    def random_input(self) -> bool: ...
    @property
    def traces(self) -> list[Trace]: ...
    @property
    def warm_up_queries(self) -> int: ...

class Statistics:
    @property
    def coefficient_of_variation(self) -> float: ...
    @property
    def max(self) -> float: ...
    @property
    def mean(self) -> float: ...
    @property
    def median(self) -> float: ...
    @property
    def min(self) -> float: ...
    @property
    def percentiles(self) -> list[tuple[float, float]]: ...

class Summary:
    @property
    def batch(self) -> int: ...
    @property
    def compute(self) -> Statistics: ...
    @property
    def d2h(self) -> Statistics: ...
    @property
    def enqueue(self) -> Statistics: ...
    @property
    def h2d(self) -> Statistics: ...
    @property
    def images_per_second(self) -> float: ...
    @property
    def latency(self) -> Statistics: ...
    @property
    def queries(self) -> int: ...
    @property
    def throughput_qps(self) -> float: ...
    @property
    def total_compute_ms(self) -> float: ...
    @property
    def walltime_ms(self) -> float: ...
    @property
    def warnings(self) -> list[str]: ...

class Average:
    @property
    def compute_ms(self) -> float: ...
    @property
    def host_ms(self) -> float: ...
    @property
    def percentile_ms(self) -> float: ...
    @property
    def runs(self) -> int: ...

class LayerProfile:
    @property
    def average_ms(self) -> float: ...
    @property
    def median_ms(self) -> float: ...
    @property
    def name(self) -> str: ...
    @property
    def percentage(self) -> float: ...
    @property
    def total_ms(self) -> float: ...

def add_class_activation(graph: Graph) -> Graph:
    """
    The graph with its class activation maps as an output more, or InputError.
    """

def averages(
    traces: collections.abc.Sequence[Trace],
    avg_runs: typing.SupportsInt | typing.SupportsIndex,
    percentile: typing.SupportsFloat | typing.SupportsIndex = 99.0,
) -> list[Average]: ...
def backends() -> list[BackendStatus]:
    """
    Every backend that the project has.
    """

def build_engine(
    graph: Graph,
    *,
    backend: str,
    precisions: collections.abc.Sequence[str],
    obey: bool,
    ranges: collections.abc.Mapping[str, typing.SupportsFloat | typing.SupportsIndex] | None,
    high_precision: collections.abc.Set[str],
    signed_only: bool,
    ruled_out: collections.abc.Mapping[str, str],
    max_batch: typing.SupportsInt | typing.SupportsIndex,
    timing_batch: typing.SupportsInt | typing.SupportsIndex,
    slice: typing.SupportsInt | typing.SupportsIndex,
    slices_at_once: typing.SupportsInt | typing.SupportsIndex,
    threads: typing.SupportsInt | typing.SupportsIndex,
    streams: typing.SupportsInt | typing.SupportsIndex,
    profiling: bool,
    embed_blob: bool,
    class_activation: bool,
    timing_budget_ms: typing.SupportsFloat | typing.SupportsIndex,
    timing_cache: str,
    progress: typing.Any,
) -> tuple:
    """
    (engine, report)
    """

def calibration_method_name(
    algorithm: str, percentile: typing.SupportsFloat | typing.SupportsIndex
) -> str:
    """
    As tables name it: 'percentile 99.99'.
    """

def device_fingerprint(backend: str) -> str:
    """
    What a compiled engine depends on.
    """

def device_name(backend: str) -> str: ...
def device_precisions(backend: str) -> list[str]:
    """
    The precisions whose kernels the device has: 'fp32' and others.
    """

def embed_preprocessing(
    graph: Graph,
    mean: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex],
    std: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex],
) -> Graph:
    """
    The graph with its image input as uint8, normalised inside: (pixel - mean) / std.
    """

def entropy_threshold(histogram: Histogram) -> float:
    """
    amax with the smallest KL divergence to 128 levels (Migacz, GTC 2017).
    """

def input_infos(graph: Graph) -> list[TensorInfo]:
    """
    The inputs of a network, in order.
    """

def is_engine_file(path: str) -> bool:
    """
    Whether the file begins as an engine does.
    """

def load_engine(
    path: str,
    *,
    device: typing.SupportsInt | typing.SupportsIndex,
    threads: typing.SupportsInt | typing.SupportsIndex | None,
    streams: typing.SupportsInt | typing.SupportsIndex | None,
    profiling: bool | None,
    require_exact_device: bool,
) -> Engine | ExternalEngine:
    """
    An Engine, or an ExternalEngine, to which the options mean nothing.
    """

def min_max_threshold(histogram: Histogram) -> float:
    """
    max |x|.
    """

def op_names() -> list[str]:
    """
    Every op of the op table.
    """

def optimize(graph: Graph) -> tuple:
    """
    Runs the passes. Returns the new graph and (pass, rewrites) for each pass.
    """

def percentile_threshold(
    histogram: Histogram, percentile: typing.SupportsFloat | typing.SupportsIndex = 99.99
) -> float:
    """
    The |x| that `percentile` percent of the values do not exceed.
    """

def printable(text: str) -> str:
    """
    One line, safe to show on a terminal: control characters are spelled out.
    """

def profile_layers(
    engine: Engine,
    batch: typing.SupportsInt | typing.SupportsIndex,
    iterations: typing.SupportsInt | typing.SupportsIndex,
) -> list[LayerProfile]: ...
def quantization_points(
    graph: Graph, high_precision: collections.abc.Set[str] = set(), signed_only: bool = False
) -> list:
    """
    (name, unsigned, group) of the values of an optimised graph that int8 quantises, in order; values of one group share a scale. `signed_only`: for backends without uint8.
    """

def quantize(
    graph: Graph,
    ranges: collections.abc.Mapping[str, typing.SupportsFloat | typing.SupportsIndex],
    high_precision: collections.abc.Set[str] = set(),
    signed_only: bool = False,
) -> Graph:
    """
    The optimised graph with quantize / dequantize nodes. `ranges`: the largest absolute value (amax) by value name; `high_precision`: layers that stay float32; `signed_only`: int8 where a backend has no uint8.
    """

def run_bench(
    engine: Engine,
    *,
    batch: typing.SupportsInt | typing.SupportsIndex = 1,
    iterations: typing.SupportsInt | typing.SupportsIndex = 10,
    warm_up_ms: typing.SupportsFloat | typing.SupportsIndex = 200.0,
    duration_s: typing.SupportsFloat | typing.SupportsIndex = 3.0,
    streams: typing.SupportsInt | typing.SupportsIndex = 1,
    threads: bool = False,
    idle_ms: typing.SupportsFloat | typing.SupportsIndex = 0.0,
    sleep_ms: typing.SupportsFloat | typing.SupportsIndex = 0.0,
    inputs: collections.abc.Sequence[numpy.ndarray] = [],
    seed: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> BenchResult:
    """
    Measures as trtexec does. `inputs`: an array an input, else random numbers. `progress(elapsed_ms, queries)` returns False to stop.
    """

def set_log_sink(sink: typing.Any) -> None:
    """
    Sends log messages to sink(level, message), level being 'warning', 'info' or 'debug'; None sends them nowhere.
    """

def storable_amax(amax: typing.SupportsFloat | typing.SupportsIndex) -> float:
    """
    The nearest amax that a calibration table holds exactly.
    """

def summarize(
    traces: collections.abc.Sequence[Trace],
    batch: typing.SupportsInt | typing.SupportsIndex,
    streams: typing.SupportsInt | typing.SupportsIndex,
    percentiles: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex] = [
        90.0,
        95.0,
        99.0,
    ],
) -> Summary: ...
def summarize_layers(
    runs: collections.abc.Sequence[
        collections.abc.Sequence[tuple[str, typing.SupportsFloat | typing.SupportsIndex]]
    ],
) -> list[LayerProfile]:
    """
    Of (layer, milliseconds) pairs, a list a run.
    """

def unfilter_png_rows(
    rows: bytes,
    pixels: numpy.typing.NDArray[numpy.uint8],
    first: typing.SupportsInt | typing.SupportsIndex,
) -> int:
    """
    The whole rows at the start of `rows`, inflated from a PNG of 8-bit gray, into uint8 [height, width], from row `first` on; returns how many. Raises InputError for an unknown filter and for too many rows.
    """

def write_file(path: str, data: typing_extensions.Buffer) -> None:
    """
    Writes bytes so that `path` appears only when complete and on disk, else InputError.
    """

def write_files(contents: collections.abc.Mapping[str, typing_extensions.Buffer]) -> None:
    """
    `write_file` for bytes by path: all files appear or none.
    """

CLASS_ACTIVATION_OUTPUT: str = "class_activation_maps"
