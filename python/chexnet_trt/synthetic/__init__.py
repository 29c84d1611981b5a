"""A synthetic data set in the shape of NIH ChestX-ray14: chest films that are drawn, of nobody."""

from __future__ import annotations

from chexnet_trt.synthetic.dataset import Options, write_dataset
from chexnet_trt.synthetic.film import render
from chexnet_trt.synthetic.patients import Exam, Patient, exams

__all__ = ["Exam", "Options", "Patient", "exams", "render", "write_dataset"]
