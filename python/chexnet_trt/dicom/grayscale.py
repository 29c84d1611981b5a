"""DICOM's grayscale pipeline: from stored values to 0..255 (PS3.3 C.11, PS3.4 N.2).

pydicom.pixels has the same transformations, but leaves the range of its result to be worked out
by the caller; its 3.0 wraps around in a VOI LUT of more than 256 8-bit entries and has no modality
LUT of 12 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt._core import InputError

Values = NDArray[np.float64]


@dataclass(frozen=True)
class LookUpTable:
    """Value `first` maps to entries[0]; values outside map to the nearest end. Entries are
    unsigned, of `bits` bits."""

    first: int
    entries: NDArray[np.uint16]
    bits: int

    def __post_init__(self) -> None:
        if not 8 <= self.bits <= 16 or self.highest < int(self.entries.max(initial=0)):
            raise InputError(f"a look-up table does not keep to its {self.bits} bits")

    @property
    def highest(self) -> int:
        return (1 << self.bits) - 1

    def apply(self, values: Values) -> Values:
        index = (np.rint(values) - self.first).clip(0, len(self.entries) - 1)
        return self.entries[index.astype(np.int64)].astype(np.float64)


@dataclass(frozen=True)
class Rescale:
    slope: float = 1.0
    intercept: float = 0.0

    def __post_init__(self) -> None:
        if not (1e-6 <= abs(self.slope) <= 1e6 and abs(self.intercept) <= 1e9):
            raise InputError(
                f"rescale slope {self.slope} and intercept {self.intercept} make no sense"
            )


@dataclass(frozen=True)
class Window:
    center: float
    width: float
    function: str = "LINEAR"

    def __post_init__(self) -> None:
        if self.function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
            raise InputError("its VOI LUT function is none of LINEAR, LINEAR_EXACT, SIGMOID")
        least = 1.0 if self.function == "LINEAR" else 1e-6
        if not (abs(self.center) <= 1e15 and least <= self.width <= 1e15):
            raise InputError(f"a window of centre {self.center}, width {self.width} shows nothing")

    def apply(self, values: Values) -> Values:
        """To 0..1: PS3.3 C.11.2.1.2.1, C.11.2.1.3.1 and C.11.2.1.3.2."""
        if self.function == "SIGMOID":
            exponent = (values - self.center) * (-4 / self.width)
            return np.asarray(1 / (1 + np.exp(exponent.clip(-80, 80))))
        center, width = self.center, self.width
        if self.function == "LINEAR":
            center, width = center - 0.5, width - 1
        if width == 0:
            return (values > center).astype(np.float64)
        return ((values - center) / width + 0.5).clip(0, 1)


@dataclass(frozen=True)
class Grayscale:
    """How the stored values of a film are shown. `stored_range`: the lowest and the highest that
    its bits, 16 at most, can hold; `padding`: the same of pixels outside of the image."""

    stored_range: tuple[int, int]
    inverted: bool
    modality: LookUpTable | Rescale
    voi: LookUpTable | Window | None
    padding: tuple[int, int] | None = None

    def apply(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        """0 black to 255 white, not rounded, padding black.

        The window or look-up table fills the range; without one, all that the stored bits can hold.
        """
        lowest, highest = self.stored_range
        levels = (255 * self._levels(np.arange(lowest, highest + 1))).astype(np.float32)
        index = (stored.astype(np.int32) - lowest).clip(0, highest - lowest)
        return np.asarray(levels[index])

    def _levels(self, stored: NDArray[Any]) -> Values:
        """What each stored value looks like: 0..1."""
        values, lowest, highest = self._modality(stored)
        if self.voi is None:
            levels = (values - lowest) / (highest - lowest)
        elif isinstance(self.voi, LookUpTable):
            levels = self.voi.apply(values) / self.voi.highest
        else:
            levels = self.voi.apply(values)
        if self.inverted:
            levels = 1 - levels
        if self.padding is not None:
            low, high = self.padding
            levels[(stored >= low) & (stored <= high)] = 0
        return levels

    def _modality(self, stored: NDArray[Any]) -> tuple[Values, float, float]:
        """The modality's values, and the lowest and highest there can be."""
        values = stored.astype(np.float64)
        if isinstance(self.modality, LookUpTable):
            return self.modality.apply(values), 0, self.modality.highest
        slope, intercept = self.modality.slope, self.modality.intercept
        lowest, highest = sorted(end * slope + intercept for end in self.stored_range)
        return values * slope + intercept, lowest, highest
