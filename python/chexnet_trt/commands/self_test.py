"""self-test: whether an engine of a GPU computes what the CPU computes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chexnet_trt._core import BackendError, InputError
from chexnet_trt.backends import NATIVE
from chexnet_trt.bindings import Array, dtype_of, shape_of
from chexnet_trt.engine import TIMING_ONLY, Engine, load
from chexnet_trt.image_feed import ImageFeed
from chexnet_trt.image_lists import image_files
from chexnet_trt.inputs import positive
from chexnet_trt.marks import sentences
from chexnet_trt.preprocess import Preprocessing
from chexnet_trt.self_testing import PERMITTED, Feeds, Row, compare_with_cpu
from chexnet_trt.trtexec.flags import time as non_negative_number

HELP = "compare an engine of TensorRT or cuda, on its GPU, with the CPU on the same inputs"
EXAMPLE = (
    "  python -m chexnet_trt self-test chexnet.engine\n"
    "  python -m chexnet_trt self-test chexnet.engine --images films/ --batch 1 8 --json"
)
_LIMITS = ", ".join(f"{name} {value:g}" for name, value in PERMITTED.items())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Runs the engine on its GPU and the graph in its file on the CPU, with the same inputs,\n"
        "and prints the differences and a verdict. The exit status is 1 when they are too large,\n"
        "and when the engine does not run here, which is said with the reason.\n\n"
        "What engines of TensorRT compute is proved without a GPU, from their networks; none was\n"
        "run, for want of a GPU with TensorRT, when this was written. Find out on yours, with\n"
        "this command, for each engine that you build."
    )
    parser.add_argument("engine", help="engine file")
    parser.add_argument(
        "--images", nargs="+", metavar="IMAGE", help="images or folders (default: RANDOM pixels)"
    )
    parser.add_argument(
        "--batch", nargs="+", type=positive, metavar="N", help="sizes (default: 1 and the maximum)"
    )
    parser.add_argument(
        "--tolerance",
        type=non_negative_number,
        metavar="X",
        help=f"permitted difference of a score (default: {_LIMITS})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    engine = load(args.engine)
    if engine.backend == NATIVE:
        raise InputError(
            f"'{args.engine}' is for the backend '{NATIVE}', which others are compared with"
        )
    feeds = _from_files(engine, args.images) if args.images else _random(engine)
    try:
        rows = compare_with_cpu(engine, feeds, _batches(args.batch, engine), args.tolerance)
    except BackendError as error:
        _report(args, engine, "NOT RUN", [], str(error))
        return 1
    passed = all(row.passed for row in rows)
    _report(args, engine, "PASSED" if passed else "FAILED", rows, "")
    return int(not passed)


def _batches(given: Sequence[int] | None, engine: Engine) -> list[int]:
    batches = sorted(set(given or (1, engine.max_batch)))
    if batches[-1] > engine.max_batch:
        raise InputError(f"--batch {batches[-1]}: the engine takes 1 to {engine.max_batch}")
    return batches


def _random(engine: Engine) -> Callable[[int, int], Feeds]:
    """Pixels through the preprocessing that the engine was built for, where it says one."""
    fields = engine.manifest.get("preprocess")

    def feeds(batch: int, seed: int) -> Feeds:
        rng = np.random.default_rng(seed)
        if not fields:
            return {info.name: _numbers(rng, info, batch) for info in engine.inputs}
        preprocessing = Preprocessing.from_json(fields)
        feed = ImageFeed(engine.inputs[0], preprocessing)
        size = (preprocessing.height, preprocessing.width, preprocessing.channels)
        pixels = rng.integers(0, 256, (batch, *size), np.uint8)
        return {engine.inputs[0].name: np.stack([feed.values(image) for image in pixels])}

    return feeds


def _numbers(rng: np.random.Generator, info: Any, batch: int) -> Array:  # noqa: ANN401
    shape, dtype = shape_of(info, batch), dtype_of(info)
    if np.issubdtype(dtype, np.floating):
        return rng.uniform(-1, 1, shape).astype(dtype)
    return rng.integers(0, 128, shape).astype(dtype)


def _from_files(engine: Engine, images: Sequence[str]) -> Callable[[int, int], Feeds]:
    """The images in their order, again and again; another seed begins in their middle."""
    fields = engine.manifest.get("preprocess")
    if len(engine.inputs) != 1 or not fields:
        raise InputError("--images needs an engine of one image input that knows its preprocessing")
    feed = ImageFeed(engine.inputs[0], Preprocessing.from_json(fields))
    values = [feed.values(path) for path in image_files(images)]

    def feeds(batch: int, seed: int) -> Feeds:
        start = seed * len(values) // 2
        rows = [values[(start + index) % len(values)] for index in range(batch)]
        return {engine.inputs[0].name: np.stack(rows)}

    return feeds


def _report(
    args: argparse.Namespace, engine: Engine, verdict: str, rows: Sequence[Row], reason: str
) -> None:
    marks = engine.manifest.get("marks", [])
    facts = {
        "engine": args.engine,
        "precision": engine.precision,
        "backend": engine.backend,
        "made_by": engine.runtime_version,
        "device": engine.device,
        "random_input": not args.images,
        "random_ranges": engine.timing_only,
        "marks": marks,
        "verdict": verdict,
        "reason": reason or None,
        "outputs": [row.to_json() for row in rows],
    }
    if args.json:
        print(json.dumps(facts, indent=1))
        return
    made_by = engine.runtime_version and f"made by {engine.runtime_version}, "
    print(f"{args.engine}: {engine.precision}, {made_by}{engine.device}")
    print("reference: the graph in the file, by the CPU")
    print("input: images" if args.images else "input: RANDOM pixels; give --images for real ones")
    for line in [*sentences(marks), *([TIMING_ONLY] if engine.timing_only else [])]:
        print(line)
    for line in _table(rows):
        print(line)
    print(f"{verdict}: {reason}" if reason else verdict)


def _table(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    width = max(len("output"), *(len(row.output) for row in rows))
    head = (f"{name:>9}" for name in ("largest", "mean", "again", "permitted"))
    lines = [f"{'batch':>5}  {'output':<{width}}  {'  '.join(head)}"]
    for row in rows:
        permitted = "not judged" if row.permitted is None else f"{row.permitted:9.2g}"
        mark = "" if row.passed else "  FAILED"
        lines.append(
            f"{row.batch:>5}  {row.output:<{width}}  {row.largest:9.2g}  {row.mean:9.2g}  "
            f"{row.again:9.2g}  {permitted}{mark}"
        )
    return lines
