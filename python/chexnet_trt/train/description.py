"""training.json of a training: written before its first step, and again after each epoch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chexnet_trt import machine
from chexnet_trt._core import InputError, write_file
from chexnet_trt.export.model_folder import FILE, TrainedModel, read_model_folder
from chexnet_trt.records import Dataset
from chexnet_trt.train.checkpointing import CHECKPOINT_FILE
from chexnet_trt.train.settings import IDENTITY, Settings


def describe(settings: Settings, image_size: int, dataset: Dataset) -> TrainedModel:
    return TrainedModel(
        network=settings.network,
        image_size=image_size,
        num_classes=len(dataset.labels),
        data_format=settings.data_format,
        labels=dataset.labels,
        synthetic=dataset.synthetic,
        training={
            "tool_version": machine.version("chexnet_trt"),
            "records_sha256": dataset.sha256,
            **settings.hyperparameters(),
        },
    )


def check_same_training(folder: Path, model: TrainedModel) -> None:
    """Raises InputError when the folder's checkpoints are of another training than `model`."""
    if not ((folder / FILE).is_file() and (folder / CHECKPOINT_FILE).is_file()):
        return
    known, now = read_model_folder(folder).to_json(), model.to_json()
    other = [name for name in IDENTITY if known.get(name) != now[name]]
    if not other:
        return
    name = other[0]
    if name == "records_sha256":
        difference = "on other records"
    else:
        difference = f"with {name} {known.get(name)}, not {now[name]}"
    raise InputError(
        f"'{folder}' holds a training {difference}; to go on with it give the same, to begin "
        "another give another --model_dir (its weights can be --pretrained_model_dir)"
    )


def write(folder: Path, model: TrainedModel, steps: int, best: Mapping[str, Any] | None) -> None:
    """`best`: the evaluation of the checkpoint in best/.

    Raises InputError when the file cannot be written.
    """
    fields = {**model.to_json(), "steps": steps, "best": best}
    write_file(str(folder / FILE), (json.dumps(fields, indent=1) + "\n").encode())
