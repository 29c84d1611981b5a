"""freeze: write a network as a frozen TensorFlow graph."""

from __future__ import annotations

import argparse
import sys
from enum import Enum
from pathlib import Path

from chexnet_trt._core import InputError
from chexnet_trt.export.frozen import FrozenGraph, graph_path
from chexnet_trt.export.matching import SCOPE_OPTION
from chexnet_trt.export.model_folder import TrainedModel, model_folder_of
from chexnet_trt.export_arguments import add_model_arguments, model_of, open_model
from chexnet_trt.inputs import check_targets
from chexnet_trt.marks import RANDOM, mark_graph_def, sentences
from chexnet_trt.models import build_random_graph
from chexnet_trt.models.networks import CATEGORIES, SCORES
from chexnet_trt.tensorflow_import import import_tensorflow

HELP = "write a network as a frozen TensorFlow graph (.pb)"
EXAMPLE = "chexnet_trt freeze chexnet_saved_model/1541777429 --frozen_graph_dir frozen"

RANDOM_NETWORK = "resnet50_v2"
SAVED_MODEL_FILE = "saved_model.pb"


class Kind(Enum):
    """What is frozen, in words."""

    RANDOM = "random weights"
    SAVED_MODEL = "a SavedModel"
    META_GRAPH = "a MetaGraph"
    WEIGHTS = "a model folder or a checkpoint"


# The options that not every kind has, and the kinds that have them.
FLAGS = {
    "network": "--network",
    "image_size": "--image-size",
    "num_classes": "--num-classes",
    "data_format": "--data-format",
    "seed": "--seed",
    "checkpoint_scope": SCOPE_OPTION,
    "output_node": "--output_node",
    "signature": "--signature",
    "checkpoint": "--checkpoint",
}
_MODEL = {"network", "image_size", "num_classes", "data_format"}
EFFECTIVE = {
    Kind.RANDOM: {*_MODEL, "seed"},
    Kind.SAVED_MODEL: {"output_node", "signature"},
    Kind.META_GRAPH: {"output_node", "checkpoint", "checkpoint_scope"},
    Kind.WEIGHTS: {*_MODEL, "output_node", "checkpoint_scope"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        nargs="?",
        help="SavedModel folder (or the folder of its exports), model folder of `train`, "
        "checkpoint with --network, or a .meta file beside its checkpoint",
    )
    parser.add_argument(
        "--random-weights",
        action="store_true",
        help="random weights of sane statistics: for timing and tests, the scores mean nothing",
    )
    add_model_arguments(parser)
    parser.add_argument("--seed", type=int, help="of the random weights; same seed, same weights")
    parser.add_argument(
        "--output_node",
        metavar="NAME[,NAME]",
        help="default: the signature's outputs, or chexnet_sigmoid_tensor,categories",
    )
    parser.add_argument("--signature", metavar="NAME", help="default serving_default, or predict")
    parser.add_argument("--checkpoint", metavar="PREFIX", help="of a .meta file, if not its own")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("-o", "--output", metavar="FILE.pb")
    target.add_argument(
        "--frozen_graph_dir", metavar="DIR", help="write DIR/chexnet_frozen_graph_<time>.pb"
    )


def run(args: argparse.Namespace) -> int:
    check_targets(args.output)
    kind, path = _kind(args)
    _refuse_without_effect(args, kind)
    if kind is Kind.RANDOM:
        frozen = _random(model_of(args), args.seed or 0)
    else:
        import_tensorflow("freezing a trained network")
        frozen = _trained(args, kind, path)
    saved_model = path if kind is Kind.SAVED_MODEL else None
    target = args.output or graph_path(args.frozen_graph_dir, saved_model)
    sys.stdout.write("\n".join(frozen.write(target)) + "\n")
    return 0


def _kind(args: argparse.Namespace) -> tuple[Kind, Path]:
    if args.source is None:
        if not args.random_weights:
            raise InputError("give what to freeze, or --random-weights")
        args.network = args.network or RANDOM_NETWORK
        return Kind.RANDOM, Path()
    if args.random_weights:
        raise InputError(f"give either '{args.source}' or --random-weights")
    source = Path(args.source)
    saved_model = _saved_model(source)
    if saved_model is not None:
        return Kind.SAVED_MODEL, saved_model
    if source.suffix in (".pb", ".uff", ".engine"):
        raise InputError(f"'{source}' is no SavedModel; a frozen graph needs no freezing")
    if source.suffix in (".keras", ".h5", ".hdf5"):
        raise InputError(
            f"'{source}' is a file of Keras: write a SavedModel with model.export(FOLDER) and "
            "freeze that"
        )
    meta = None if args.network else _meta_graph(source)
    if meta is not None:
        return Kind.META_GRAPH, meta
    return Kind.WEIGHTS, source


def _saved_model(source: Path) -> Path | None:
    """The SavedModel at a path, the newest of a folder of exports, or None."""
    if source.name == SAVED_MODEL_FILE:
        return source.parent
    if (source / SAVED_MODEL_FILE).is_file():
        return source
    exports = [path.parent for path in source.glob(f"*/{SAVED_MODEL_FILE}")]
    numbered = [path for path in exports if path.name.isdigit()]
    return max(numbered, key=lambda path: int(path.name), default=None)


def _meta_graph(source: Path) -> Path | None:
    """A .meta file, or the one beside a checkpoint that no model folder describes."""
    if source.suffix == ".meta":
        return source
    if model_folder_of(source) is not None:
        return None
    if not source.is_dir():
        beside = source.with_name(f"{source.name.removesuffix('.index')}.meta")
        return beside if beside.is_file() else None
    return max(source.glob("*.meta"), key=_step, default=None)


def _step(path: Path) -> int:
    number = path.stem.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def _refuse_without_effect(args: argparse.Namespace, kind: Kind) -> None:
    for name, flag in FLAGS.items():
        if getattr(args, name) is not None and name not in EFFECTIVE[kind]:
            raise InputError(f"{flag} has no effect on {kind.value}; leave it out")


def _random(model: TrainedModel, seed: int) -> FrozenGraph:
    if seed < 0:
        raise InputError(f"--seed {seed}: give 0 or more")
    graph = build_random_graph(
        model.network,
        image_size=model.image_size,
        num_classes=model.num_classes,
        data_format=model.data_format,
        seed=seed,
    )
    mark_graph_def(graph, [RANDOM])
    notes = (*model.notes(), f"seed {seed}", *sentences([RANDOM]))
    return FrozenGraph(graph, (SCORES, CATEGORIES), f"{model.network} {model.data_format}", notes)


def _trained(args: argparse.Namespace, kind: Kind, path: Path) -> FrozenGraph:
    from chexnet_trt.export import freezing

    outputs = [name.strip() for name in (args.output_node or "").split(",") if name.strip()]
    if kind is Kind.SAVED_MODEL:
        return freezing.freeze_saved_model(path, outputs, args.signature)
    if kind is Kind.META_GRAPH:
        return freezing.freeze_meta_graph(path, outputs, args.checkpoint, args.checkpoint_scope)
    model, weights = open_model(args, str(path))
    return freezing.freeze_weights(model, weights.values, outputs)
