"""Calibration: from representative images to a table of dynamic ranges, and which table serves."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chexnet_trt import _core, feeding
from chexnet_trt.feeding.opening import Data
from chexnet_trt.image_feed import ImageFeed
from chexnet_trt.network import Network, read
from chexnet_trt.progress import Progress

ALGORITHMS = ("entropy", "minmax", "percentile")
DEFAULT_PERCENTILE = 99.99
# Of each value and image, on a grid of positions: 500 images then count 8 million numbers a value.
SAMPLE_LIMIT = 16384
# Images that are made ready together. They run one by one, which takes less time: a value is then
# observed while it is in the caches.
_BATCH = 4


@dataclass(frozen=True)
class Method:
    """`percentile`: of the algorithm of that name alone, in 0 ... 100 of the magnitudes.
    `sample_limit`: how many numbers of a value an image counts with (0: all of them).
    """

    algorithm: str = "entropy"
    percentile: float = DEFAULT_PERCENTILE
    sample_limit: int = SAMPLE_LIMIT

    @property
    def counted(self) -> int:
        """The limit that applies: minmax always takes the extremes of all numbers."""
        return 0 if self.algorithm == "minmax" else self.sample_limit

    def __str__(self) -> str:
        """As tables name it."""
        return _core.calibration_method_name(self.algorithm, self.percentile)


def calibrate(
    source: str | os.PathLike[str] | _core.Graph,
    data: Data,
    *,
    inputs: Mapping[str, Sequence[int]] | None = None,
    outputs: Sequence[str] = (),
    input_order: str = "NCHW",
    preprocessing: str | None = None,
    u8_input: bool = False,
    algorithm: str = "entropy",
    percentile: float = DEFAULT_PERCENTILE,
    limit: int | None = None,
    backend: str = "openvino",
    threads: int = 0,
    sample_limit: int = SAMPLE_LIMIT,
    progress: Progress | None = None,
) -> _core.CalibrationTable:
    """A table of dynamic ranges for `chexnet_trt.build(..., precisions=["int8"], calibration=...)`,
    which takes the same network arguments.

    `data`: what `feeding.open_source` takes: a folder, a .txt list, a .csv table, TFRecords, .npy,
    paths, or arrays (integers: pixels for `preprocessing`; floats: values of the input). `limit`:
    the first so many. `algorithm`: entropy, minmax, or percentile of the magnitudes. See
    `calibrate_network`.
    """
    network = read(
        source,
        inputs=inputs,
        outputs=outputs,
        input_order=input_order,
        preprocessing=preprocessing,
        u8_input=u8_input,
    )
    return calibrate_network(
        network,
        feeding.open_source(data, limit=limit),
        Method(algorithm, percentile, sample_limit),
        backend=backend,
        threads=threads,
        progress=progress,
    )


def calibrate_network(
    network: Network,
    source: feeding.Source,
    method: Method,
    *,
    backend: str = "openvino",
    threads: int = 0,
    progress: Progress | None = None,
) -> _core.CalibrationTable:
    """Runs every image of `source` through the network in fp32 and finds the dynamic ranges.

    The result depends neither on the order of the images nor on the batch size.
    `progress("calibrate", images done, images)`. Raises InputError.
    """
    session = _core.CalibrationSession(
        network.optimized,
        backend=backend,
        algorithm=method.algorithm,
        percentile=method.percentile,
        max_batch=1,
        threads=threads,
        sample_limit=method.counted,
    )
    digest = source.digest()
    for array in feeding.batches(source, image_feed(network, session.inputs), _BATCH):
        for row in range(len(array)):
            session.add(1, [array[row : row + 1]])
        if progress:
            progress("calibrate", session.image_count, len(source))
    return _core.CalibrationTable(
        _core.CalibrationTable.header_for(method.algorithm),
        session.ranges(),
        provenance(network, str(method), method.counted, digest, session.image_count),
    )


def image_feed(network: Network, inputs: list[_core.TensorInfo]) -> ImageFeed:
    """What feeds the network's only input. Raises InputError when there are several."""
    if len(inputs) != 1:
        names = ", ".join(info.name for info in inputs)
        raise _core.InputError(f"calibration feeds images to one input; this network has {names}")
    return ImageFeed(inputs[0], network.preprocessing)


def provenance(
    network: Network, algorithm: str, sample_limit: int, images_sha256: str, image_count: int
) -> _core.Provenance:
    """What a table made so would say of itself; `algorithm` and
    `sample_limit` as Method's text and its `counted`."""
    contract = network.preprocessing and network.preprocessing.to_json()
    described = json.dumps(contract, sort_keys=True).encode()
    return _core.Provenance(
        network_sha256=network.optimized.hash(),
        images_sha256=images_sha256,
        image_count=image_count,
        preprocessing_sha256=hashlib.sha256(described).hexdigest(),
        algorithm=algorithm,
        sample_limit=sample_limit,
    )


def read_table(
    path: str | os.PathLike[str],
    network: Network,
    *,
    method: Method | None = None,
    source: feeding.Source | None = None,
    accept_foreign: bool = False,
) -> _core.CalibrationTable:
    """Reads a table that was made for this network and its preprocessing and, where they are given,
    by `method` and from the images of `source`.

    Raises InputError with the field that differs. A table of another tool says nothing of itself;
    it is refused unless `accept_foreign`.
    """
    table = _core.CalibrationTable.read(os.fspath(path))
    check_table(table, network, f"'{path}'", method=method, source=source, foreign=accept_foreign)
    return table


def check_table(
    table: _core.CalibrationTable,
    network: Network,
    name: str,
    *,
    method: Method | None = None,
    source: feeding.Source | None = None,
    foreign: bool = False,
) -> None:
    """Raises InputError unless the table serves; see `read_table`."""
    found = table.provenance
    if found is None:
        if foreign:
            return
        raise _core.InputError(
            f"the calibration table {name} does not say for which network, images and "
            "preprocessing it was made; calibrate, or take it as it is with --accept-foreign-cache"
        )
    wanted = provenance(
        network,
        str(method) if method else found.algorithm,
        method.counted if method else found.sample_limit,
        source.digest() if source else found.images_sha256,
        len(source) if source else found.image_count,
    )
    difference = wanted.mismatch(found)
    if difference:
        raise _core.InputError(
            f"the calibration table {name} was made from something else: {difference}; "
            "name another file, or remove this one and calibrate again"
        )


def obtain_table(
    network: Network,
    *,
    source: feeding.Source | None,
    cache: str | None,
    method: Method | None = None,
    accept_foreign: bool = False,
    backend: str = "openvino",
    threads: int = 0,
    progress: Progress | None = None,
) -> _core.CalibrationTable | None:
    """The table that a build asks for: the file `cache` if it is there and fits, else one made
    from `source` and written to `cache`; None when neither is given. Raises InputError.
    """
    if cache and Path(cache).exists():
        return read_table(
            cache, network, method=method, source=source, accept_foreign=accept_foreign
        )
    if source is None:
        if cache:
            raise _core.InputError(
                f"there is no calibration table '{cache}', and no data to make it from: give "
                "--calib-data=PATH"
            )
        return None
    table = calibrate_network(
        network, source, method or Method(), backend=backend, threads=threads, progress=progress
    )
    if cache:
        table.write(cache)
    return table
