"""The model that `integrate` is given, and what it says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from chexnet_trt._core import InputError
from chexnet_trt.export.freezing import freeze_saved_model
from chexnet_trt.export.inference_graph import choose_outputs
from chexnet_trt.export.model_folder import read_facts
from chexnet_trt.export.saved_model import FACTS
from chexnet_trt.marks import marks_of_graph_def, preprocessing_of, sentences
from chexnet_trt.preprocess import PRESETS
from chexnet_trt.uff import graph_def
from chexnet_trt.uff.graph_def import GraphDef

GRAPH_FILE = "frozen_graph.pb"
# What the whitepaper's script did with an image.
DEFAULT_PREPROCESSING = "imagenet-tf"


@dataclass(frozen=True)
class Source:
    """name: of the graph's file. is_saved_model: it was frozen just now. labels: None where the
    model has none.
    """

    graph: GraphDef
    name: str
    is_saved_model: bool
    preprocessing: str = DEFAULT_PREPROCESSING
    labels: Sequence[str] | None = None

    @property
    def notes(self) -> list[str]:
        """What whoever uses its scores has to know, a line each."""
        return sentences(marks_of_graph_def(self.graph))


def read_source(frozen_graph: str | None, savedmodel_dir: str | None, output_node: str) -> Source:
    """The frozen graph if there are both. Raises InputError when there is none, it is none, or it
    lacks the output.
    """
    source = _from_file(Path(frozen_graph)) if frozen_graph else _from_folder(savedmodel_dir)
    choose_outputs({node.name for node in source.graph.node}, [output_node], {})
    return source


def _from_file(path: Path) -> Source:
    content = graph_def.load(path).SerializeToString()
    graph = tf.compat.v1.GraphDef.FromString(content)
    trained = preprocessing_of(marks_of_graph_def(graph), PRESETS)
    return Source(graph, path.name, False, trained or DEFAULT_PREPROCESSING)


def _from_folder(savedmodel_dir: str | None) -> Source:
    if not savedmodel_dir:
        raise InputError("give a model: --frozen_graph=FILE or --savedmodel_dir=DIR")
    folder = Path(savedmodel_dir)
    graph = freeze_saved_model(folder).graph
    if not (folder / FACTS).is_file():
        return Source(graph, GRAPH_FILE, True)
    facts = read_facts(folder / FACTS)
    return Source(graph, GRAPH_FILE, True, facts.preprocessing, facts.labels)
