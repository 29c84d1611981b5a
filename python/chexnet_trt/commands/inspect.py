from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from chexnet_trt import _core, engine
from chexnet_trt.evaluation.record import accuracy_lines, threshold_lines
from chexnet_trt.inputs import positive
from chexnet_trt.layer_table import layer_rows
from chexnet_trt.manifest import calibration_lines
from chexnet_trt.marks import marks_of_uff, preprocessing_of, sentences
from chexnet_trt.preprocess import PRESETS
from chexnet_trt.trtexec.report import layers_json

HELP = "what is in a .uff network or an engine"
EXAMPLE = (
    "  python -m chexnet_trt inspect chexnet.uff\n"
    "  python -m chexnet_trt inspect chexnet.engine --layers"
)

_DATA_TYPES = {65544: "int8", 65552: "int16", 65568: "int32", 65600: "int64", 131088: "float16"}
_DATA_TYPES[131104] = "float32"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="a .uff file or an engine, told apart by their content")
    parser.add_argument("--text", action="store_true", help=".uff: the protobuf text form")
    parser.add_argument("--graph", action="store_true", help="engine: the optimised graph as text")
    parser.add_argument(
        "--layers", action="store_true", help="engine: precision and kernel a layer"
    )
    parser.add_argument(
        "--batch", type=positive, default=1, help="engine: batch of --layers (default 1)"
    )
    parser.add_argument("--manifest", action="store_true", help="engine: the manifest as JSON")
    parser.add_argument(
        "--extract-plan",
        metavar="FILE",
        help="engine of TensorRT: write the bare plan, for trtexec",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    is_engine = _core.is_engine_file(args.file)
    useless = ("text",) if is_engine else ("graph", "layers", "manifest", "extract_plan")
    for name in useless:
        if getattr(args, name):
            kind = "an engine" if is_engine else "a .uff network"
            flag = f"--{name.replace('_', '-')}"
            raise _core.InputError(f"{flag} does not apply: '{args.file}' is {kind}")
    if is_engine:
        _inspect_engine(args)
    else:
        _inspect_uff(args)
    return 0


def _inspect_uff(args: argparse.Namespace) -> None:
    meta = _core.uff.read_file(args.file)
    if args.text:
        print(_core.uff.to_text(meta), end="")
        return
    facts = _uff_facts(meta)
    if args.json:
        print(json.dumps({"file": args.file, **facts}, indent=1))
        return
    print(f"{args.file}: UFF version {facts['version']}, {len(facts['nodes'])} nodes")
    print(f"descriptors  {', '.join(facts['descriptors'])}")
    for row in facts["inputs"]:
        print(f"input        {row['name']} {row['dtype']} {row['shape']}")
    print(f"outputs      {', '.join(facts['outputs'])}")
    counts = Counter(node["operation"] for node in facts["nodes"])
    print(f"operations   {', '.join(f'{op} {count}' for op, count in counts.most_common())}")
    size = sum(row["bytes"] for row in facts["weights"])
    print(f"weights      {len(facts['weights'])} blobs, {size:,} bytes")
    if trained := preprocessing_of(facts["marks"], PRESETS):
        print(f"trained on   images preprocessed by '{trained}'")
    for line in sentences(facts["marks"]):
        print(f"note         {line}")
    print()
    for node in facts["nodes"]:
        print(f"{node['operation']:<16} {node['id']}  <- {', '.join(node['inputs']) or '-'}")


def _uff_facts(meta: _core.uff.MetaGraph) -> dict[str, Any]:
    nodes = meta.nodes
    data = meta.referenced_data
    return {
        "version": meta.version,
        "descriptors": [f"{item.id} {item.version}" for item in meta.descriptors],
        "inputs": [
            {"name": n.id, "shape": n.fields.get("shape", []), "dtype": _data_type(n.fields)}
            for n in nodes
            if n.operation == "Input"
        ],
        "outputs": [name for n in nodes if n.operation == "MarkOutput" for name in n.inputs],
        "weights": [
            {"key": key, "bytes": len(value)}
            for key, value in data.items()
            if isinstance(value, _core.uff.Blob)
        ],
        "marks": list(marks_of_uff(meta)),
        "nodes": [{"id": n.id, "operation": n.operation, "inputs": n.inputs} for n in nodes],
    }


def _data_type(fields: dict[str, Any]) -> str:
    value = getattr(fields.get("dtype"), "value", 131104)
    return _DATA_TYPES.get(value, f"type {value}")


def _inspect_engine(args: argparse.Namespace) -> None:
    loaded = engine.load(args.file)
    if args.extract_plan:
        _extract_plan(loaded, args.file, args.extract_plan)
    elif args.graph:
        print(loaded.graph.to_text(), end="")
    elif args.manifest:
        print(json.dumps(loaded.manifest, indent=1))
    elif args.json:
        print(json.dumps(_engine_facts(loaded, args.file, args.batch), indent=1))
    else:
        _print_engine(loaded, args)


def _extract_plan(loaded: engine.Engine, file: str, target: str) -> None:
    if loaded.plan is None:
        raise _core.InputError(f"'{file}' has no plan: it is for the backend '{loaded.backend}'")
    _core.write_file(target, loaded.plan)
    print(f"wrote {target}: {len(loaded.plan):,} bytes")


def _layers(loaded: engine.Engine, batch: int) -> tuple[list[Any], str]:
    """The layers as the backend runs them, or none and why: those of TensorRT show on a device
    alone.
    """
    try:
        return loaded.layers(batch), ""
    except _core.BackendError as error:
        if loaded.plan is None:
            raise
        return [], str(error)


def _engine_facts(loaded: engine.Engine, file: str, batch: int) -> dict[str, Any]:
    layers, why_not = _layers(loaded, batch)
    return {
        "file": file,
        "bytes": Path(file).stat().st_size,
        "backend": loaded.backend,
        "device": loaded.device,
        "precision": loaded.precision,
        "max_batch": loaded.max_batch,
        "inputs": [_tensor_json(info) for info in loaded.inputs],
        "outputs": [_tensor_json(info) for info in loaded.outputs],
        "graph_sha256": loaded.graph.hash(),
        "weight_layers": [row.to_json() for row in layer_rows(loaded, layers)],
        "layers": layers_json(layers),
        "layers_missing": why_not or None,
        "manifest": loaded.manifest,
    }


def _tensor_json(info: _core.TensorInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "element": info.element,
        "shape": list(info.shape),
        "layout": info.layout,
    }


def _print_engine(loaded: engine.Engine, args: argparse.Namespace) -> None:
    size = Path(args.file).stat().st_size
    print(f"{args.file}: engine, {size:,} bytes")
    print(f"runs         {loaded.precision} on {loaded.backend}, batch 1 to {loaded.max_batch}")
    print(f"device       {loaded.device}")
    if loaded.plan is not None:
        plan = (loaded.manifest.get("build") or {}).get("tensorrt") or {}
        print(f"plan         {len(loaded.plan):,} bytes, made by {loaded.runtime_version}")
        print(f"profile      {plan.get('batches', 'unknown')}")
    for kind, infos in (("input", loaded.inputs), ("output", loaded.outputs)):
        for info in infos:
            print(f"{kind:<12} {info.name} {info.element} {list(info.shape)} {info.layout}")
    manifest = loaded.manifest
    source = manifest.get("source") or {}
    print(f"source       {source.get('file', 'unknown')}, sha256 {source.get('sha256', 'unknown')}")
    print(f"preprocess   {(manifest.get('preprocess') or {}).get('name', 'not stored')}")
    for line in sentences(manifest.get("marks", ())):
        print(f"note         {line}")
    labels = (manifest.get("labels") or {}).get("names")
    print(f"labels       {', '.join(labels) if labels else 'not stored'}")
    for row in (manifest.get("precision") or {}).get("candidates", []):
        time = "" if row["median_ms"] is None else f"{row['median_ms']:.3f} ms, "
        print(f"  {row['precision']:<10} {time}{row['reason']}")
    for line in calibration_lines(manifest.get("calibration")):
        print(f"calibration  {line}")
    for line in accuracy_lines(manifest.get("accuracy")):
        print(f"accuracy     {line}")
    for line in threshold_lines(manifest.get("thresholds")):
        print(f"thresholds   {line}")
    if loaded.slice and loaded.slices_at_once > 1:
        how = f"of {loaded.slice} or less, {loaded.slices_at_once} at once"
        print(f"slice        large batches run in pieces {how}")
    elif loaded.slice:
        print(f"slice        batches above {loaded.slice} run in pieces of that size")
    if args.layers:
        _print_layers(loaded, args.batch)


def _print_layers(loaded: engine.Engine, batch: int) -> None:
    layers, why_not = _layers(loaded, batch)
    print(f"\nlayers with weights at batch {batch}")
    print(f"{'computes':<9} {'input':<6} {'scale':>10}  {'weight scales':<22} {'kernel':<28} layer")
    for row in layer_rows(loaded, layers):
        scale = "" if row.input_scale is None else f"{row.input_scale:.4g}"
        weights = (
            ""
            if row.least_weight_scale is None
            else f"{row.least_weight_scale:.3g} ... {row.largest_weight_scale:.3g}"
        )
        element = row.input_element or ""
        print(
            f"{row.precision:<9} {element:<6} {scale:>10}  {weights:<22} {row.kernel:<28} "
            f"{row.layer}"
        )
    if why_not:
        print(f"\nwhat the backend runs is not to be seen here: {why_not}")
        return
    print(f"\nall that the backend runs at batch {batch} (name, type, precision, kernel)")
    for layer in layers:
        print(f"  {layer.name}  {layer.type}  {layer.precision}  {layer.kernel}")
