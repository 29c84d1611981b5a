"""What `export` and `freeze` share: a trained model, by its folder or by a checkpoint."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from chexnet_trt._core import InputError
from chexnet_trt.export.matching import SCOPE_OPTION
from chexnet_trt.export.model_folder import TrainedModel, model_folder_of, read_model_folder
from chexnet_trt.models import NETWORKS
from chexnet_trt.models.layers import DataFormat

if TYPE_CHECKING:
    from chexnet_trt.export.checkpoints import Weights

# Attributes of the parsed arguments that `add_model_arguments` adds.
_MODEL = ("network", "image_size", "num_classes", "data_format")


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--network", choices=tuple(NETWORKS), help="of a checkpoint that no training.json describes"
    )
    parser.add_argument(
        "--image-size", "--image_size", type=int, metavar="PIXELS", help="default 256"
    )
    parser.add_argument("--num-classes", "--num_classes", type=int, metavar="N", help="default 14")
    parser.add_argument(
        "--data-format",
        "--data_format",
        choices=get_args(DataFormat),
        help="layout inside the network; the input is NHWC in both "
        "(channels_first is made for GPUs)",
    )
    add_scope_argument(parser)


def add_scope_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        SCOPE_OPTION,
        metavar="SCOPE",
        help="scope of the checkpoint's variables where it is not the network's own (resnet_model)",
    )


def model_of(args: argparse.Namespace) -> TrainedModel:
    """The model that the arguments alone describe."""
    options = {name: getattr(args, name) for name in _MODEL}
    return TrainedModel(**{name: value for name, value in options.items() if value is not None})


def open_model(args: argparse.Namespace, source: str) -> tuple[TrainedModel, Weights]:
    """A model folder, or a checkpoint with --network, and its weights.

    Of a model folder only the layout may be given anew. TensorFlow must have been imported.
    """
    from chexnet_trt.export.checkpoints import find_checkpoint, load_weights
    from chexnet_trt.models.variables import variable_shapes

    folder = model_folder_of(source)
    if folder is not None:
        model = _of_folder(folder, args)
    elif args.network is None:
        raise InputError(
            f"'{find_checkpoint(source)}' has no training.json: say what the checkpoint is of with "
            f"--network ({', '.join(NETWORKS)})"
        )
    else:
        model = model_of(args)
    shapes = variable_shapes(model.network, model.num_classes)
    return model, load_weights(source, shapes, scope=args.checkpoint_scope)


def _of_folder(folder: Path, args: argparse.Namespace) -> TrainedModel:
    model = read_model_folder(folder)
    for name in ("network", "image_size", "num_classes"):
        asked, trained = getattr(args, name), getattr(model, name)
        if asked not in (None, trained):
            raise InputError(
                f"--{name.replace('_', '-')} {asked}: the model in '{folder}' was trained with "
                f"{trained}; leave the option out"
            )
    return model if args.data_format is None else replace(model, data_format=args.data_format)
