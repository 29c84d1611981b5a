"""Figures 10 to 20 of the whitepaper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chexnet_trt.report.contents import Figure, number
from chexnet_trt.report.drawing import Series, bars, figure, legend, lines, ranked
from chexnet_trt.report.palette import style_of
from chexnet_trt.report.tables import absences
from chexnet_trt.report.view import CUSTOM, INTEGRATED, NATIVE_INT8, STOCK, Fields, View

PAPER = "whitepaper, other hardware"
THROUGHPUT, LATENCY = "Throughput", "Latency"
UNITS = {THROUGHPUT: "images/s", LATENCY: "median host latency in ms"}
AGAINST_TF = "native TensorFlow and int8 engines"
BOTH_WAYS = "integrated and native engines, int8"
_RATE, _TIME = "images_per_s", "median"


def figure_10(view: View) -> Figure:
    return _one_mode(view, 10, "tensorflow-cpu")


def figure_11(view: View) -> Figure:
    return _one_mode(view, 11, "tensorflow-gpu")


def figure_12(view: View) -> Figure:
    return _one_mode(view, 12, INTEGRATED)


def _one_mode(view: View, index: int, mode: str) -> Figure:
    """Throughput and latency as bars, the whitepaper's beside."""
    name = f"figure-{index}"
    shown = []
    with figure(2, name) as (axes, svg):
        for part, field, paper, label in (
            (axes[0], _RATE, _RATE, "images/s"),
            (axes[1], _TIME, "ms", "median ms"),
        ):
            series = [*_series(view, [mode], field), *_papers(view, mode, paper)]
            bars(part, series, label, view.batches)
            shown.append((label, series))
        legend(axes[0])
        drawn = svg()
    alt = "Bars by batch size. " + " ".join(_words(label, series) for label, series in shown)
    return _figure(view, index, f"{view.title(mode)}: throughput and latency", alt, drawn, [mode])


def figure_13(view: View) -> Figure:
    return _against_stock(view, 13, THROUGHPUT, _RATE)


def figure_14(view: View) -> Figure:
    return _against_stock(view, 14, LATENCY, _TIME)


def _against_stock(view: View, index: int, label: str, field: str) -> Figure:
    """The network against the stock one, in the int8 modes that both ran."""
    modes = view.accelerated(STOCK) or view.accelerated()
    series = []
    for model, words in ((CUSTOM, "this network"), (STOCK, "stock ResNet-50 v2")):
        for one in _series(view, modes, field, model):
            line = "--" if model == STOCK else "-"
            assert one.style is not None
            style = replace(one.style, line=line, mark="o" if model == STOCK else "s")
            series.append(replace(one, label=f"{one.label}, {words}", style=style))
    drawn, alt = _lines(index, series, label, view.batches)
    notes = absences(view, modes, STOCK)
    return Figure(f"Figure {index}", f"{label}: against the stock network", alt, drawn, notes)


def figure_15(view: View) -> Figure:
    return _compared(view, 15, THROUGHPUT, _RATE, AGAINST_TF, _all_three(view))


def figure_16(view: View) -> Figure:
    return _compared(view, 16, LATENCY, _TIME, AGAINST_TF, _all_three(view))


def _all_three(view: View) -> list[str]:
    return [*view.baselines(), *view.accelerated()]


def figure_17(view: View) -> Figure:
    """Speed-up factors over both baselines."""
    modes = view.accelerated()
    shown = []
    with figure(2, "figure-17") as (axes, svg):
        for part, to in zip(axes, ("tensorflow-gpu", "tensorflow-cpu"), strict=True):
            series = [_factors(view, mode, to) for mode in modes]
            papers = [(batch, view.paper_speed_up(to, batch)) for batch in view.batches]
            known = [(batch, value) for batch, value in papers if value is not None]
            if known:
                batches, values = map(list, zip(*known, strict=True))
                series.append(Series(f"Integrated int8, {PAPER}", batches, values, None))
            label = f"over {view.title(to)}"
            bars(part, series, label, view.batches)
            shown.append((label, series))
        legend(axes[1])
        drawn = svg()
    alt = "Bars of speed-up factors. " + " ".join(_words(label, rows) for label, rows in shown)
    notes = [*view.baselines(), *modes]
    return _figure(view, 17, "Speed-up over native TensorFlow", alt, drawn, notes)


def _factors(view: View, mode: str, to: str) -> Series:
    ratios = [view.speed_up(mode, to, batch) for batch in view.batches]
    found = [ratio for ratio in ratios if ratio]
    style = style_of(mode, "int8")
    batches = [ratio["batch"] for ratio in found]
    return Series(view.title(mode), batches, [ratio["value"] for ratio in found], style)


