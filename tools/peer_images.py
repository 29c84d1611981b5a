"""The images that our engines and the peers are fed: random gray clouds, preprocessed.

Our module is loaded by the functions alone: the processes of peers take the constants.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

INPUT = "input_tensor"
OUTPUT = "chexnet_sigmoid_tensor"
SIZE = 256
# Of chexnet_trt.preprocess, those that the networks of this project are trained with.
PRESETS = ("imagenet-tf", "torch")
CALIBRATION_IMAGES = 16


def clouds(count: int, preset_name: str) -> NDArray[Any]:
    """float32 [count, SIZE, SIZE, 3], the same for the same arguments."""
    from chexnet_trt.models.random_weights import synthetic_images
    from chexnet_trt.preprocess import preset

    pixels = synthetic_images(np.random.default_rng(0), count, SIZE)
    contract = preset(preset_name, SIZE, SIZE, 3)
    return ((pixels - contract.mean) / contract.std).astype(np.float32)


def fitting_preset(model: Path) -> str:
    """The preset of PRESETS that leaves most scores off 0 and 1, where a difference shows."""
    import chexnet_trt as ct

    engine = ct.build(model, inputs={INPUT: (SIZE, SIZE, 3)}, outputs=[OUTPUT], input_order="NHWC")

    def alive(preset_name: str) -> int:
        scores = engine.infer(clouds(1, preset_name))[OUTPUT]
        return int(np.count_nonzero((scores > 0.001) & (scores < 0.999)))

    counts = {name: alive(name) for name in PRESETS}
    best = max(counts, key=counts.__getitem__)
    print(f"random gray clouds through {best}: {counts[best]} of 14 scores in 0.001..0.999")
    return best
