"""Arguments of the gate, which `evaluate` and `build` share."""

from __future__ import annotations

import argparse

from chexnet_trt._core import InputError
from chexnet_trt.evaluation.bootstrap import RESAMPLES
from chexnet_trt.evaluation.gate import P99, Limits
from chexnet_trt.evaluation.thresholds import Rule
from chexnet_trt.inputs import non_negative, positive
from chexnet_trt.labels import canonicalise

_LIMITS = ("max_macro_loss", "max_class_loss", "max_class_bound", "max_flip_rate",
           "max_score_change", "min_spearman")  # fmt: skip
_DEFAULTS = Limits()

_Parser = argparse.ArgumentParser | argparse._ArgumentGroup


def add_gate_arguments(parser: _Parser) -> None:
    for name, default, text in (
        ("macro-loss", _DEFAULTS.macro_loss, "loss of macro AUROC"),
        ("class-bound", _DEFAULTS.class_bound, "one-sided 95 %% bound of a class's loss of AUROC"),
        ("flip-rate", _DEFAULTS.flip_rate, "share of images that change sides of a threshold"),
    ):
        parser.add_argument(
            f"--max-{name}", type=_share, metavar="X", help=f"{text} (default {default:g})"
        )
    parser.add_argument(
        "--max-class-loss",
        type=_class_loss,
        action="append",
        metavar="[FINDING=]X",
        help=f"loss of a class's AUROC (default {_DEFAULTS.class_loss:g}, Hernia=0.01); repeatable",
    )
    p99 = ", ".join(f"{name} {limit:g}" for name, limit in P99.items())
    parser.add_argument(
        "--max-score-change",
        type=_share,
        metavar="X",
        help=f"99th percentile of |difference of scores| (default by precision: {p99})",
    )
    parser.add_argument(
        "--min-spearman",
        type=_share,
        metavar="X",
        help=f"mean rank correlation of the classes (default {_DEFAULTS.spearman:g})",
    )
    parser.add_argument(
        "--strict", action="store_true", help="criteria that the sample cannot decide fail the gate"
    )


def add_bootstrap_arguments(parser: _Parser) -> None:
    parser.add_argument(
        "--resamples",
        type=positive,
        default=RESAMPLES,
        metavar="N",
        help=f"of the patients, for the intervals (default {RESAMPLES})",
    )
    parser.add_argument("--seed", type=non_negative, default=0, help="of the resamples (default 0)")


def given(args: argparse.Namespace) -> list[str]:
    """The flags of `add_gate_arguments` that the command line has."""
    values = {name: getattr(args, name) for name in (*_LIMITS, "strict")}
    return [
        f"--{name.replace('_', '-')}"
        for name, value in values.items()
        if value is not None and value is not False
    ]


def rule(text: str) -> Rule:
    """argparse type: how thresholds are chosen."""
    try:
        return Rule.parse(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def limits_of(args: argparse.Namespace, precision: str) -> Limits:
    """For an engine of that precision."""
    default = Limits(p99=P99.get(precision, _DEFAULTS.p99))
    losses = dict(args.max_class_loss or ())
    every = losses.pop(None, None)
    by_name = {} if every is not None else dict(default.class_losses)
    return Limits(
        macro_loss=_or(args.max_macro_loss, default.macro_loss),
        class_loss=_or(every, default.class_loss),
        class_losses=by_name | losses,
        class_bound=_or(args.max_class_bound, default.class_bound),
        flip_rate=_or(args.max_flip_rate, default.flip_rate),
        p99=_or(args.max_score_change, default.p99),
        spearman=_or(args.min_spearman, default.spearman),
    )


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _class_loss(text: str) -> tuple[str | None, float]:
    """argparse type: X or FINDING=X."""
    name, equals, value = text.rpartition("=")
    try:
        return (canonicalise(name) if equals else None), _share(value)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")
    return value
