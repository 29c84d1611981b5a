from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from chexnet_trt import _core, choose, feeding
from chexnet_trt.accuracy import Agreement
from chexnet_trt.build_arguments import add_network_arguments, read_network
from chexnet_trt.calibration import ALGORITHMS, Method, calibrate_network
from chexnet_trt.inputs import check_targets, non_negative, positive, target_of
from chexnet_trt.int8 import from_table
from chexnet_trt.int8_arguments import add_calibration_arguments, check_batches, method_of
from chexnet_trt.network import Network
from chexnet_trt.progress import ProgressLine
from chexnet_trt.sensitivity import LayerSensitivity, Trial, rank

HELP = "representative images to a table of int8 ranges"
EXAMPLE = (
    "  python -m chexnet_trt calibrate chexnet.uff --uffInput input_tensor,3,256,256 \\\n"
    "      --output chexnet_sigmoid_tensor --preprocess imagenet-tf \\\n"
    "      --calib-data films/ -o chexnet.calib\n"
    "  python -m chexnet_trt calibrate chexnet.uff --uffInput input_tensor,3,256,256 \\\n"
    "      --output chexnet_sigmoid_tensor --preprocess imagenet-tf \\\n"
    "      --choose-from ChestX-ray14/ --save-list calib.txt -o chexnet.calib --sensitivity"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Runs images through the network in fp32 and writes the dynamic range of every value that "
        "int8 stores, as a TensorRT calibration table that also says what it was made from."
    )
    parser.add_argument("model", help=".uff or TensorFlow frozen graph .pb")
    parser.add_argument("-o", "--save", metavar="FILE", help="default: the model's name, .calib")
    add_network_arguments(parser)
    parser.add_argument("--u8-input", action="store_true", help="for an engine built with it")
    add_calibration_arguments(parser)
    chooser = parser.add_argument_group("choosing images from NIH ChestX-ray14")
    chooser.add_argument(
        "--choose-from",
        metavar="DIR",
        help="folder with Data_Entry_2017*.csv, train_val_list.txt and the images: takes "
        "--calib-images of them (default 500), training patients only, one a patient, all findings",
    )
    chooser.add_argument("--seed", type=non_negative, default=0, help="of the choice (default 0)")
    chooser.add_argument("--save-list", metavar="FILE", help="write the chosen images as a list")
    report = parser.add_argument_group("reports, on the first 32 images")
    report.add_argument(
        "--compare-algorithms", action="store_true", help="int8 scores against fp32 by algorithm"
    )
    report.add_argument(
        "--sensitivity", action="store_true", help="rank the layers by what their int8 costs"
    )
    parser.add_argument("--backend", default="openvino", help="default openvino; see doctor")
    parser.add_argument(
        "--threads", type=non_negative, default=0, metavar="N", help="default: every core"
    )
    parser.add_argument("--top", type=positive, default=20, help="layers to print (default 20)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    target = target_of(args.model, args.save, ".calib")
    check_targets(target, args.save_list)
    _check(args)
    progress = ProgressLine()
    try:
        facts = _run(args, target, progress)
    finally:
        progress.close()
    if args.json:
        print(json.dumps(facts, indent=1))
    else:
        _print(facts, args.top)
    return 0


def _check(args: argparse.Namespace) -> None:
    if bool(args.calib_data) == bool(args.choose_from):
        raise _core.InputError("give --calib-data=PATH or --choose-from=DIR")
    if args.save_list and not args.choose_from:
        raise _core.InputError("--save-list needs --choose-from=DIR")
    if args.calib_root and not args.calib_data:
        raise _core.InputError("--calib-root needs --calib-data=PATH")


def _run(args: argparse.Namespace, target: Path, progress: ProgressLine) -> dict[str, Any]:
    network = read_network(args.model, args, u8_input=args.u8_input)
    facts: dict[str, Any] = {"table": str(target)}
    source = _source(args, facts)
    method = method_of(args) or Method()
    begin = time.perf_counter()
    table = _calibrate(network, source, method, args, progress)
    facts |= _table_facts(table, time.perf_counter() - begin)
    table.write(str(target))
    if not (args.compare_algorithms or args.sensitivity):
        return facts
    images = check_batches(network, source)
    trial = Trial(network, from_table(table), images, backend=args.backend, threads=args.threads)
    facts["agreement"] = {str(method): trial.agreement(()).to_json()}
    for name in ALGORITHMS if args.compare_algorithms else ():
        if name == method.algorithm:
            continue
        other = from_table(_calibrate(network, source, Method(name), args, progress))
        facts["agreement"][str(Method(name))] = trial.with_int8(other).agreement(()).to_json()
    if args.sensitivity:
        facts["sensitivity"] = [_row(row) for row in rank(trial, progress)]
    return facts


def _source(args: argparse.Namespace, facts: dict[str, Any]) -> feeding.Source:
    if args.calib_data:
        return feeding.open_source(
            args.calib_data, images_root=args.calib_root, limit=args.calib_images
        )
    choice = choose.choose(args.choose_from, args.calib_images or choose.DEFAULT_COUNT, args.seed)
    facts["choice"] = choice.describe()
    if args.save_list:
        choice.save(args.save_list)
        facts["list"] = args.save_list
    return feeding.open_source(choice.files)


def _calibrate(
    network: Network,
    source: feeding.Source,
    method: Method,
    args: argparse.Namespace,
    progress: ProgressLine,
) -> _core.CalibrationTable:
    return calibrate_network(
        network, source, method, backend=args.backend, threads=args.threads, progress=progress
    )


def _table_facts(table: _core.CalibrationTable, seconds: float) -> dict[str, Any]:
    made = table.provenance
    assert made is not None
    return {
        "algorithm": made.algorithm,
        "values": len(table.ranges),
        "images": made.image_count,
        "images_sha256": made.images_sha256,
        "network_sha256": made.network_sha256,
        "seconds": seconds,
    }


def _row(row: LayerSensitivity) -> dict[str, Any]:
    return {"layer": row.layer, "agreement": row.agreement.to_json()}


def _print(facts: dict[str, Any], top: int) -> None:
    for line in facts.get("choice", []):
        print(line)
    if "list" in facts:
        print(f"wrote {facts['list']}")
    print(
        f"wrote {facts['table']}: {facts['values']} ranges by {facts['algorithm']} from "
        f"{facts['images']} images, {facts['seconds']:.1f} s"
    )
    if "agreement" in facts:
        print("\nint8 against fp32, on images of the calibration itself")
    for name, fields in facts.get("agreement", {}).items():
        print(f"  {name:<16} {Agreement.from_json(fields)}")
    rows = facts.get("sensitivity", [])
    if rows:
        print("\none layer in int8 against fp32, on images of the calibration itself: worst first")
        print(f"{'SQNR dB':>8}  {'p99 diff':>9}  layer")
    for row in rows[:top]:
        agreement = Agreement.from_json(row["agreement"])
        print(f"{agreement.sqnr_db:>8.1f}  {agreement.p99:>9.2g}  {row['layer']}")
    if rows[top:]:
        print(f"... and {len(rows[top:])} more; --top={len(rows)} shows all")
