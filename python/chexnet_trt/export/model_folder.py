"""training.json: what the checkpoints of a model folder were trained as."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from chexnet_trt import marks
from chexnet_trt._core import InputError
from chexnet_trt.labels import LABELS
from chexnet_trt.models.layers import DataFormat
from chexnet_trt.models.networks import NETWORKS, checked_network

FILE = "training.json"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class TrainedModel:
    """A network's facts. synthetic: trained on drawn images; None where nobody wrote it down.

    training: all of training.json, for whom it concerns; empty for a bare checkpoint.
    """

    network: str
    image_size: int = 256
    num_classes: int = len(LABELS)
    data_format: DataFormat = "channels_last"
    labels: tuple[str, ...] | None = None
    synthetic: bool | None = None
    training: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        checked_network(self.network, self.image_size, self.num_classes)
        if self.data_format not in get_args(DataFormat):
            raise InputError(f"unknown data format '{self.data_format}'")
        if self.labels is not None and len(self.labels) != self.num_classes:
            raise InputError(f"{len(self.labels)} labels for {self.num_classes} classes")

    @property
    def preprocessing(self) -> str:
        return NETWORKS[self.network].preprocessing

    @property
    def marks(self) -> tuple[str, ...]:
        """Of `chexnet_trt.marks`. How a bare checkpoint was trained is not known."""
        synthetic = (marks.SYNTHETIC,) if self.synthetic else ()
        trained = (marks.of_preprocessing(self.preprocessing),) if self.training else ()
        return synthetic + trained

    def notes(self) -> list[str]:
        """What whoever uses the scores has to know, a line each."""
        return [f"preprocessing {self.preprocessing}", *marks.sentences(self.marks)]

    def to_json(self) -> dict[str, Any]:
        return {
            "format_version": FORMAT_VERSION,
            **(self.training or {}),
            "network": self.network,
            "image_size": self.image_size,
            "num_classes": self.num_classes,
            "data_format": self.data_format,
            "preprocessing": self.preprocessing,
            "labels": self.labels and list(self.labels),
            "synthetic": self.synthetic,
        }


def model_folder_of(path: str | Path) -> Path | None:
    """The model folder that a checkpoint, or a folder of checkpoints, belongs to."""
    path = Path(path)
    parents = path.resolve().parents if path.name else ()
    for folder in (path, *parents[:2]):
        if (folder / FILE).is_file():
            return folder
    return None


def read_model_folder(folder: str | Path) -> TrainedModel:
    """As `read_facts` of its training.json."""
    return read_facts(Path(folder) / FILE)


def read_facts(path: Path) -> TrainedModel:
    """Raises InputError for a file that is missing, broken, or of another format."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"'{path}' is broken JSON: {error}") from None
    try:
        return _parse(content)
    except (KeyError, TypeError, AttributeError, InputError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise InputError(f"'{path}' does not describe a trained model: {what}") from None


def _parse(content: dict[str, Any]) -> TrainedModel:
    version = content["format_version"]
    if version != FORMAT_VERSION:
        raise InputError(f"it has format version {version}, this tool reads {FORMAT_VERSION}")
    model = TrainedModel(
        network=content["network"],
        image_size=content["image_size"],
        num_classes=content["num_classes"],
        data_format=content["data_format"],
        labels=content["labels"] and tuple(content["labels"]),
        synthetic=content["synthetic"],
        training=content,
    )
    if content["preprocessing"] != model.preprocessing:
        raise InputError(
            f"preprocessing '{content['preprocessing']}' is not '{model.preprocessing}', "
            f"which {model.network} is fed with"
        )
    return model
