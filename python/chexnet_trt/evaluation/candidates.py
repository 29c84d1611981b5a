"""The gate of a build: which precisions of a network may stand in for its fp32."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from chexnet_trt import builder
from chexnet_trt._core import InputError
from chexnet_trt.engine import Engine, logger
from chexnet_trt.evaluation.assessment import Assessment, Assessor
from chexnet_trt.evaluation.data import LabelledImages, open_labelled
from chexnet_trt.evaluation.gate import FAILED, UNDECIDABLE, Limits
from chexnet_trt.evaluation.record import accuracy_fields
from chexnet_trt.evaluation.scored import BATCH, ScoredImages, score
from chexnet_trt.evaluation.thresholds import Rule, Thresholds, choose
from chexnet_trt.int8 import Int8
from chexnet_trt.native_engine import NativeEngine
from chexnet_trt.network import Network
from chexnet_trt.progress import Progress

REFERENCE = "fp32"


@dataclass(frozen=True)
class GateRequest:
    """`data`: a folder of `prepare`; the gate is held on its images of `split`, the thresholds are
    chosen by `rule` from the fp32 scores of its validation images. `limits`: by precision.
    """

    data: str
    split: str
    rule: Rule
    limits: Callable[[str], Limits]
    assessor: Assessor

    def open(self, network: Network, progress: Progress) -> GateImages:
        """Raises InputError, also for a network without preprocessing."""
        if network.preprocessing is None:
            raise InputError("the gate scores images: say how they are preprocessed, --preprocess")
        return GateImages(
            open_labelled(self.data, self.split, progress=progress),
            open_labelled(self.data, "validation", progress=progress),
        )


@dataclass(frozen=True)
class GateImages:
    """`validation`: to choose the thresholds on."""

    compared: LabelledImages
    validation: LabelledImages


@dataclass(frozen=True)
class Gated:
    """`assessments` by precision, fp32 among them."""

    thresholds: Thresholds
    assessments: dict[str, Assessment] = field(default_factory=dict)

    @property
    def ruled_out(self) -> dict[str, str]:
        """The precisions that failed, and why."""
        return {
            precision: f"fails the gate: {_reasons(assessment)}"
            for precision, assessment in self.assessments.items()
            if not assessment.passed
        }

    def describe(self, engine: Engine) -> None:
        """Adds accuracy and thresholds to the manifest of the engine that was built."""
        accuracy = accuracy_fields(self.assessments[engine.precision])
        thresholds = self.thresholds.to_json()
        engine.manifest = engine.manifest | {"accuracy": accuracy, "thresholds": thresholds}


class GateError(Exception):
    """A precision that was to be forced fails the gate."""

    def __init__(self, gated: Gated) -> None:
        super().__init__("; ".join(f"{p} {why}" for p, why in gated.ruled_out.items()))
        self.gated = gated


def hold_gate(
    request: GateRequest,
    images: GateImages,
    network: Network,
    precisions: Iterable[str],
    *,
    int8: Int8 | None,
    backend: str,
    threads: int,
    max_batch: int,
    class_names: Sequence[str] | None,
    progress: Progress,
) -> Gated:
    """Builds the network in fp32 and in each of `precisions`, scores the images, which `request`
    opened for it, and compares. Raises InputError.
    """

    def scored(precision: str, *sets: LabelledImages) -> list[ScoredImages]:
        engine = _trial(network, precision, int8, backend, threads, min(BATCH, max_batch))
        return [
            score(
                engine,
                part,
                class_names=builder.class_names_of(engine, class_names),
                progress=lambda _, done, total: progress(f"gate: {precision}", done, total),
            )
            for part in sets
        ]

    chosen_on, reference = scored(REFERENCE, images.validation, images.compared)
    reference.as_reference(REFERENCE)
    gated = Gated(choose(chosen_on.truth, chosen_on.scores, request.rule))
    itself = request.assessor.assess(reference, gated.thresholds)
    if itself.advice:
        logger.warning("%s", itself.advice)
    gated.assessments[REFERENCE] = itself
    for precision in precisions:
        if precision not in gated.assessments:
            (candidate,) = scored(precision, images.compared)
            gated.assessments[precision] = request.assessor.assess(
                candidate, gated.thresholds, reference, request.limits(precision)
            )
    return gated


def _trial(
    network: Network, precision: str, int8: Int8 | None, backend: str, threads: int, batch: int
) -> Engine:
    assert network.preprocessing is not None
    core, _ = builder.compile_core(
        network.graph,
        backend=backend,
        precisions=[precision],
        obey=True,
        int8=int8,
        max_batch=batch,
        slice_size=batch,
        threads=threads,
        embed_blob=False,
    )
    engine = NativeEngine(core)
    engine.manifest = {"preprocess": network.preprocessing.to_json()}
    return engine


def _reasons(assessment: Assessment) -> str:
    """The first criteria that it misses."""
    assert assessment.verdict is not None
    missed = assessment.verdict.having(FAILED) or assessment.verdict.having(UNDECIDABLE)
    texts = [
        " ".join(filter(None, (check.criterion, check.subject)))
        + f" {check.value:.4g}, limit {check.limit:g}"
        for check in missed[:2]
    ]
    more = [f"{len(missed) - 2} more"] if missed[2:] else []
    return "; ".join(texts + more)
