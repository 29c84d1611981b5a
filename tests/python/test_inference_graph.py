from __future__ import annotations

import pytest

pytest.importorskip("tensorboard")

from chexnet_trt._core import InputError
from chexnet_trt.export.inference_graph import (
    check_inference,
    choose_outputs,
    parameter_count,
    remove_training_nodes,
    rename,
    sub_graph,
)
from chexnet_trt.models import build_graph
from chexnet_trt.uff.graph_def import DT_BOOL, DT_FLOAT, graph_def_class


def graph_of(*nodes):
    """Nodes as (name, op, inputs, attributes of types and booleans)."""
    graph = graph_def_class()()
    for name, op, inputs, attributes in nodes:
        node = graph.node.add(name=name, op=op, input=inputs)
        for key, value in attributes.items():
            if isinstance(value, bool):
                node.attr[key].b = value
            else:
                node.attr[key].type = value
    return graph


def names(graph):
    return [node.name for node in graph.node]


def test_outputs():
    nodes = {"logits", "chexnet_sigmoid_tensor", "categories"}
    signature = {"scores": "chexnet_sigmoid_tensor", "probabilities": "chexnet_sigmoid_tensor"}
    assert choose_outputs(nodes, [], signature) == ["chexnet_sigmoid_tensor"]
    assert choose_outputs(nodes, [], {}) == ["chexnet_sigmoid_tensor", "categories"]
    assert choose_outputs(nodes, ["logits:0", "scores"], signature) == [
        "logits",
        "chexnet_sigmoid_tensor",
    ]
    with pytest.raises(InputError, match=r"no nodes chexnet_sigmoid_tensor.*--output_node"):
        choose_outputs({"softmax"}, [], {})


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("chexnet_sigmoid_tensr", "chexnet_sigmoid_tensor"),
        ("final_dense", "resnet_model/final_dense"),
        ("score", "scores"),
    ],
)
def test_an_unknown_output_names_the_nearest(name, nearest):
    nodes = ["resnet_model/final_dense", "chexnet_sigmoid_tensor", "categories"]
    with pytest.raises(
        InputError, match=f"no node '{name}' for --output_node; the nearest: {nearest}"
    ):
        choose_outputs(nodes, [name], {"scores": "chexnet_sigmoid_tensor"})


def test_the_part_that_the_outputs_need():
    graph = graph_of(
        ("x", "Placeholder", [], {"dtype": DT_FLOAT}),
        ("check", "Assert", ["x"], {}),
        ("a", "Relu", ["x:0", "^check"], {}),
        ("save", "SaveV2", ["a"], {}),
        ("b", "Relu", ["a"], {}),
    )
    graph.versions.producer = 27
    part = sub_graph(graph, ["a"])
    assert names(part) == ["x", "check", "a"]
    assert part.versions.producer == 27
    rename(part, {"x": "image", "check": "checked"})
    assert names(part) == ["image", "checked", "a"]
    assert list(part.node[2].input) == ["image:0", "^checked"]


def test_a_damaged_graph():
    with pytest.raises(InputError, match="a node reads 'gone', which it lacks"):
        sub_graph(graph_of(("a", "Relu", ["gone"], {})), ["a"])


def test_nodes_that_only_pass_on():
    def graph():
        return graph_of(
            ("kernel", "Const", [], {}),
            ("kernel/read", "Identity", ["kernel"], {}),
            ("x", "Placeholder", [], {"dtype": DT_FLOAT}),
            ("product", "MatMul", ["x", "kernel/read"], {}),
            ("checked", "CheckNumerics", ["product", "^x"], {}),
            ("features", "Identity", ["checked:0"], {}),
            ("late", "Const", ["^features"], {}),
            ("sum", "Add", ["features", "late"], {}),
            ("scores", "Identity", ["sum"], {}),
        )

    named = remove_training_nodes(graph(), ["scores"], keep_names=True)
    inputs = {node.name: list(node.input) for node in named.node}
    assert inputs == {
        "kernel": [], "x": [], "product": ["x", "kernel"], "features": ["product"],
        "late": ["^features"], "sum": ["features", "late"], "scores": ["sum"],
    }  # fmt: skip
    plain = remove_training_nodes(graph(), ["scores"], keep_names=False)
    inputs = {node.name: list(node.input) for node in plain.node}
    assert "features" not in inputs
    assert (inputs["late"], inputs["sum"]) == (["^product"], ["product", "late"])


REFUSED = {
    "input pipeline is left inside: 'next' .IteratorGetNext.: export with a placeholder": (
        "next", "IteratorGetNext", {},
    ),
    "training graph: batch norms .*'bn' .FusedBatchNormV3.": (
        "bn", "FusedBatchNormV3", {"is_training": True},
    ),
    "training graph: batch norms .*'old'": ("old", "FusedBatchNorm", {}),
    "by a placeholder: 'is_training' .Placeholder.: export with the constant": (
        "is_training", "Placeholder", {"dtype": DT_BOOL},
    ),
    "by a placeholder: 'keras_learning_phase'": (
        "keras_learning_phase", "PlaceholderWithDefault", {"dtype": DT_BOOL},
    ),
    "dropout or noise is active: 'dropout/uniform' .RandomUniform.": (
        "dropout/uniform", "RandomUniform", {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_not_for_inference(message):
    name, op, attributes = REFUSED[message]
    with pytest.raises(InputError, match=message):
        check_inference(graph_of((name, op, [], attributes)))


def test_many_nodes_at_fault_are_counted():
    graph = graph_of(*((f"r{i}", "RandomUniform", [], {}) for i in range(5)))
    with pytest.raises(
        InputError, match=r"'r0' \(RandomUniform\), .*'r2' .RandomUniform. and 2 more:"
    ):
        check_inference(graph)


def test_our_networks_are_for_inference():
    import numpy as np

    graph = build_graph("densenet121", lambda _, shape: np.zeros(shape, np.float32), image_size=32)
    check_inference(graph)
    assert parameter_count(graph) == 7_051_854
