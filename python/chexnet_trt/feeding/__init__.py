"""Feeding many images to an engine: where they come from, and batches of them."""

from __future__ import annotations

from chexnet_trt.feeding.batches import batches
from chexnet_trt.feeding.opening import open_source
from chexnet_trt.feeding.overlap import check_apart
from chexnet_trt.feeding.sources import Source

__all__ = ["Source", "batches", "check_apart", "open_source"]
