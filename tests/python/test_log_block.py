from __future__ import annotations

import numpy as np
import pytest

from chexnet_trt.integrated.log_block import latency, log_block, throughput


def test_the_block_of_the_script_to_the_letter():
    block = log_block("tftrt_int8_frozen_graph.pb", 1, [0.5, 0.25])
    assert block == (
        "\n==========================\n"
        "network: tftrt_int8_frozen_graph.pb,\t batchsize 1, steps 2\n"
        "  fps \tmedian: 3.0, \tmean: 3.0, \tuncertainty: 1.0, \tjitter: 1.5\n"
        "  latency \tmedian: 0.37500, \tmean: 0.37500, \t99th_p: 0.49750, "
        "\t99th_uncertainty: 0.25000\n"
    )


def test_its_statistics():
    seconds = [0.1, 0.2, 0.4, 0.1]
    fps = throughput(seconds, 8)
    assert fps.median == 60
    assert fps.mean == 55
    assert fps.uncertainty == pytest.approx(np.std([80, 40, 20, 80], ddof=1) / 2)
    assert fps.jitter == pytest.approx(1.4826 * 20)
    time = latency(seconds)
    assert time.median == pytest.approx(0.15)
    assert time.mean == pytest.approx(0.2)
    assert time.p99 == pytest.approx(np.percentile(seconds, 99))
    assert time.p99_uncertainty == pytest.approx(0.397 - 0.199)
