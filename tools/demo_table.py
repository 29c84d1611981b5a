"""The engines of tools/demo.sh side by side, from the JSON that `evaluate` and `trtexec` printed.

python tools/demo_table.py fp32 bf16 int8
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HEADER = (
    f"{'engine':<8}{'latency ms':>12}{'films/s':>10}{'faster':>9}{'macro AUROC':>14}"
    f"{'95 % interval':>18}{'lost to fp32':>14}  gate\n"
    f"{'':<8}{'batch 1':>12}{'batch 8':>10}{'batch 1':>9}"
)


def read(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(Path(name).read_text())


def row(engine: str, fp32_ms: float) -> str:
    if not Path(f"{engine}.engine").exists():
        return f"{engine:<8}    not built: its build above says why"
    latency = read(f"{engine}.1.json")["latency_ms"]["median"]
    rate = read(f"{engine}.8.json")["images_per_second"]
    gate = read(f"{engine}.gate.json")
    macro = gate["evaluation"]["macro"]
    interval = f"{macro['lo']:.4f} to {macro['hi']:.4f}"
    lost = gate["reference"]["evaluation"]["macro"]["value"] - macro["value"]
    passed = (
        "the reference" if engine == "fp32" else "passed" if gate["gate"]["passed"] else "FAILED"
    )
    return (
        f"{engine:<8}{latency:>12.2f}{rate:>10.0f}{fp32_ms / latency:>8.1f}x{macro['value']:>14.4f}"
        f"{interval:>18}{lost:>14.4f}  {passed}"
    )


def main() -> None:
    fp32_ms = read("fp32.1.json")["latency_ms"]["median"]
    print(HEADER)
    for engine in sys.argv[1:]:
        print(row(engine, fp32_ms))
    print(
        "\nlatency: from enqueue to scores, without reading the film. Films and findings are\n"
        "SYNTHETIC: the AUROC says that the way from film to score works, nothing of patients."
    )


if __name__ == "__main__":
    main()
