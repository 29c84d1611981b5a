"""What a file of tools/bench_gpu.py says, as Markdown.

    python tools/gpu_tables.py results/gpu.json

bench_gpu.py writes the same at its end.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from chexnet_trt.report.contents import ABSENT
from chexnet_trt.report.page import NOISY

Fields = dict[str, Any]


def document(result: Mapping[str, Any]) -> str:
    return "\n".join([*_head(result), *_networks(result)]) + "\n"


def fastest_under(cells: Iterable[Fields], limit_ms: float) -> Fields | None:
    """Of the batches whose median keeps the limit the one with the most images a second."""
    kept = [cell for cell in cells if cell.get("median", float("inf")) <= limit_ms]
    return max(kept, key=lambda cell: float(cell["images_per_s"]), default=None)


def largest_gaps(steps: Iterable[Fields], count: int) -> list[list[Fields]]:
    """Groups of steps of one kernel and one size, those first that lose most against their floors
    together.
    """
    groups: dict[tuple[str, float], list[Fields]] = {}
    for step in steps:
        groups.setdefault((step["kernel"], step["floor_ms"]), []).append(step)
    return sorted(groups.values(), key=gap_ms, reverse=True)[:count]


def gap_ms(steps: Iterable[Fields]) -> float:
    return sum(step["median_ms"] - step["floor_ms"] for step in steps)


def _head(result: Mapping[str, Any]) -> Iterator[str]:
    gpus = "; ".join(", ".join(gpu.values()) for gpu in result["environment"]["gpus"])
    ceilings = result["ceilings"]
    rates = ", ".join(
        f"{name} {rate / 1e12:,.0f} {'TOP' if name == 'int8' else 'TFLOP'}/s"
        for name, rate in ceilings["operations"].items()
    )
    yield f"# {result['title']}"
    yield from ("", f"- {result['labels']}")
    yield f"- GPU: {gpus}; {result['versions']}"
    copying = f"copy {ceilings['bytes'] / 1e9:,.0f} GB/s"
    yield f"- Ceilings, measured in this run: {copying}; {rates} (int8: twice fp16)"
    yield f"- `{result['command']}`, {result['begun']} to {result['ended'] or 'interrupted'}"
    yield f"- {result['method']}"


def _networks(result: Mapping[str, Any]) -> Iterator[str]:
    for network in result["networks"]:
        cells = [cell for cell in result["cells"] if cell["network"] == network]
        profiles = [one for one in result["profiles"] if one["network"] == network]
        yield from ("", f"## {network}")
        if cells:
            yield from ("", *_latencies(result["modes"], cells, result["noise_limit"]))
            yield from ("", *_under(result["modes"], cells, result["limit_ms"]))
        for profile in profiles:
            yield from ("", *_profile(profile))


def _latencies(modes: Sequence[str], cells: Sequence[Fields], noise_limit: float) -> Iterator[str]:
    """A row a batch: every mode, then ours against the fastest peer of that row."""
    ours = [mode for mode in modes if _is_ours(mode)]
    yield from _header(["batch", *modes, *(f"{mode}, times as fast" for mode in ours)])
    for batch in sorted({cell["batch"] for cell in cells}):
        row = {cell["mode"]: cell for cell in cells if cell["batch"] == batch}
        ratios = (_ratio(row[mode]) if mode in row else ABSENT.text for mode in ours)
        yield _row([str(batch), *(_cell(row.get(mode)) for mode in modes), *ratios])
    reasons = dict.fromkeys(
        f"{cell['mode']}, batch {cell['batch']}: {cell['missing']}"
        for cell in cells
        if "missing" in cell
    )
    yield from ("", "Each: ms, images/s, share of the roofline. Times as fast: as the fastest")
    yield f"PyTorch of the row. {NOISY}: halves of the run differ by more than {noise_limit:.0%}."
    yield from (f"\n{reason}." for reason in reasons)


def _is_ours(mode: str) -> bool:
    return not mode.startswith("PyTorch")


def _cell(cell: Fields | None) -> str:
    if cell is None or "median" not in cell:
        return ABSENT.text
    noisy = NOISY if cell["noisy"] else ""
    share = cell["floor_ms"] / cell["median"]
    return f"{_ms(cell['median'])}{noisy}, {cell['images_per_s']:,.0f}, {share:.1%}"


def _ratio(cell: Fields) -> str:
    ratio = cell.get("speed_up")
    if ratio is None:
        return ABSENT.text
    return f"{ratio['value']:.2f}{NOISY if ratio['noisy'] else ''}"


def _under(modes: Sequence[str], cells: Sequence[Fields], limit_ms: float) -> Iterator[str]:
    yield from _header([f"most images/s within {limit_ms:g} ms", "batch", "ms", "images/s"])
    for mode in modes:
        best = fastest_under((cell for cell in cells if cell["mode"] == mode), limit_ms)
        if best is None:
            yield _row([mode, "none", ABSENT.text, ABSENT.text])
        else:
            rate = f"{best['images_per_s']:,.0f}"
            yield _row([mode, str(best["batch"]), _ms(best["median"]), rate])


def _profile(profile: Fields) -> Iterator[str]:
    steps = profile["steps"]
    spent = sum(step["median_ms"] for step in steps)
    floor = sum(step["floor_ms"] for step in steps)
    yield f"### {profile['mode']}, batch {profile['batch']}: where the time goes"
    yield from (
        "",
        f"{len(steps)} steps, timed one by one: {_ms(spent)} ms, floor {_ms(floor)} ms.",
    )
    yield from ("", "The largest gaps, of steps alike together:", "")
    for alike in largest_gaps(steps, 3):
        gap, names = gap_ms(alike), _first_names(alike)
        yield f"- {_us(gap)} us, {gap / (spent - floor):.1%} of all: {names} ({alike[0]['kernel']})"
    yield from ("", *_header(["step", "kernel", "us", "floor us", "roofline"]))
    for step in steps:
        share = f"{step['floor_ms'] / step['median_ms']:.1%}" if step["median_ms"] else ABSENT.text
        times = [_us(step["median_ms"]), _us(step["floor_ms"])]
        yield _row([step["name"], step["kernel"], *times, share])


def _first_names(steps: Sequence[Fields]) -> str:
    names = ", ".join(step["name"] for step in steps[:2])
    return names if len(steps) <= 2 else f"{names} and {len(steps) - 2} more"


def _ms(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.2f}"


def _us(milliseconds: float) -> str:
    return f"{milliseconds * 1e3:.1f}"


def _header(columns: Sequence[str]) -> list[str]:
    return [_row(columns), _row(["---", *["---:"] * (len(columns) - 1)])]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(document(json.loads(Path(sys.argv[1]).read_text())))
