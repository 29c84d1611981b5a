"""A frozen graph, and the writing of one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from chexnet_trt._core import write_file
from chexnet_trt.export.inference_graph import inputs_of, parameter_count
from chexnet_trt.inputs import make_folder
from chexnet_trt.uff.graph_def import GraphDef


@dataclass(frozen=True)
class FrozenGraph:
    """source: what it was frozen from, in words. notes: lines for whoever uses it."""

    graph: GraphDef
    outputs: tuple[str, ...]
    source: str
    notes: tuple[str, ...] = ()

    def write(self, path: str | Path) -> list[str]:
        """Writes the .pb file; returns the lines that describe it."""
        content = self.graph.SerializeToString()
        write_file(str(path), content)
        parameters = parameter_count(self.graph)
        shapes = ", ".join(
            f"{name} {_shape(sizes)}" for name, sizes in inputs_of(self.graph).items()
        )
        size = (
            f"{len(self.graph.node)} nodes, {parameters:,} parameters, {len(content) / 1e6:.1f} MB"
        )
        return [
            f"wrote {path}: {self.source}, {size}",
            f"input {shapes or 'none'}; output {', '.join(self.outputs)}",
            *self.notes,
        ]


def graph_path(folder: str | Path, saved_model: str | Path | None = None) -> Path:
    """chexnet_frozen_graph_1541777429.pb in `folder`, made if need be.

    The number is the folder name of the SavedModel where that is one, else the time.
    Raises InputError when the folder cannot be made or written in.
    """
    name = Path(saved_model).name if saved_model else ""
    number = name if name.isdigit() else int(time.time())
    return make_folder(folder) / f"chexnet_frozen_graph_{number}.pb"


def _shape(sizes: list[int]) -> str:
    return f"[{', '.join('?' if size < 0 else str(size) for size in sizes)}]"
