"""freeze: write a network as a frozen TensorFlow graph."""

from __future__ import annotations

import argparse
import sys

from chexnet_trt._core import InputError, write_file
from chexnet_trt.inputs import check_targets
from chexnet_trt.models import NETWORKS, build_random_graph
from chexnet_trt.models.graph_builder import FLOAT

HELP = "write a network as a frozen TensorFlow graph (.pb)"
EXAMPLE = "chexnet_trt freeze --random-weights --network resnet50_v2 -o resnet50_v2.pb"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--random-weights",
        action="store_true",
        help="random weights of sane statistics: for timing and tests, the scores mean nothing",
    )
    parser.add_argument("--network", choices=tuple(NETWORKS), default="resnet50_v2")
    parser.add_argument("--image-size", type=int, default=256, metavar="PIXELS")
    parser.add_argument("--num-classes", type=int, default=14, metavar="N")
    parser.add_argument(
        "--data-format",
        choices=("channels_last", "channels_first"),
        default="channels_last",
        help="layout inside the network; the input is NHWC in both "
        "(TensorFlow runs channels_first on GPUs only)",
    )
    parser.add_argument("--seed", type=int, default=0, help="same seed, same weights")
    parser.add_argument("-o", "--output", required=True, metavar="FILE.pb")


def run(args: argparse.Namespace) -> int:
    if not args.random_weights:
        raise InputError(
            "freezing SavedModels and checkpoints comes with training, which this version does "
            "not have yet; it can write a network with --random-weights"
        )
    if args.seed < 0:
        raise InputError(f"--seed {args.seed}: give 0 or more")
    check_targets(args.output)
    graph = build_random_graph(
        args.network,
        image_size=args.image_size,
        num_classes=args.num_classes,
        data_format=args.data_format,
        seed=args.seed,
    )
    content = graph.SerializeToString()
    write_file(args.output, content)
    parameters = sum(
        len(node.attr["value"].tensor.tensor_content) // 4
        for node in graph.node
        if node.op == "Const" and node.attr["dtype"].type == FLOAT
    )
    size = args.image_size
    sys.stdout.write(
        f"wrote {args.output}: {args.network}, {len(graph.node)} nodes, "
        f"{parameters:,} parameters, {len(content) / 1e6:.1f} MB\n"
        f"input input_tensor [?, {size}, {size}, 3] ({args.data_format}), "
        f"preprocessing {NETWORKS[args.network].preprocessing}\n"
        f"The weights are RANDOM (seed {args.seed}): its scores are no diagnosis of anything.\n"
    )
    return 0