def figure_18(view: View) -> Figure:
    return _compared(view, 18, THROUGHPUT, _RATE, BOTH_WAYS, _both_ways(view))


def figure_19(view: View) -> Figure:
    return _compared(view, 19, LATENCY, _TIME, BOTH_WAYS, _both_ways(view))


def _both_ways(view: View) -> list[str]:
    """Integrated and native, int8."""
    native = [mode for mode in NATIVE_INT8 if view.measured(mode)] or list(NATIVE_INT8[:1])
    return [INTEGRATED, *native]


def figure_20(view: View) -> Figure:
    """Throughput under the latency target, the highest first; those that miss it below."""
    target = view.summary["target"]
    kept = [row for row in target["rows"] if "batch" in row]
    slow = [row for row in target["rows"] if "least_ms" in row]
    kept.sort(key=lambda row: -float(row["images_per_s"]))
    rows = []
    for row in [*kept, *slow]:
        entry = view.entries[row["entry"]]
        style = style_of(entry["mode"], entry["precision"])
        rows.append((entry["title"], float(row.get("images_per_s", 0)), _end_text(row), style))
    label = f"Images/s at a median latency of at most {number(target['target_ms'])} ms"
    with figure(1, "figure-20") as (axes, svg):
        axes[0].figure.set_figheight(1.0 + 0.27 * max(len(rows), 3))
        ranked(axes[0], rows, label)
        drawn = svg()
    alt = f"{label}. " + "; ".join(f"{title}: {text}" for title, _, text, _ in rows) + "."
    notes = absences(view, [row["entry"].partition("/")[2] for row in target["rows"]])
    return Figure("Figure 20", "Throughput under the latency target", alt, drawn, notes, wide=True)


def _end_text(row: Fields) -> str:
    if "batch" not in row:
        return f"too slow: {number(row['least_ms'])} ms at batch {row['least_batch']}"
    return f"{number(row['images_per_s'])} (batch {row['batch']}, {number(row['median'])} ms)"


def _compared(
    view: View, index: int, label: str, field: str, what: str, modes: list[str]
) -> Figure:
    drawn, alt = _lines(index, _series(view, modes, field), label, view.batches)
    return _figure(view, index, f"{label}: {what}", alt, drawn, modes)


def _lines(index: int, series: Sequence[Series], label: str, batches: list[int]) -> tuple[str, str]:
    with figure(1, f"figure-{index}") as (axes, svg):
        lines(axes[0], series, UNITS[label], batches)
        legend(axes[0])
        drawn = svg()
    return drawn, "Lines over batch size, both axes logarithmic. " + _words(UNITS[label], series)


def _series(view: View, modes: Sequence[str], field: str, model: str = CUSTOM) -> list[Series]:
    return [
        _of_cells(view, mode, field, cells)
        for mode in modes
        if (cells := view.measured(mode, model))
    ]


def _of_cells(view: View, mode: str, field: str, cells: list[Fields]) -> Series:
    precision = view.entries[cells[0]["entry"]]["precision"]
    low, high = [cell["q1"] for cell in cells], [cell["q3"] for cell in cells]
    if field == _RATE:
        low, high = (
            [cell["batch"] / cell[quartile] * 1e3 for cell in cells] for quartile in ("q3", "q1")
        )
    return Series(
        view.title(mode),
        [cell["batch"] for cell in cells],
        [cell[field] for cell in cells],
        style_of(mode, precision),
        low,
        high,
        [view.noisy(cell) for cell in cells],
    )


def _papers(view: View, mode: str, field: str) -> list[Series]:
    rows = [(batch, view.paper(mode, batch, field)) for batch in view.batches]
    known = [(batch, value) for batch, value in rows if value is not None]
    if not known:
        return []
    batches, values = map(list, zip(*known, strict=True))
    return [Series(PAPER.capitalize(), batches, values, None)]


def _words(label: str, series: Sequence[Series]) -> str:
    parts = [
        f"{one.label}: "
        + ", ".join(
            f"{number(value)} at batch {batch}"
            for batch, value in zip(one.batches, one.values, strict=True)
        )
        for one in series
        if one.batches
    ]
    return f"{label}: {'; '.join(parts) if parts else 'nothing measured'}."


def _figure(
    view: View, index: int, title: str, alt: str, drawn: str, modes: Sequence[str]
) -> Figure:
    return Figure(f"Figure {index}", title, alt, drawn, absences(view, modes))
