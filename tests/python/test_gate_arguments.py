from __future__ import annotations

import argparse

import pytest

from chexnet_trt.evaluation.gate import Limits
from chexnet_trt.evaluation.thresholds import Rule
from chexnet_trt.gate_arguments import add_gate_arguments, given, limits_of, rule


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_gate_arguments(parser)
    return parser.parse_args(words)


def test_defaults_are_those_of_the_precision():
    for precision, p99 in {"int8": 0.05, "mixed": 0.05, "fp16": 0.005, "bf16": 0.01}.items():
        assert limits_of(parsed(), precision) == Limits(p99=p99)
    assert given(parsed()) == []


def test_every_limit_has_a_flag():
    words = ["--max-macro-loss=0", "--max-class-loss=0.1", "--max-class-bound=0.2",
             "--max-flip-rate=0.3", "--max-score-change=0.4", "--min-spearman=0.5"]  # fmt: skip
    assert limits_of(parsed(*words), "int8") == Limits(0, 0.1, {}, 0.2, 0.3, 0.4, 0.5)
    flags = [word.split("=")[0] for word in words]
    assert sorted(given(parsed(*words, "--strict"))) == sorted([*flags, "--strict"])


def test_losses_by_finding():
    found = limits_of(parsed("--max-class-loss=Effussion=0.02"), "int8")
    assert (found.class_loss, found.class_losses) == (0.005, {"Hernia": 0.01, "Effusion": 0.02})
    found = limits_of(parsed("--max-class-loss=0.1", "--max-class-loss=Hernia=0.2"), "int8")
    assert (found.class_loss, found.class_losses) == (0.1, {"Hernia": 0.2})


@pytest.mark.parametrize("word", ["--max-macro-loss=-1", "--max-class-loss=x", "--min-spearman=2",
                                  "--max-class-loss=Cough=0.1", "--max-flip-rate=nan"])  # fmt: skip
def test_values_out_of_range(word):
    with pytest.raises(argparse.ArgumentError):
        parsed(word)


def test_rules():
    assert rule("specificity=0.9") == Rule("specificity", 0.9)
    with pytest.raises(argparse.ArgumentTypeError, match="expected youden"):
        rule("best")
