"""Images that two sources share: an engine is not tested on what it was calibrated with."""

from __future__ import annotations

from pathlib import PurePath

from chexnet_trt._core import InputError
from chexnet_trt.engine import logger
from chexnet_trt.feeding.sources import Source


def check_apart(calibration: Source, gate: Source) -> None:
    """Raises InputError when an image to calibrate with is one of the gate's, by its content. Warns
    of file names in both, format aside: films keep theirs when `prepare` resizes them.
    """
    found, compared = calibration.identities(), gate.identities()
    contents = dict(compared)
    same = [contents[content] for content, _ in found if content in contents]
    if same:
        raise InputError(
            f"{len(same)} of the {len(found)} images to calibrate with are the gate's own, the "
            f"first '{same[0]}': an engine is not tested on what it was calibrated with; give "
            "training images"
        )
    stems = {PurePath(name).stem for _, name in compared if name}
    alike = [name for _, name in found if PurePath(name).stem in stems]
    if alike:
        logger.warning(
            "%d of the %d images to calibrate with have names of the gate's images, the first "
            "'%s': if they are the same films, the gate tests on what was calibrated with",
            len(alike),
            len(found),
            alike[0],
        )
