"""integrate: the whitepaper's tensorrt_chexnet.py, engines inside the TensorFlow graph."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chexnet_trt import feeding
from chexnet_trt._core import InputError, write_file
from chexnet_trt.engine import logger
from chexnet_trt.inputs import check_targets, make_folder, positive
from chexnet_trt.integrated.engine_op import load_op_library
from chexnet_trt.integrated.graph_input import graph_input, image_batch, random_batch
from chexnet_trt.integrated.log_block import LEAST_STEPS, LOG_FILE
from chexnet_trt.integrated.predictions import LABELS_FILE, score_names
from chexnet_trt.models.networks import INPUT, SCORES
from chexnet_trt.preprocess import PRESETS
from chexnet_trt.tensorflow_import import import_tensorflow

if TYPE_CHECKING:
    from chexnet_trt.image_feed import ImageFeed
    from chexnet_trt.integrated.benchmark import Benchmark, Measured
    from chexnet_trt.integrated.source import Source

HELP = "put engines inside a TensorFlow graph, and time it in every precision"
EXAMPLE = (
    "  python -m chexnet_trt integrate \\\n"
    "      --savedmodel_dir=/home/chest-x-ray/chexnet_saved_model/1541777429/ \\\n"
    "      --image_file=image.jpg \\\n"
    "      --int8 --calib_data=/home/chest-x-ray/records \\\n"
    "      --output_dir=/home/chest-x-ray/output_tensorrt_chexnet_1541777429/ \\\n"
    "      --batch_size=1 \\\n"
    '      --input_node="input_tensor" \\\n'
    '      --output_node="chexnet_sigmoid_tensor"\n\n'
    "A program that loads a graph with engines first calls\n"
    "chexnet_trt.integrated.load_op_library()."
)
# The flag and the script's name of each mode.
MODES = {"native": "native", "fp32": "FP32", "fp16": "FP16", "int8": "INT8"}
_CALIBRATION_BATCH = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        f"Writes {LOG_FILE}, {LABELS_FILE} and, for every precision, the graph with engines as "
        "tftrt_PRECISION_frozen_graph.pb; prints the highest scores of the first image."
    )
    add = parser.add_argument
    add("--frozen_graph", "-fg", metavar="FILE", help=".pb; taken if there is a SavedModel too")
    add("--savedmodel_dir", "-sd", metavar="DIR", help="SavedModel, which is frozen first")
    add("--output_dir", "-od", metavar="DIR", default="/tmp", help="default /tmp")
    add("--output_node", "-on", metavar="NAME", default=SCORES, help=f"default {SCORES}")
    add("--input_node", "-in", metavar="NAME", default=INPUT, help=f"default {INPUT}")
    add("--batch_size", "-bs", type=positive, default=128, metavar="N", help="default 128")
    add(
        "--image_file",
        "-if",
        metavar="PATH",
        help="image (JPEG, PNG, DICOM), folder or list, over and over until the batch is full; "
        "without it the input is RANDOM",
    )
    add("--native", action="store_true", help="time TensorFlow's own graph")
    for mode in ("fp32", "fp16", "int8"):
        add(f"--{mode}", action="store_true", help=f"time engines that may compute in {mode}")
    add("--num_loops", "-nl", type=positive, default=100, metavar="N", help="default 100")
    add(
        "--workspace_size",
        "-ws",
        type=positive,
        metavar="MB",
        help="accepted, and without effect: engines take the memory that they need",
    )
    add(
        "--ids_are_one_indexed",
        action="store_true",
        help="the labels begin with a background class that the scores lack",
    )
    add("--predictions_to_print", "-pp", type=positive, default=5, metavar="N", help="default 5")
    _add_own_arguments(parser.add_argument_group("not in the whitepaper's script"))


def _add_own_arguments(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--calib_data",
        "--calib-data",
        metavar="PATH",
        help="images that --int8 needs: folder, .txt list, .csv table, TFRecords, .npy",
    )
    add(
        "--calib_images",
        "--calib-images",
        type=positive,
        metavar="N",
        help="take the first N images (default all)",
    )
    add("--calib_root", "--calib-root", metavar="DIR", help="where the images of a list lie")
    add(
        "--preprocess",
        choices=PRESETS,
        help="from pixels to values (default: as the model says it was trained, else imagenet-tf)",
    )
    add(
        "--labels_file",
        metavar="FILE",
        help=f"names of the scores (default: {LABELS_FILE} here, the model's own, the 14 findings)",
    )
    add(
        "--allow_fallback",
        action="store_true",
        help="TensorFlow computes what no engine does, and says so; without it that is an error",
    )
    add("--report", metavar="FILE", help="JSON: which nodes are in engines, why the others not")
    add("--json", action="store_true", help="print the results as JSON")


def run(args: argparse.Namespace) -> int:
    modes = [name for flag, name in MODES.items() if getattr(args, flag)]
    _check(args, modes)
    calibration = _open_calibration(args)
    folder = make_folder(args.output_dir)
    import_tensorflow("integrated mode")
    from chexnet_trt.integrated.results import Results, mode_lines
    from chexnet_trt.integrated.source import read_source

    source = read_source(args.frozen_graph, args.savedmodel_dir, args.output_node)
    names = score_names(args.labels_file, source.labels, args.ids_are_one_indexed)
    benchmark, feed = _benchmark(args, source, folder)
    if source.is_saved_model:
        write_file(str(folder / source.name), source.graph.SerializeToString())
    load_op_library()
    say = sys.stderr if args.json else sys.stdout
    measured = {}
    for mode in modes:
        print(f"Running {mode} graph", file=say, flush=True)
        measured[mode] = _measure(benchmark, mode, calibration, feed)
        names.of(measured[mode].scores.shape[1])  # Raises before the next one takes its time.
        print(*mode_lines(measured[mode]), sep="\n", file=say, flush=True)
    results = Results(measured, names, args.predictions_to_print, not args.image_file, source.notes)
    _write_json(folder / LABELS_FILE, dict(enumerate(names.names)))
    if args.report:
        _write_json(Path(args.report), results.reports())
    if args.json:
        print(json.dumps(results.to_json(), indent=1))
    else:
        print(*results.lines(), sep="\n")
    return 0


def _check(args: argparse.Namespace, modes: list[str]) -> None:
    if not modes:
        raise InputError("give what to time: --native, --fp32, --fp16, --int8")
    if args.num_loops < LEAST_STEPS:
        raise InputError(f"--num_loops={args.num_loops}: give {LEAST_STEPS} or more")
    if args.int8 and not args.calib_data:
        raise InputError(
            "--int8 needs images to calibrate with, a few hundred of what the model will see: give "
            "--calib_data=PATH"
        )
    for name in ("calib_data", "calib_images", "calib_root"):
        if getattr(args, name) and not args.int8:
            raise InputError(f"--{name} is for int8: add --int8")
    if args.report and modes == ["native"]:
        raise InputError("--report is of engines: add --fp32, --fp16 or --int8")
    check_targets(args.report)


def _open_calibration(args: argparse.Namespace) -> feeding.Source | None:
    if not args.int8:
        return None
    return feeding.open_source(
        args.calib_data, images_root=args.calib_root, limit=args.calib_images
    )


def _benchmark(
    args: argparse.Namespace, source: Source, folder: Path
) -> tuple[Benchmark, ImageFeed]:
    from chexnet_trt.integrated.benchmark import Benchmark

    spec = graph_input(source.graph, args.input_node, args.batch_size)
    feed = spec.feed(args.preprocess or source.preprocessing)
    if args.image_file:
        batch = image_batch(feed, args.image_file, args.batch_size)
    else:
        logger.warning("no --image_file: the input is RANDOM, the scores mean nothing")
        batch = random_batch(spec, args.batch_size)
    benchmark = Benchmark(
        source.graph,
        source.name,
        spec,
        args.output_node,
        batch,
        args.num_loops,
        folder,
        args.allow_fallback,
    )
    return benchmark, feed


def _measure(
    benchmark: Benchmark, mode: str, calibration: feeding.Source | None, feed: ImageFeed
) -> Measured:
    if mode == "native":
        return benchmark.native()
    if calibration is None or mode != "INT8":
        return benchmark.with_engines(mode)
    size, count = benchmark.spec.batch or _CALIBRATION_BATCH, len(calibration)
    if benchmark.spec.batch and count % size:
        raise InputError(
            f"the graph takes batches of {size} alone, {count} images fill none of the last: give "
            f"--calib_images={count // size * size or size}"
        )
    return benchmark.int8(feeding.batches(calibration, feed, size), count)


def _write_json(path: Path, content: Mapping[Any, Any]) -> None:
    write_file(str(path), (json.dumps(content, indent=1) + "\n").encode())
