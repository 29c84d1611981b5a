"""The peers of tools/bench_gpu.py compute what our engine computes, with the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chexnet_trt import _core, builder, network
from chexnet_trt.models import build_random_graph
from networks import write_uff

torch = pytest.importorskip("torch", reason="PyTorch, the peer of tools/bench_gpu.py, is absent")
SIZE, INPUT, SCORES = 64, "input_tensor", "chexnet_sigmoid_tensor"


@pytest.mark.parametrize("name", ["resnet50_v2", "densenet121"])
def test_scores_are_those_of_our_engine(name: str, tmp_path: Path) -> None:
    from torch_networks import in_half, network_of, torch_network

    path = tmp_path / "network.pb"
    path.write_bytes(build_random_graph(name, image_size=SIZE).SerializeToString())
    found = network.read(path, inputs={INPUT: (3, SIZE, SIZE)}, outputs=[SCORES])
    images = np.random.default_rng(0).normal(size=(2, 3, SIZE, SIZE)).astype(np.float32)
    expected = builder.build_network(found, max_batch=2).infer(images)[SCORES]
    assert network_of(found.graph) == name
    peer = torch_network(found.graph)
    with torch.no_grad():
        np.testing.assert_allclose(peer(torch.from_numpy(images)), expected, atol=1e-4)
        half = in_half(peer)(torch.from_numpy(images).half())
    np.testing.assert_allclose(half.float(), expected, atol=0.05)


def test_other_networks_have_no_peer(tmp_path: Path) -> None:
    from torch_networks import network_of

    path = write_uff(tmp_path / "small.uff")
    found = network.read(path, inputs={INPUT: (3, 8, 8)}, outputs=[SCORES])
    with pytest.raises(_core.InputError, match="has no peers here"):
        network_of(found.graph)
