"""A training from its settings to its best checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from chexnet_trt._core import BackendError, InputError
from chexnet_trt.export.checkpoints import load_weights
from chexnet_trt.export.model_folder import TrainedModel
from chexnet_trt.inputs import make_folder
from chexnet_trt.models import NETWORKS
from chexnet_trt.models.tensorflow_network import TensorFlowNetwork
from chexnet_trt.models.variables import variable_shapes
from chexnet_trt.progress import ProgressLine
from chexnet_trt.records import Dataset, open_dataset
from chexnet_trt.train import description
from chexnet_trt.train.checkpointing import Checkpoints
from chexnet_trt.train.distribution import Distribution, choose_distribution
from chexnet_trt.train.feed import Feed
from chexnet_trt.train.input_pipeline import Split
from chexnet_trt.train.loop import Trainer
from chexnet_trt.train.losses import SigmoidCrossEntropy, class_weights
from chexnet_trt.train.optimizers import Optimizer
from chexnet_trt.train.reporting import Reporter
from chexnet_trt.train.schedule import learning_rate
from chexnet_trt.train.settings import Settings
from chexnet_trt.train.steps import Steps
from chexnet_trt.train.summaries import Summaries

TRAINING, VALIDATION = "train", "validation"
SYNTHETIC_NOTE = (
    "SYNTHETIC DATA: these films were drawn by a program; what is learned from them says nothing "
    "about any patient."
)

# Moving statistics forget their start in a twentieth of the steps, if the network's own momentum,
# made for long trainings, would take longer.
_FORGETTING_SHARE = 0.05


@dataclass(frozen=True)
class Trained:
    """`network`: with the weights after the last step. `best`: Metrics.to_json and the step of the
    checkpoint in best/.
    """

    network: TensorFlowNetwork
    model: TrainedModel
    steps: int
    best: dict[str, Any] | None
    is_chief: bool


def train(settings: Settings, report: Callable[[str], None], progress: ProgressLine) -> Trained:
    """Trains, or goes on from the latest checkpoint of the model folder.

    Raises InputError for settings and data that cannot be trained with, and BackendError for a
    training that fails.
    """
    dataset = open_dataset(settings.data_dir)
    image_size = settings.image_size or dataset.image_size
    splits = [_split(dataset, name, image_size) for name in (TRAINING, VALIDATION)]
    model = description.describe(settings, image_size, dataset)
    description.check_same_training(settings.model_dir, model)
    distribution = choose_distribution(report)
    _check_device(settings, distribution)
    feed = Feed(distribution, *splits, step_size=settings.batch_size, seed=settings.seed)
    make_folder(settings.model_dir)
    dataset.verify((TRAINING, VALIDATION), progress)
    progress.close()
    try:
        return _train(settings, dataset, model, distribution, feed, report, progress)
    except (tf.errors.UnavailableError, tf.errors.AbortedError):
        raise BackendError(
            "another worker is gone; start all of them again and they go on from the latest "
            "checkpoint"
        ) from None
    except tf.errors.ResourceExhaustedError as error:
        raise BackendError(
            f"the device's memory does not suffice; lower --batch_size={settings.batch_size} "
            f"({_first_line(error)})"
        ) from None


def _train(
    settings: Settings,
    dataset: Dataset,
    model: TrainedModel,
    distribution: Distribution,
    feed: Feed,
    report: Callable[[str], None],
    progress: ProgressLine,
) -> Trained:
    is_chief, strategy = distribution.is_chief, distribution.strategy
    steps = feed.steps_per_epoch * settings.train_epochs
    with strategy.scope():
        network = _network(settings, model, steps)
        variables = network.weights_by_name.values()
        optimizer = Optimizer(settings, [v for v in variables if v.trainable])
        checkpoints = Checkpoints(settings.model_dir, network, optimizer, is_chief=is_chief)
    for line in _opening(settings, dataset, feed, distribution):
        report(line)
    step = _begin(settings, network, checkpoints, report)
    if step >= steps:
        report(
            f"NOTHING IS TRAINED: --train_epochs={settings.train_epochs} are {steps} steps, and "
            f"{step} are done; for more of them give more epochs"
        )
    _check_agreement(distribution, step)

    def record(step: int, best: dict[str, Any] | None) -> None:
        if is_chief:
            description.write(settings.model_dir, model, step, best)

    trainer = Trainer(
        settings,
        dataset.labels,
        feed,
        Steps(
            strategy, network, model.preprocessing, _loss(settings, dataset), optimizer, settings
        ),
        learning_rate(settings, steps, checkpoints.state.schedule),
        checkpoints,
        Reporter(
            dataset.labels, Summaries(settings.model_dir, is_chief=is_chief), report, progress
        ),
        record,
        step,
    )
    trainer.run()
    return Trained(network, model, trainer.step, trainer.best, is_chief)


def _split(dataset: Dataset, name: str, image_size: int) -> Split:
    split = dataset.splits[name]
    if not split.images:
        raise InputError(f"'{dataset.folder}' has no images for {name}")
    if image_size > dataset.image_size:
        raise InputError(
            f"--image_size={image_size} is more than the {dataset.image_size} pixels of the "
            f"records in '{dataset.folder}'; run prepare with a larger size"
        )
    if not any(0 < count < split.images for count in split.positives.values()):
        raise InputError(
            f"{name} of '{dataset.folder}' has no finding that some images show and some do not"
        )
    return Split(
        dataset.shards(name),
        [shard.records for shard in split.shards],
        dataset.image_size,
        image_size,
        len(dataset.labels),
    )


def _check_device(settings: Settings, distribution: Distribution) -> None:
    if settings.data_format == "channels_first" and not distribution.has_gpu:
        raise InputError(
            "--data_format=channels_first needs a GPU: TensorFlow's CPU kernels have no "
            "convolution of that layout. channels_last gives the same weights"
        )


def _network(settings: Settings, model: TrainedModel, steps: int) -> TensorFlowNetwork:
    own = NETWORKS[settings.network].momentum
    return TensorFlowNetwork(
        settings.network,
        image_size=model.image_size,
        num_classes=model.num_classes,
        data_format=settings.data_format,
        compute_dtype=settings.dtype.removeprefix("mixed_"),
        momentum=min(own, max(0.0, 1 - 1 / (_FORGETTING_SHARE * steps))),
        seed=settings.seed,
    )


def _loss(settings: Settings, dataset: Dataset) -> SigmoidCrossEntropy:
    if not settings.weighted_loss:
        return SigmoidCrossEntropy()
    split = dataset.splits[TRAINING]
    positives = [split.positives[name] for name in dataset.labels]
    return SigmoidCrossEntropy(class_weights(positives, split.images))


def _begin(
    settings: Settings,
    network: TensorFlowNetwork,
    checkpoints: Checkpoints,
    report: Callable[[str], None],
) -> int:
    """The step to go on from, its weights being set: of a checkpoint, pretrained, or random."""
    step = checkpoints.restore()
    if step:
        report(f"going on from step {step} of '{settings.model_dir}'")
    elif settings.pretrained_model_dir:
        weights = load_weights(
            settings.pretrained_model_dir,
            variable_shapes(network.name, network.num_classes),
            scope=settings.checkpoint_scope,
            new_head=True,
        )
        network.assign(weights.values)
        report(f"{len(weights.values)} variables from '{weights.prefix}'")
        if weights.notice:
            report(weights.notice)
    else:
        report("from random weights: no --pretrained_model_dir")
    return step


def _check_agreement(distribution: Distribution, step: int) -> None:
    """Workers that do not share the model folder would go on from different steps."""
    own = distribution.strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant([step])
    )
    steps = distribution.strategy.gather(own, axis=0).numpy()
    if steps.min() != steps.max():
        raise InputError(
            f"the workers begin at steps {sorted(set(steps.tolist()))}: --model_dir must be one "
            "folder that all of them share"
        )


def _opening(
    settings: Settings, dataset: Dataset, feed: Feed, distribution: Distribution
) -> Iterator[str]:
    if dataset.synthetic:
        yield SYNTHETIC_NOTE
    yield (
        f"{settings.network} at {feed.image_size}x{feed.image_size} on {distribution.description}: "
        f"{dataset.splits[TRAINING].images} images to train on, "
        f"{dataset.splits[VALIDATION].images} to validate; {settings.train_epochs} epochs of "
        f"{feed.steps_per_epoch} steps of {feed.step_size} images; decoded images "
        + ("stay in memory" if feed.cached else "do not fit the memory and are read each epoch")
    )
    without = [name for name, count in dataset.splits[TRAINING].positives.items() if not count]
    if without:
        yield f"nothing to learn, as no image has them: {', '.join(without)}"
    if settings.dtype == "mixed_float16" and not distribution.has_gpu:
        yield "a CPU only emulates float16: this is slow"


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
