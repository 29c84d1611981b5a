"""Marks that a network's files carry from freezing to the engine: why its scores mean nothing, and
how the images were preprocessed that it was trained on.

In a GraphDef they are an attribute of the inputs, which every part that computes something keeps;
TensorFlow and other readers pass over attributes that begin with an underscore. In a .uff file they
are an entry of MetaGraph.extra_fields, which readers of an older schema skip. A file without marks
is what it would be if there were none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from chexnet_trt._core.uff import MetaGraph

if TYPE_CHECKING:
    from chexnet_trt.uff.graph_def import GraphDef

SYNTHETIC = "synthetic"
RANDOM = "random weights"

_SENTENCES = {
    SYNTHETIC: "Trained on SYNTHETIC images: its scores are no diagnosis of anything.",
    RANDOM: "The weights are RANDOM: its scores are no diagnosis of anything.",
}
_PREPROCESSING = "preprocessing "
_ATTRIBUTE = "_chexnet_trt_marks"
_FIELD = "chexnet_trt_marks"
_INPUTS = ("Placeholder", "PlaceholderV2", "PlaceholderWithDefault")


def sentences(marks: Iterable[str]) -> list[str]:
    """What whoever uses the scores has to know, a line each."""
    return [
        _SENTENCES.get(mark, f"Marked '{mark}' by whoever made it.")
        for mark in marks
        if not mark.startswith(_PREPROCESSING)
    ]


def of_preprocessing(preset: str) -> str:
    """The mark of a network that was trained on images preprocessed so."""
    return _PREPROCESSING + preset


def preprocessing_of(marks: Sequence[str], presets: Iterable[str]) -> str | None:
    """The one of `presets` that the network was trained with; None where no mark says so."""
    return next((name for name in presets if of_preprocessing(name) in marks), None)


def mark_graph_def(graph: GraphDef, marks: Sequence[str]) -> None:
    for node in graph.node if marks else ():
        if node.op in _INPUTS:
            node.attr[_ATTRIBUTE].list.s.extend(mark.encode() for mark in marks)


def marks_of_graph_def(graph: GraphDef) -> tuple[str, ...]:
    """Of any of its nodes, each once."""
    found = (node.attr[_ATTRIBUTE].list.s for node in graph.node if _ATTRIBUTE in node.attr)
    return _texts(mark.decode(errors="replace") for marks in found for mark in marks)


def mark_uff(meta: MetaGraph, marks: Sequence[str]) -> None:
    if marks:
        meta.add_extra_field(_FIELD, list(marks))


def marks_of_uff(meta: MetaGraph) -> tuple[str, ...]:
    found = meta.extra_fields.get(_FIELD)
    return _texts(found) if isinstance(found, list) else ()


def _texts(found: Iterable[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in found if isinstance(text, str)))
