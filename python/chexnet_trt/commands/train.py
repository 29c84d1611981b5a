"""`train`: chexnet.py of the whitepaper, flag for flag."""

from __future__ import annotations

import argparse
from pathlib import Path

from chexnet_trt._core import InputError
from chexnet_trt.export_arguments import add_scope_argument
from chexnet_trt.inputs import make_folder, non_negative, positive
from chexnet_trt.models import NETWORKS
from chexnet_trt.progress import ProgressLine
from chexnet_trt.tensorflow_import import import_tensorflow
from chexnet_trt.train.settings import DTYPES, OPTIMIZERS, SCHEDULES, Settings

HELP = "train a network on TFRecords"
EXAMPLE = """\
  python -m chexnet_trt train --train_epochs=15 --learning_rate=0.001 --batch_size=128 \\
      --data_dir=chexnet_tfrecords --pretrained_model_dir=resnet_v2_imagenet_checkpoint \\
      --model_dir=chexnet_checkpoints --export_dir=chexnet_saved_model \\
      --frozen_graph_dir=chexnet_frozen_graph
the same again goes on from the latest checkpoint; several GPUs, or several machines with TF_CONFIG,
need no other flags"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data_dir", required=True, metavar="DIR", help="records of `prepare`")
    parser.add_argument(
        "--model_dir",
        required=True,
        metavar="DIR",
        help="checkpoints (the best in best/), TensorBoard's events; workers share it",
    )
    parser.add_argument(
        "--pretrained_model_dir",
        metavar="DIR",
        help="checkpoint to begin from: all variables but those of another number of classes",
    )
    add_scope_argument(parser)
    parser.add_argument("--export_dir", metavar="DIR", help="export the best checkpoint there")
    parser.add_argument(
        "--frozen_graph_dir", metavar="DIR", help="freeze the best checkpoint there"
    )
    _add_network_arguments(parser.add_argument_group("network"))
    _add_optimization_arguments(parser.add_argument_group("optimization"))
    _add_input_arguments(parser.add_argument_group("input"))
    parser.add_argument(
        "--checkpoint_steps",
        type=non_negative,
        default=Settings.checkpoint_steps,
        metavar="N",
        help="save every N steps and after every epoch (default %(default)s; 0: epochs alone)",
    )


def _add_network_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--network", choices=tuple(NETWORKS), help=f"default {Settings.network}")
    group.add_argument(
        "--densenet_depth", type=int, choices=(121,), help="the same as --network=densenet121"
    )
    group.add_argument(
        "--image_size", type=positive, metavar="PIXELS", help="default: that of the records"
    )
    group.add_argument(
        "--data_format",
        choices=("channels_last", "channels_first"),
        default=Settings.data_format,
        help="layout inside the network; channels_first needs a GPU (default %(default)s)",
    )
    group.add_argument(
        "--dtype",
        choices=DTYPES,
        default=Settings.dtype,
        help="of the computation; weights stay float32, mixed_float16 scales the loss "
        "(default %(default)s)",
    )


def _add_optimization_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--train_epochs", type=positive, default=Settings.train_epochs, help="default %(default)s"
    )
    group.add_argument(
        "--epochs_per_eval",
        type=positive,
        default=Settings.epochs_per_eval,
        help="epochs between two evaluations (default %(default)s)",
    )
    group.add_argument(
        "--batch_size",
        type=positive,
        default=Settings.batch_size,
        help="images of a step, over all devices and workers (default %(default)s)",
    )
    group.add_argument(
        "--learning_rate", type=float, default=Settings.learning_rate, help="default %(default)s"
    )
    group.add_argument(
        "--optimizer", choices=OPTIMIZERS, default=Settings.optimizer, help="default %(default)s"
    )
    group.add_argument(
        "--schedule",
        choices=SCHEDULES,
        default=Settings.schedule,
        help="plateau: a tenth of the rate when the validation loss stops falling; "
        "cosine: down to nothing over all epochs (default %(default)s)",
    )
    group.add_argument(
        "--weighted_loss",
        action="store_true",
        help="weigh positives and negatives of a class so that both count alike",
    )


def _add_input_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--no_augment",
        dest="augment",
        action="store_false",
        help="no random shift, size, brightness and contrast of training images",
    )
    group.add_argument(
        "--flip",
        action="store_true",
        help="mirror half of the training images; it puts hearts on the wrong side",
    )
    group.add_argument(
        "--seed", type=non_negative, default=Settings.seed, help="of weights, order, augmentation"
    )


def run(args: argparse.Namespace) -> int:
    settings = _settings(args)
    targets = [_path(folder) for folder in (args.export_dir, args.frozen_graph_dir)]
    import_tensorflow("train")
    from chexnet_trt.train.delivery import deliver
    from chexnet_trt.train.metrics import table
    from chexnet_trt.train.training import train

    for folder in filter(None, targets):
        make_folder(folder)
    progress = ProgressLine()
    try:
        trained = train(settings, lambda line: print(line, flush=True), progress)
    finally:
        progress.close()
    best = trained.best
    if trained.is_chief and best:
        print(f"best checkpoint: step {best['step']}, AUROC on validation")
        print("\n".join([*table(best), *deliver(settings.model_dir, *targets)]))
    return 0


def _settings(args: argparse.Namespace) -> Settings:
    network = args.network or ("densenet121" if args.densenet_depth else Settings.network)
    if args.densenet_depth and network != "densenet121":
        raise InputError(f"--densenet_depth={args.densenet_depth} is not of --network={network}")
    return Settings(
        data_dir=Path(args.data_dir),
        model_dir=Path(args.model_dir),
        network=network,
        image_size=args.image_size,
        data_format=args.data_format,
        train_epochs=args.train_epochs,
        epochs_per_eval=args.epochs_per_eval,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        optimizer=args.optimizer,
        schedule=args.schedule,
        weighted_loss=args.weighted_loss,
        dtype=args.dtype,
        augment=args.augment,
        flip=args.flip,
        seed=args.seed,
        checkpoint_steps=args.checkpoint_steps,
        pretrained_model_dir=_path(args.pretrained_model_dir),
        checkpoint_scope=args.checkpoint_scope,
    )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
