"""Class activation maps: Zhou et al. 2016, arXiv:1512.04150."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from chexnet_trt._core import InputError


class ClassActivation:
    """What the cells of a film add to the logit of each class.

    `maps`: the engine's output `class_activation_maps` for one film, [classes, height, width]: the
    mean of a map and the bias of its class are the logit, so a cell adds its value divided by the
    number of cells. Raises InputError on values that are no numbers.
    """

    def __init__(self, maps: NDArray[np.floating]) -> None:
        if not np.isfinite(maps).all():
            raise InputError("the class activation maps hold values that are infinite or no number")
        _, height, width = maps.shape
        self.contributions = (maps / (height * width)).astype(np.float32)

    @cached_property
    def scale(self) -> float:
        """The largest contribution to any class, or 0 where all of them are negative: one scale
        for all maps of a film, so that they can be compared.
        """
        return max(float(self.contributions.max()), 0.0)

    def intensity(self, index: int, size: tuple[int, int]) -> NDArray[np.float32]:
        """How much the places of a film of `size` (width, height) add to a class: 0 where they add
        nothing or take away, 1 at `scale`; float32 [height, width].

        Bilinear between the centres of cells. A network stretches its film to the size of its
        input, and the map is stretched back.
        """
        grown = Image.fromarray(self.contributions[index]).resize(size, Image.Resampling.BILINEAR)
        if self.scale == 0:
            return np.zeros((size[1], size[0]), np.float32)
        return np.asarray(np.clip(np.asarray(grown) / np.float32(self.scale), 0, 1))
