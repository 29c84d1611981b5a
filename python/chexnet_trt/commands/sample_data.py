"""sample-data: draw a synthetic data set in the shape of NIH ChestX-ray14."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from chexnet_trt._core import InputError
from chexnet_trt.inputs import non_negative, positive
from chexnet_trt.labels import LABELS
from chexnet_trt.progress import ProgressLine

HELP = "draw a synthetic data set in the shape of NIH ChestX-ray14"
EXAMPLE = "  python -m chexnet_trt sample-data -o synthetic/ --images 1600"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Draws chest films of invented patients with visible signs of the 14 findings, and writes "
        "them with the table and the lists of NIH ChestX-ray14. No patient's image, and nothing "
        "that is trained on them says anything about patients."
    )
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="a new folder")
    parser.add_argument(
        "--images", type=positive, default=1600, metavar="N", help="films (default 1600)"
    )
    parser.add_argument(
        "--size", type=positive, default=1024, metavar="PIXELS", help="default 1024"
    )
    parser.add_argument(
        "--dicom",
        default="0",
        metavar="N",
        help="also write the first N films (or 'all') as DICOM files, into DIR/dicom",
    )
    parser.add_argument("--seed", type=non_negative, default=0, help="same seed, same films")
    parser.add_argument(
        "--jobs", type=positive, metavar="J", help="processes (default: every core)"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    from chexnet_trt.synthetic import Options, write_dataset

    options = Options(args.images, args.seed, args.size, _dicom(args.dicom, args.images))
    progress = ProgressLine()
    begin = time.perf_counter()
    try:
        jobs = args.jobs or len(os.sched_getaffinity(0))
        drawn = write_dataset(Path(args.output), options, jobs=jobs, progress=progress)
    finally:
        progress.close()
    facts: dict[str, Any] = {
        "folder": args.output,
        "synthetic": True,
        "seed": args.seed,
        "size": args.size,
        "images": len(drawn),
        "dicom": options.dicom,
        "patients": len({exam.patient.number for exam in drawn}),
        "test_images": sum(exam.patient.is_test for exam in drawn),
        "no_finding": sum(not exam.findings for exam in drawn),
        "findings": {name: sum(name in exam.findings for exam in drawn) for name in LABELS},
        "seconds": time.perf_counter() - begin,
    }
    if args.json:
        print(json.dumps(facts, indent=1))
    else:
        _print(facts)
    return 0


def _dicom(text: str, images: int) -> int:
    if text == "all":
        return images
    if not text.isdecimal():
        raise InputError(f"--dicom {text}: give a number of films or 'all'")
    return min(int(text), images)


def _print(facts: dict[str, Any]) -> None:
    print(
        f"wrote {facts['folder']}: {facts['images']} SYNTHETIC films of {facts['patients']} "
        f"invented patients, {facts['test_images']} for the test, {facts['dicom']} also as DICOM, "
        f"{facts['seconds']:.1f} s"
    )
    for name, images in sorted(facts["findings"].items(), key=lambda item: -item[1]):
        print(f"  {name:<20} {images:>6}")
    print(f"  {'No Finding':<20} {facts['no_finding']:>6}")
