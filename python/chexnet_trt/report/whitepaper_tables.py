"""Tables 5 to 8 of the whitepaper, its own figures beside those of this machine."""

from __future__ import annotations

from collections.abc import Iterable

from chexnet_trt.report.contents import ABSENT, Cell, Table, number
from chexnet_trt.report.tables import absences, figure_cell
from chexnet_trt.report.view import Fields, View

SMALL = "Below, or in brackets: the whitepaper's own figure, on other hardware"


def table_5(view: View) -> Table:
    modes = [*view.accelerated(), *view.baselines()]
    columns = ["Batch"]
    for mode in modes:
        columns += [f"{view.title(mode)}, images/s", f"{view.title(mode)}, ms"]
    rows = [[Cell(str(batch)), *_pairs(view, modes, batch)] for batch in view.batches]
    return Table(
        "Table 5",
        "Throughput and latency by batch size",
        columns,
        rows,
        [_small(view), *absences(view, modes)],
    )


def _pairs(view: View, modes: Iterable[str], batch: int) -> Iterable[Cell]:
    for mode in modes:
        cell = view.cell(mode, batch)
        yield figure_cell(view, cell, "images_per_s", view.paper(mode, batch, "images_per_s"))
        yield figure_cell(view, cell, "median", view.paper(mode, batch, "ms"))


def table_6(view: View) -> Table:
    return _speed_ups(view, "Table 6", "tensorflow-gpu")


def table_7(view: View) -> Table:
    return _speed_ups(view, "Table 7", "tensorflow-cpu")


def _speed_ups(view: View, name: str, to: str) -> Table:
    modes = view.accelerated()
    base = view.title(to)
    columns = ["Batch", f"{base}, images/s"]
    interval = f"{view.summary['interval_percent']} % interval"
    for mode in modes:
        columns += [f"{view.title(mode)}, images/s", "Speed-up", interval]
    rows = [_speed_up_row(view, to, modes, batch) for batch in view.batches]
    rows.append(_mean_row(view, to, modes))
    notes = [_small(view), *absences(view, [to, *modes])]
    return Table(name, f"Speed-up over {base}", columns, rows, notes)


def _speed_up_row(view: View, to: str, modes: list[str], batch: int) -> list[Cell]:
    paper = view.paper(to, batch, "images_per_s")
    row = [Cell(str(batch)), figure_cell(view, view.cell(to, batch), "images_per_s", paper)]
    for mode in modes:
        ratio = view.speed_up(mode, to, batch)
        rate = view.paper(mode, batch, "images_per_s")
        row.append(figure_cell(view, view.cell(mode, batch), "images_per_s", rate))
        factor = view.paper_speed_up(to, batch) if mode == "integrated-int8" else None
        row.append(_factor(ratio, factor, view.noisy(ratio) if ratio else False))
        row.append(Cell(f"{number(ratio['low'])} to {number(ratio['high'])}") if ratio else ABSENT)
    return row


def _mean_row(view: View, to: str, modes: list[str]) -> list[Cell]:
    papers = view.result["whitepaper"]["speed_ups"]
    row = [Cell("Mean"), Cell("")]
    for mode in modes:
        paper = papers[to]["mean"] if mode == "integrated-int8" else None
        row += [Cell(""), _factor(view.mean_speed_up(mode, to), paper, noisy=False), Cell("")]
    return row


def table_8(view: View) -> Table:
    target = view.summary["target"]
    papers = {row["mode"]: row for row in view.result["whitepaper"]["target"]}
    rows = [_target_row(view, row, papers) for row in target["rows"]]
    notes = [_small(view)]
    if target["best"] is None:
        notes.insert(0, f"No mode keeps {number(target['target_ms'])} ms on this machine.")
    columns = ["Mode", "Batch", "Images/s", "Median ms", "p99 ms", ""]
    title = f"Highest throughput with a median latency of at most {number(target['target_ms'])} ms"
    return Table("Table 8", title, columns, rows, notes)


def _target_row(view: View, row: Fields, papers: dict[str, Fields]) -> list[Cell]:
    entry = view.entries[row["entry"]]
    head, paper = Cell(entry["title"]), papers.get(entry["mode"], {})
    asides = [number(paper[name]) if paper else "" for name in ("batch", "images_per_s", "ms")]
    if "batch" not in row:
        reason = row.get("missing") or (
            f"too slow: {number(row['least_ms'])} ms at batch {row['least_batch']}"
        )
        absent = [Cell(ABSENT.text, aside, absent=True) for aside in asides]
        return [head, *absent, ABSENT, Cell(reason, words=True)]
    noisy = view.noisy(view.cell(entry["mode"], row["batch"]))
    best = "highest" if row["entry"] == view.summary["target"]["best"] else ""
    return [
        head,
        Cell(str(row["batch"]), asides[0]),
        Cell(number(row["images_per_s"]), asides[1], noisy),
        Cell(number(row["median"]), asides[2], noisy),
        Cell(number(row["p99"])),
        Cell(best, words=True),
    ]


def _small(view: View) -> str:
    return f"{SMALL} ({view.result['whitepaper']['hardware']})."


def _factor(ratio: Fields, paper: float | None, noisy: bool) -> Cell:
    aside = "" if paper is None else f"{number(paper)}\N{MULTIPLICATION SIGN}"
    if not ratio:
        return Cell(ABSENT.text, aside, absent=True)
    return Cell(f"{number(ratio['value'])}\N{MULTIPLICATION SIGN}", aside, noisy)
