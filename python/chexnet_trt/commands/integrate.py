"""integrate: the whitepaper's tensorrt_chexnet.py, engines inside the TensorFlow graph."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from chexnet_trt._core import InputError, write_file
from chexnet_trt.inputs import make_folder, non_negative, positive
from chexnet_trt.int8_arguments import add_calibration_arguments
from chexnet_trt.integrated.log_block import LEAST_STEPS, LOG_FILE
from chexnet_trt.integrated.predictions import LABELS_FILE
from chexnet_trt.models.networks import INPUT, SCORES
from chexnet_trt.preprocess import PRESETS
from chexnet_trt.tensorflow_import import import_tensorflow

HELP = "put engines inside a TensorFlow graph, and time it in every precision"
EXAMPLE = (
    "  python -m chexnet_trt integrate \\\n"
    "      --savedmodel_dir=/home/chest-x-ray/chexnet_saved_model/1541777429/ \\\n"
    "      --image_file=image.jpg --native --fp32 --int8 --calib_data=records \\\n"
    "      --output_dir=/home/chest-x-ray/output_tensorrt_chexnet_1541777429/ \\\n"
    '      --batch_size=1 --input_node="input_tensor" --output_node="chexnet_sigmoid_tensor"\n\n'
    f"It writes {LOG_FILE}, {LABELS_FILE} and, for every precision, the graph with engines as\n"
    "tftrt_<precision>_frozen_graph.pb. A program that loads one of those first calls\n"
    "chexnet_trt.integrated.load_op_library()."
)
MODES = ("native", "fp32", "fp16", "int8")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--frozen_graph", "-fg", metavar="FILE", help="frozen graph .pb; goes before a SavedModel")
    add("--savedmodel_dir", "-sd", metavar="DIR", help="SavedModel, which is frozen first")
    add("--output_dir", "-od", metavar="DIR", default="/tmp", help="default /tmp")  # noqa: S108
    add("--output_node", "-on", metavar="NAME", default=SCORES, help=f"default {SCORES}")
    add("--input_node", "-in", metavar="NAME", default=INPUT, help=f"default {INPUT}")
    add("--batch_size", "-bs", type=positive, default=128, metavar="N", help="default 128")
    add(
        "--image_file",
        "-if",
        metavar="PATH",
        help="image (JPEG, PNG, DICOM), folder or list, repeated to fill the batch; without it the "
        "input is RANDOM",
    )
    add("--native", action="store_true", help="time TensorFlow's own graph")
    for mode in MODES[1:]:
        add(f"--{mode}", action="store_true", help=f"engines that may compute in {mode}")
    add("--num_loops", "-nl", type=positive, default=100, metavar="N", help="default 100")
    add(
        "--workspace_size",
        "-ws",
        type=positive,
        default=2 << 10,
        metavar="MB",
        help="accepted; engines take the memory that they need",
    )
    add(
        "--ids_are_one_indexed",
        action="store_true",
        help="the labels begin with a background class that the scores lack",
    )
    add("--predictions_to_print", "-pp", type=non_negative, default=5, metavar="N")
    more = parser.add_argument_group("not in the whitepaper's script")
    more.add_argument(
        "--labels_file",
        metavar="FILE",
        help=f"default {LABELS_FILE} where there is one, the model's own, or the 14 findings",
    )
    more.add_argument(
        "--preprocess",
        choices=PRESETS,
        help="from pixels to the input's values (default: what the SavedModel says, or imagenet-tf,"
        " which the script did)",
    )
    more.add_argument(
        "--allow_fallback",
        action="store_true",
        help="let TensorFlow compute what no engine can, with a message; else that is an error",
    )
    more.add_argument(
        "--report", metavar="FILE", help="which nodes became engines, and why not the others: JSON"
    )
    more.add_argument("--json", action="store_true", help="print the results as JSON")
    add_calibration_arguments(parser.add_argument_group("calibration of int8"))


def run(args: argparse.Namespace) -> int:
    modes = [mode for mode in MODES if getattr(args, mode)]
    _check(args, modes)
    folder = make_folder(args.output_dir)
    import_tensorflow("the integrated mode")
    from chexnet_trt.integrated.benchmark import Benchmark
