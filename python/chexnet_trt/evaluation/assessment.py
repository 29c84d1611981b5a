"""All that is said of an engine's scores: figures, comparison with a reference, verdict, advice."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from chexnet_trt.evaluation import label_order
from chexnet_trt.evaluation.bootstrap import PatientBootstrap
from chexnet_trt.evaluation.comparison import Comparison, compare
from chexnet_trt.evaluation.evaluation import Evaluation, evaluate
from chexnet_trt.evaluation.gate import Limits, Verdict, judge
from chexnet_trt.evaluation.scored import Array, ScoredImages
from chexnet_trt.evaluation.thresholds import Thresholds
from chexnet_trt.evaluation.truth import Truth
from chexnet_trt.evaluation.without_nan import without_nan


@dataclass(frozen=True)
class Assessment:
    """`comparison` and `verdict`: only against a reference. `advice`: when the scores look like
    those of other classes.
    """

    evaluation: Evaluation
    comparison: Comparison | None
    verdict: Verdict | None
    advice: str | None

    @property
    def passed(self) -> bool:
        return self.verdict is None or self.verdict.passed

    def to_json(self) -> dict[str, Any]:
        """JSON has no NaN: None stands for it."""
        fields: dict[str, Any] = without_nan(
            {
                "evaluation": asdict(self.evaluation),
                "comparison": self.comparison and asdict(self.comparison),
                "gate": self.verdict and self.verdict.to_json(),
                "advice": self.advice,
            }
        )
        return fields


@dataclass(frozen=True)
class Assessor:
    """What assessments have in common. `strict`: undecidable criteria fail."""

    resamples: int
    seed: int
    strict: bool = False

    def assess(
        self,
        scored: ScoredImages,
        thresholds: Thresholds | None,
        reference: ScoredImages | None = None,
        limits: Limits | None = None,
    ) -> Assessment:
        """`reference`: of the same images and classes, to be gated against with `limits`."""
        truth, scores = scored.truth, scored.scores
        bootstrap = PatientBootstrap(truth.patients, resamples=self.resamples, seed=self.seed)
        drawn = bootstrap.distribution(truth.labels, scores)
        evaluation = evaluate(truth, scores, bootstrap, drawn, thresholds)
        if reference is None:
            return Assessment(evaluation, None, None, _advice(truth, scores, None))
        drawn_reference = bootstrap.distribution(truth.labels, reference.scores)
        comparison = compare(truth, scores, reference.scores, (drawn, drawn_reference), thresholds)
        verdict = judge(comparison, limits or Limits(), strict=self.strict)
        advice = _advice(truth, scores, reference.scores)
        return Assessment(evaluation, comparison, verdict, advice)


def _advice(truth: Truth, scores: Array, reference: Array | None) -> str | None:
    """When the scores look like those of other classes, of the reference or else of the labels."""
    if reference is not None:
        order = label_order.order_of_reference(scores, reference)
        found = label_order.explain(order, truth.classes)
        if found:
            return found
    return label_order.explain(label_order.order_of_labels(truth, scores), truth.classes)
