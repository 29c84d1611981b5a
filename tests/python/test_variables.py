from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorboard")

from chexnet_trt._core import InputError
from chexnet_trt.models import NETWORKS, build_graph
from chexnet_trt.models.variables import variable_shapes


@pytest.mark.parametrize("network", list(NETWORKS))
def test_they_are_those_that_the_graph_asks_for(network):
    asked = {}

    def source(name, shape):
        asked[name] = shape
        return np.zeros(shape, np.float32)

    build_graph(network, source, image_size=32, num_classes=5)
    assert variable_shapes(network, 5) == asked


def test_an_unknown_network():
    with pytest.raises(InputError, match="unknown network 'vgg'"):
        variable_shapes("vgg", 14)
