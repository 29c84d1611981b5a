"""What a training is asked to do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from chexnet_trt._core import InputError
from chexnet_trt.models.layers import DataFormat

Optimizer = Literal["adam", "momentum"]
Schedule = Literal["plateau", "cosine"]
DType = Literal["float32", "mixed_float16", "mixed_bfloat16"]

OPTIMIZERS: tuple[Optimizer, ...] = ("adam", "momentum")
SCHEDULES: tuple[Schedule, ...] = ("plateau", "cosine")
DTYPES: tuple[DType, ...] = ("float32", "mixed_float16", "mixed_bfloat16")

# What the steps of a model folder have in common: another value needs another folder.
IDENTITY = (
    "network", "image_size", "num_classes", "labels", "records_sha256", "batch_size", "seed",
    "optimizer", "dtype",
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """`batch_size`: of one step, over all devices of all machines. `image_size`: None takes that
    of the records. `checkpoint_steps`: 0 saves at the end of epochs alone.
    """

    data_dir: Path
    model_dir: Path
    network: str = "resnet50_v2"
    image_size: int | None = None
    data_format: DataFormat = "channels_last"
    train_epochs: int = 15
    epochs_per_eval: int = 1
    batch_size: int = 128
    learning_rate: float = 0.001
    optimizer: Optimizer = "adam"
    schedule: Schedule = "plateau"
    weighted_loss: bool = False
    dtype: DType = "float32"
    augment: bool = True
    flip: bool = False
    seed: int = 0
    checkpoint_steps: int = 1000
    pretrained_model_dir: Path | None = None
    checkpoint_scope: str | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise InputError(f"--learning_rate={self.learning_rate}: give a number above 0")
        if self.flip and not self.augment:
            raise InputError("--flip is a part of the augmentation that --no_augment turns off")
        if self.checkpoint_scope is not None and self.pretrained_model_dir is None:
            raise InputError("--checkpoint_scope is of --pretrained_model_dir, which is not given")

    def hyperparameters(self) -> dict[str, Any]:
        """All but folders and what only finds weights."""
        left_out = ("data_dir", "model_dir", "pretrained_model_dir", "checkpoint_scope")
        return {name: value for name, value in vars(self).items() if name not in left_out}
