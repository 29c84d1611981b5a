from __future__ import annotations

import argparse
import json

from chexnet_trt import _core, machine
from chexnet_trt.backends import TENSORRT, on_device, precisions

HELP = "what this machine can run, and why a backend is absent"
EXAMPLE = "  python -m chexnet_trt doctor\n  python -m chexnet_trt doctor --json"

# Package, what it is for, the extra that brings it.
OPTIONAL = (
    ("tensorboard", "convert: reads frozen graphs", "convert"),
    ("tensorflow-cpu", "comparing with TensorFlow", "train"),
    ("cuda-python", "running engines of TensorRT", "tensorrt-rtx"),
    ("onnxruntime", "the benchmark against peers", "peers"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    facts = {**machine.describe(), "backends": _backends(), "optional": _optional()}
    if args.json:
        print(json.dumps(facts, indent=1))
    else:
        _print(facts)
    return 0


def _backends() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for status in _core.backends():
        if status.name == TENSORRT:
            rows.append(_tensorrt())
            continue
        row: dict[str, object] = {"name": status.name, "missing": status.missing}
        row["cannot_run"] = status.cannot_run
        if not status.missing:
            count = 1 if status.cannot_run else status.devices
            names = [on_device(status.name, number) for number in range(count)]
            row["device"] = ", ".join(map(_core.device_name, names))
            row["precisions"] = _core.device_precisions(status.name)
        rows.append(row)
    return rows


def _tensorrt() -> dict[str, object]:
    from chexnet_trt.tensorrt.presence import presence

    found = presence()
    return {
        "name": TENSORRT,
        "missing": found.missing,
        "device": ", ".join(found.modules),
        "precisions": precisions(TENSORRT) if found.modules else [],
        "builds": found.builds,
        "runs": found.runs,
    }


def _optional() -> list[dict[str, object]]:
    return [
        {"package": package, "for": purpose, "extra": extra, "version": machine.version(package)}
        for package, purpose, extra in OPTIONAL
    ]


def _print(facts: dict[str, object]) -> None:
    isa = facts["isa"]
    assert isinstance(isa, list)
    print(f"cpu       {facts['cpu']}, {facts['cores']} cores, {facts['memory_gib']} GiB")
    print(f"isa       {' '.join(isa) or 'none of those that matter here'}")
    for feature, needed in (("bf16", "amx_bf16"), ("int8", "amx_int8")):
        if needed not in isa:
            print(f"          no {needed}: {feature} runs without the matrix unit")
    print(f"system    {facts['os']}, Python {facts['python']}")
    packages = facts["packages"]
    assert isinstance(packages, dict)
    print(f"packages  {', '.join(f'{name} {number}' for name, number in packages.items())}")
    backends, optional = facts["backends"], facts["optional"]
    assert isinstance(backends, list)
    assert isinstance(optional, list)
    print("backends")
    for row in backends:
        text = row["missing"] and f"absent: {row['missing']}"
        print(f"  {row['name']:<16}{text or _present(row)}")
        for what in ("builds", "runs"):
            if what in row and not row["missing"]:
                print(f"{'':<18}{what}: {row[what]}")
        if row.get("cannot_run") and not row["missing"]:
            print(f"{'':<18}builds, runs none: {row['cannot_run']}")
    print("optional packages")
    for row in optional:
        found = row["version"] or f"absent: pip install 'chexnet_trt[{row['extra']}]'"
        print(f"  {row['package']:<16}{found} ({row['for']})")


def _present(row: dict[str, object]) -> str:
    names = row["precisions"]
    assert isinstance(names, list)
    return f"{row['device']}: {', '.join(names)}"
