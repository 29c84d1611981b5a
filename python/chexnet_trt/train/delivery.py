"""The best checkpoint as SavedModel and as frozen graph, at the end of a training."""

from __future__ import annotations

from pathlib import Path

from chexnet_trt.export.checkpoints import BEST, load_weights
from chexnet_trt.export.freezing import freeze_weights
from chexnet_trt.export.frozen import graph_path
from chexnet_trt.export.model_folder import read_model_folder
from chexnet_trt.export.saved_model import export_model
from chexnet_trt.models.variables import variable_shapes


def deliver(model_dir: Path, export_dir: Path | None, frozen_graph_dir: Path | None) -> list[str]:
    """Writes what is asked for and returns lines about it; the frozen graph is named like the
    SavedModel.
    """
    if export_dir is None and frozen_graph_dir is None:
        return []
    model = read_model_folder(model_dir)
    shapes = variable_shapes(model.network, model.num_classes)
    best = load_weights(model_dir / BEST, shapes)
    lines, saved_model = [], None
    if export_dir is not None:
        saved_model = export_model(model, best.values, export_dir)
        lines.append(f"wrote {saved_model}: {model.network} of {best.prefix}")
    if frozen_graph_dir is not None:
        path = graph_path(frozen_graph_dir, saved_model)
        lines += freeze_weights(model, best.values).write(path)
    return lines
