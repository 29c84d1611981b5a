"""Class activation maps as pictures: where in a film the score of a class comes from."""

from __future__ import annotations

from chexnet_trt.heatmap.activation import ClassActivation
from chexnet_trt.heatmap.drawing import CAVEAT
from chexnet_trt.heatmap.figure import draw_figure
from chexnet_trt.heatmap.film import Film
from chexnet_trt.heatmap.overlay import draw_heatmap

__all__ = ["CAVEAT", "ClassActivation", "Film", "draw_figure", "draw_heatmap"]
