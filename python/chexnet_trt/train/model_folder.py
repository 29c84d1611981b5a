"""training.json of a model folder: which network its checkpoints hold, and how it was trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chexnet_trt import machine
from chexnet_trt._core import InputError, write_file
from chexnet_trt.models import NETWORKS
from chexnet_trt.records import Dataset
from chexnet_trt.train.settings import IDENTITY, Settings

FORMAT_VERSION = 1
FILE = "training.json"


def describe(settings: Settings, dataset: Dataset) -> dict[str, Any]:
    """The content before the first step; `image_size` of the settings is known."""
    return {
        "format_version": FORMAT_VERSION,
        "tool_version": machine.version("chexnet_trt"),
        **settings.to_json(),
        "num_classes": len(dataset.labels),
        "preprocessing": NETWORKS[settings.network].preprocessing,
        "labels": list(dataset.labels),
        "synthetic": dataset.synthetic,
        "records_sha256": dataset.sha256,
        "steps": 0,
        "best": None,
    }


def check_same_training(folder: Path, fields: dict[str, Any]) -> None:
    """Raises InputError when the folder's checkpoints are of another training than `fields`."""
    path = folder / FILE
    if not path.exists():
        return
    try:
        known = json.loads(path.read_bytes())
        other = [name for name in IDENTITY if known[name] != fields[name]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"'{path}' is not the description of a training: {error!r}") from None
    if not other:
        return
    name = other[0]
    if name == "records_sha256":
        difference = "on other records"
    else:
        difference = f"with {name} {known[name]}, not {fields[name]}"
    raise InputError(
        f"'{folder}' holds a training {difference}; to go on with it give the same, to begin "
        "another give another --model_dir (its weights can be --pretrained_model_dir)"
    )


def write(folder: Path, fields: dict[str, Any]) -> None:
    write_file(str(folder / FILE), (json.dumps(fields, indent=1) + "\n").encode())
