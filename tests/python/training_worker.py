"""A process that trains the tiny network: training_worker.py SETTINGS.json [WEIGHTS.npz] [STEP].

WEIGHTS.npz gets the weights after the last step. With STEP it kills itself there, as kill -9 does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

import training_files
from chexnet_trt.tensorflow_import import import_tensorflow
from chexnet_trt.train.settings import Settings


def settings_of(fields: dict[str, Any]) -> Settings:
    return Settings(**{k: Path(v) if k.endswith("_dir") else v for k, v in fields.items()})


def train(fields: dict[str, Any], report):
    """The whole training, in this process."""
    import_tensorflow("a test")
    from chexnet_trt.progress import ProgressLine
    from chexnet_trt.train import training

    training_files.register_tiny()
    return training.train(settings_of(fields), report, ProgressLine())


def weights_of(trained) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in trained.network.weights_by_name.items()}


def die_at(step: int) -> None:
    from chexnet_trt.train.steps import Steps

    real = Steps.train

    def train_or_die(self, batch, at, learning_rate):
        if at == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, batch, at, learning_rate)

    Steps.train = train_or_die


def main(settings: str, weights: str = "", step: str = "") -> None:
    import_tensorflow("a test")
    if step:
        die_at(int(step))
    trained = train(
        json.loads(Path(settings).read_text()), lambda line: sys.stdout.write(f"{line}\n")
    )
    if weights:
        np.savez(weights, **weights_of(trained))


if __name__ == "__main__":
    main(*sys.argv[1:])
