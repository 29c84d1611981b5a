"""The networks that are compared: the user's own, and the stock one that it is held against."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chexnet_trt._core import InputError, write_file
from chexnet_trt.compare.setting import INPUT, OUTPUT
from chexnet_trt.models import build_random_graph
from chexnet_trt.models.networks import NETWORKS
from chexnet_trt.uff import graph_def

# As in section 5.4 of the whitepaper: TensorFlow's official model for ImageNet.
STOCK_NETWORK, STOCK_CLASSES = "resnet50_v2", 1000
RANDOM = "RANDOM weights: the scores mean nothing"
GIVEN = "weights of the file"


@dataclass(frozen=True)
class Compared:
    """A frozen graph on disk. `size`: height, width, channels of its input."""

    title: str
    path: Path
    sha256: str
    size: tuple[int, int, int]
    weights: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"path": self.path.name, "size": list(self.size)}


def custom(model: str, work: Path, image_size: int | None) -> Compared:
    """A frozen graph's file, or the name of a network, made with random weights in `work`.

    Raises InputError.
    """
    if model in NETWORKS:
        return _random(model, 14, work, image_size or 256)
    if image_size is not None:
        raise InputError(f"--image-size is for the name of a network; '{model}' has its own")
    path = Path(model)
    return _described(path.stem, path, GIVEN)


def stock(work: Path, size: tuple[int, int, int]) -> Compared:
    """Of the custom network's input size. Raises InputError for one that it cannot take."""
    height, width, channels = size
    if height != width or channels != 3:
        raise InputError(f"the stock network takes square RGB images, not {height}x{width}")
    return _random(STOCK_NETWORK, STOCK_CLASSES, work, height)


def _random(network: str, classes: int, work: Path, image_size: int) -> Compared:
    path = work / f"{network}_{classes}_{image_size}.pb"
    if not path.exists():
        graph = build_random_graph(network, num_classes=classes, image_size=image_size)
        write_file(str(path), graph.SerializeToString())
    return _described(f"{network}, {classes} classes", path, RANDOM)


def _described(title: str, path: Path, weights: str) -> Compared:
    graph = graph_def.load(path)
    nodes: Mapping[str, Any] = {node.name: node for node in graph.node}
    for name in (INPUT, OUTPUT):
        if name not in nodes:
            raise InputError(
                f"'{path}' has no node '{name}': compare takes graphs from {INPUT} to {OUTPUT}"
            )
    extents = [dim.size for dim in nodes[INPUT].attr["shape"].shape.dim]
    if len(extents) != 4 or min(extents[1:]) < 1:
        raise InputError(
            f"'{path}': '{INPUT}' is not [batch, height, width, channels] but {extents}"
        )
    _, height, width, channels = extents
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Compared(title, path, digest, (height, width, channels), weights)
