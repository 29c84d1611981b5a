"""A labelled data set, split by patients, as TFRecords: `prepare` writes it, training reads it."""

from __future__ import annotations

from chexnet_trt.records.dataset import Dataset, open_dataset
from chexnet_trt.records.description import SPLITS, Shard, Split
from chexnet_trt.records.labelled import Example
from chexnet_trt.records.writing import DatasetWriter

__all__ = ["SPLITS", "Dataset", "DatasetWriter", "Example", "Shard", "Split", "open_dataset"]
