"""The image input of an engine: what it is fed for one image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from chexnet_trt._core import InputError
from chexnet_trt.images import Readable
from chexnet_trt.preprocess import Preprocessing, arrange

_IMAGE_AXES = {"nchw": (3, 2, 1), "nhwc": (2, 1, 3)}  # width, height, channels


class TensorSpec(Protocol):
    """An input or output of an engine; -1 is the batch; layout is 'nchw', 'nhwc' or 'plain';
    element is a NumPy type's name."""

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> Sequence[int]: ...
    @property
    def layout(self) -> str: ...
    @property
    def element(self) -> str: ...


def image_size(spec: TensorSpec) -> tuple[int, int, int]:
    """Width, height and channels of an input. Raises InputError for one that takes no images."""
    if spec.layout not in _IMAGE_AXES or len(spec.shape) != 4:
        raise InputError(
            f"the input '{spec.name}' of shape {list(spec.shape)} and layout '{spec.layout}' does "
            "not take images"
        )
    width, height, channels = (int(spec.shape[axis]) for axis in _IMAGE_AXES[spec.layout])
    return width, height, channels


def is_preprocessed(image: Readable) -> bool:
    """Whether this is an array of an input's values, not of pixels: those are integers."""
    return isinstance(image, np.ndarray) and image.dtype.kind == "f"


class ImageFeed:
    """Turns images into values of an input; without a preprocessing only preprocessed arrays.

    Raises InputError when the input and the preprocessing do not fit together.
    """

    def __init__(self, spec: TensorSpec, preprocessing: Preprocessing | None) -> None:
        self._spec = spec
        self.preprocessing = preprocessing
        if preprocessing is not None:
            _check_fit(spec, preprocessing)

    def values(self, image: Readable) -> NDArray[Any]:
        """One row of a batch: an image through the preprocessing, rounded where the input takes
        bytes and so preprocesses inside the engine; an array of float values as it is.

        Raises InputError for an image that cannot be read and for values that do not fit.
        """
        if isinstance(image, np.ndarray) and is_preprocessed(image):
            return self._checked(image)
        if self.preprocessing is None:
            raise InputError(
                f"nothing says how images become the values of '{self._spec.name}'; say it with "
                "--preprocess"
            )
        if self._spec.element == "uint8":
            pixels = np.rint(self.preprocessing.pixels(image)).astype(np.uint8)
            return arrange(pixels, self._spec.layout)
        return self.preprocessing.apply(image, self._spec.layout)

    def _checked(self, values: NDArray[Any]) -> NDArray[np.float32]:
        spec = self._spec
        if spec.element != "float32" or values.shape != tuple(spec.shape[1:]):
            raise InputError(
                f"'{spec.name}' takes {spec.element} {list(spec.shape[1:])}, got {values.dtype} "
                f"{list(values.shape)}"
            )
        with np.errstate(over="ignore"):
            row = values.astype(np.float32, order="C")
        if not np.isfinite(row).all():
            raise InputError(f"'{spec.name}' was given values that are infinite or no numbers")
        return row


def _check_fit(spec: TensorSpec, preprocessing: Preprocessing) -> None:
    width, height, channels = image_size(spec)
    made = (preprocessing.width, preprocessing.height, preprocessing.channels)
    if made != (width, height, channels):
        raise InputError(
            f"the engine takes {width}x{height} pixels of {channels} channels, but its "
            f"preprocessing makes {made[0]}x{made[1]} of {made[2]}"
        )
    if spec.element == "uint8" and preprocessing.name != "raw":
        raise InputError(
            f"the input '{spec.name}' takes bytes, so the engine preprocesses itself: "
            "give --preprocess raw"
        )
