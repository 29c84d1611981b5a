"""What the processes of one network's modes have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

INPUT, OUTPUT = "input_tensor", "chexnet_sigmoid_tensor"


@dataclass(frozen=True)
class Setting:
    """`model`: a frozen graph from float32 [batch, height, width, channels] to scores. `size`:
    height, width, channels. `images`, `calibration`: .npy of preprocessed images for that input.
    `work`: the folder of what is made for the modes. `max_batch`: of engines. `engines`: engine
    files by mode, which run in place of what would be built.
    """

    model: Path
    size: tuple[int, int, int]
    preset: str
    images: Path
    calibration: Path
    work: Path
    threads: int
    max_batch: int
    engines: Mapping[str, str] = field(default_factory=dict)

    @property
    def network(self) -> dict[str, Any]:
        """Arguments of `chexnet_trt.build` and `calibrate` for engines fed as C,H,W planes."""
        height, width, channels = self.size
        return {"inputs": {INPUT: (channels, height, width)}, "outputs": [OUTPUT]}

    def to_json(self) -> dict[str, Any]:
        fields = asdict(self)
        paths = {name: str(fields[name]) for name in _PATHS}
        return fields | paths | {"size": list(self.size), "engines": dict(self.engines)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Setting:
        paths = {name: Path(fields[name]) for name in _PATHS}
        return cls(**{**fields, **paths, "size": tuple(fields["size"])})


_PATHS = ("model", "images", "calibration", "work")
