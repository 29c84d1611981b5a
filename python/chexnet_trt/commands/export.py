"""export: write a trained model as a SavedModel for serving."""

from __future__ import annotations

import argparse
import sys

from chexnet_trt.export_arguments import add_model_arguments, open_model
from chexnet_trt.inputs import positive
from chexnet_trt.tensorflow_import import import_tensorflow

HELP = "write a trained model as a SavedModel for serving"
EXAMPLE = "chexnet_trt export chexnet_checkpoints --export_dir chexnet_saved_model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model_dir", help="model folder of `train` (its best weights), or a checkpoint of it"
    )
    parser.add_argument(
        "--export_dir", required=True, metavar="DIR", help="gets a folder named by the time"
    )
    parser.add_argument(
        "--batch_size", type=positive, metavar="N", help="fix the batch (default: any)"
    )
    add_model_arguments(parser)


def run(args: argparse.Namespace) -> int:
    import_tensorflow("exporting a model")
    from chexnet_trt.export.saved_model import SIGNATURES, export_model

    model, weights = open_model(args, args.model_dir)
    folder = export_model(model, weights.values, args.export_dir, batch_size=args.batch_size)
    size = model.image_size
    shape = f"[{args.batch_size or '?'}, {size}, {size}, 3] ({model.data_format} inside)"
    lines = [
        f"wrote {folder}: {model.network} of {weights.prefix}",
        f"signatures {', '.join(SIGNATURES)}: input {shape} -> scores, categories",
        *model.notes(),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0
