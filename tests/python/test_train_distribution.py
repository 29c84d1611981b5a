from __future__ import annotations

import json

import numpy as np
import pytest

from chexnet_trt._core import InputError
from chexnet_trt.tensorflow_import import import_tensorflow

pytestmark = pytest.mark.tensorflow
pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def read_cluster():
    import_tensorflow("a test")
    from chexnet_trt.train.distribution import read_cluster

    return lambda config: read_cluster(
        {"TF_CONFIG": config if isinstance(config, str) else json.dumps(config)}
    )


def cluster(task, **tasks):
    return {"cluster": tasks, "task": task}


A, B, C = "a:1", "b:1", "c:1"


def test_without_a_cluster(read_cluster):
    assert read_cluster("") is None
    assert read_cluster(cluster({"type": "worker", "index": 0}, worker=[A])) is None


def test_the_chief_comes_first(read_cluster):
    found = read_cluster(cluster({"type": "worker", "index": 1}, worker=[B, C], chief=[A]))
    assert (found.addresses, found.index) == ((A, B, C), 2)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "not the JSON of a cluster"),
        ("[1]", "not the JSON of a cluster"),
        ({"cluster": {"worker": 3}}, "not the JSON of a cluster"),
        (cluster({}, worker=[A, B], ps=[C]), "has 'ps' tasks"),
        (cluster({}, worker=["a", "b"]), "HOST:PORT"),
        (cluster({}, worker=[A, A]), "twice"),
        (cluster({}, worker=[A], chief=[B, C]), "more than one chief"),
        (cluster({"type": "worker", "index": 2}, worker=[A, B]), "worker 2, is not one"),
        (cluster({"type": "worker", "index": "0"}, worker=[A, B]), "is not one of its cluster"),
        (cluster({"type": "evaluator", "index": 0}, worker=[A, B]), "evaluator 0, is not one"),
    ],
)
def test_a_broken_cluster_is_refused_with_the_reason(read_cluster, config, message):
    with pytest.raises(InputError, match=message):
        read_cluster(config)


def test_this_machine_alone(monkeypatch):
    import_tensorflow("a test")
    from chexnet_trt.train.distribution import choose_distribution

    monkeypatch.delenv("TF_CONFIG", raising=False)
    found = choose_distribution()
    assert (found.worker, found.workers, found.is_chief) == (0, 1, True)
    assert np.isin(found.replicas, range(1, 65))
