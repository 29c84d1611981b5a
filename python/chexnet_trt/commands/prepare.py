from __future__ import annotations

import argparse
import json
from typing import Any

from chexnet_trt import nih
from chexnet_trt.inputs import non_negative, positive
from chexnet_trt.labels import LABELS
from chexnet_trt.progress import ProgressLine
from chexnet_trt.records import SPLITS, Dataset
from chexnet_trt.records.preparing import KINDS_OF_SPLIT, Prepared, prepare

HELP = "NIH ChestX-ray14 to TFRecords, split by patients"
EXAMPLE = "  python -m chexnet_trt prepare ChestX-ray14/ -o records/"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Reads a folder in the layout of NIH ChestX-ray14, resizes its images with the kernel that "
        "inference uses, and writes them with their labels as TFRecords, no patient in two splits."
    )
    parser.add_argument(
        "nih_dir",
        metavar="NIH_DIR",
        help="folder with Data_Entry_2017*.csv, train_val_list.txt, test_list.txt and, anywhere "
        "below, the images: PNG, JPEG or DICOM files, or the .tar.gz archives",
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="RECORDS_DIR", help="a new or empty folder"
    )
    parser.add_argument("--image-size", type=positive, default=256, metavar="PIXELS")
    parser.add_argument(
        "--split",
        choices=KINDS_OF_SPLIT,
        default="official",
        help="official: NIH's lists, an eighth of the training patients for validation (default); "
        "random: 70, 10 and 20 %% of the patients",
    )
    parser.add_argument("--seed", type=non_negative, default=0, help="of splits and order")
    parser.add_argument(
        "--entries", metavar="CSV", help="table of labels (default: the newest in NIH_DIR)"
    )
    parser.add_argument(
        "--shards",
        type=positive,
        metavar="N",
        help="files a split (default: about 1,000 images in each, from 4 to 64)",
    )
    parser.add_argument(
        "--jobs", type=positive, metavar="N", help="threads that decode (default: one a core)"
    )
    parser.add_argument(
        "--allow-missing", action="store_true", help="prepare the images that are there"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    progress = ProgressLine()
    try:
        prepared = prepare(
            args.nih_dir,
            args.output,
            image_size=args.image_size,
            split=args.split,
            seed=args.seed,
            entries=args.entries,
            shards=args.shards,
            jobs=args.jobs,
            allow_missing=args.allow_missing,
            progress=progress,
        )
    finally:
        progress.close()
    if args.json:
        print(json.dumps(_facts(prepared), indent=1))
    else:
        _print(prepared, args.split, args.seed)
    return 0


def _facts(prepared: Prepared) -> dict[str, Any]:
    return {
        "records": str(prepared.dataset.folder),
        "missing": prepared.missing,
        **prepared.dataset.description.to_json(),
    }


def _print(prepared: Prepared, split: str, seed: int) -> None:
    dataset = prepared.dataset
    size = dataset.image_size
    print(f"labels from {prepared.table}")
    if prepared.missing:
        print(f"{prepared.missing} images of the table are MISSING and left out")
    print(f"wrote {dataset.folder}: {size}x{size} pixels, {split} split by patients, seed {seed}\n")
    for line in _table(dataset):
        print(line)
    if dataset.synthetic:
        print(
            f"\nSYNTHETIC data ({nih.SYNTHETIC_MARK}): drawn by a program, of no patient; what is "
            "learnt from it is no diagnosis of anything."
        )


def _table(dataset: Dataset) -> list[str]:
    splits = [dataset.splits[name] for name in SPLITS]
    rows: list[tuple[str, list[int]]] = [
        ("shards", [len(split.shards) for split in splits]),
        ("patients", [split.patients for split in splits]),
        ("images", [split.images for split in splits]),
    ]
    rows += [(label, [split.positives[label] for split in splits]) for label in LABELS]
    header = f"{'':<20}" + "".join(f"{name:>12}" for name in SPLITS)
    return [
        header,
        *(f"{name:<20}" + "".join(f"{n:>12,}" for n in counts) for name, counts in rows),
    ]
