"""The tables of what the whitepaper does not have."""

from __future__ import annotations

from collections.abc import Iterable

from chexnet_trt.report.contents import ABSENT, Cell, Table, number, signed
from chexnet_trt.report.view import CUSTOM, STOCK, Fields, View


def all_modes(view: View, model: str) -> Table:
    """Median host latency and images/s of everything."""
    columns = ["Mode", *(f"Batch {batch}" for batch in view.batches)]
    rows = []
    for mode in view.modes(model):
        if view.measured(mode, model):
            cells = (view.cell(mode, batch, model) for batch in view.batches)
            rows.append([Cell(view.title(mode)), *(_both(view, cell) for cell in cells)])
    title = "Median host latency in ms, and images/s" + (
        ", of the stock network" if model == STOCK else ""
    )
    return Table("All modes" if model == CUSTOM else "Stock network", title, columns, rows)


def _both(view: View, cell: Fields) -> Cell:
    if "median" not in cell:
        return ABSENT
    text = f"{number(cell['median'])} ms, {number(cell['images_per_s'])}/s"
    return Cell(text, noisy=view.noisy(cell))


def three_latencies(view: View) -> Table:
    films = {row["entry"]: row for row in view.summary["file_to_score"]}
    columns = ["Mode", "Device ms", "Host ms", "File to score ms", "of it preparing ms", "share %"]
    rows = []
    for mode in view.modes():
        cell, film = view.cell(mode, 1), films[f"{CUSTOM}/{mode}"]
        if "median" not in cell and "median" not in film:
            continue
        row = [Cell(view.title(mode)), _device_cell(cell)]
        row.append(figure_cell(view, cell, "median", None))
        if "median" in film:
            row.append(Cell(number(film["median"]), noisy=film["noisy"]))
            row += [Cell(number(film[name])) for name in ("prepare_ms", "prepare_percent")]
        else:
            row += [ABSENT] * 3
        rows.append(row)
    note = (
        "Device: computing alone, as the runtime reports it; a dash where it does not tell. Host: "
        "from the call to the scores in memory, the latency of all other tables. File to score: "
        "reading, decoding and preprocessing an image file too, which is the same code in every "
        f"mode; the file is a {view.result['settings']['film']}."
    )
    return Table("Three latencies", "One image, three latencies", columns, rows, [note])


def device_latencies(view: View) -> list[Table]:
    """Of the modes on a GPU, by batch; none where no GPU tells."""
    columns = ["Mode", *(f"Batch {batch}" for batch in view.batches)]
    rows = []
    for mode in view.modes():
        cells = [view.cell(mode, batch) for batch in view.batches]
        told = any("device_ms" in cell for cell in cells)
        if told and view.entries[f"{CUSTOM}/{mode}"]["device"] == "GPU":
            rows.append([Cell(view.title(mode)), *map(_device_cell, cells)])
    note = (
        "From the first kernel to the last by the GPU's own clock, without the copies to it and "
        "from it that the latency on the host has in it. A dash: not measured, or the batch runs "
        "in slices."
    )
    title = "Median device latency in ms"
    return [Table("On the GPU alone", title, columns, rows, [note])] if rows else []


def _device_cell(cell: Fields) -> Cell:
    return Cell(number(cell["device_ms"])) if "device_ms" in cell else ABSENT


def scenario_table(view: View) -> Table:
    found = view.result["scenarios"]
    columns = ["Mode", f"Single stream, p{found['single_stream_percentile']} ms"]
    columns += ["Server, queries/s", "its p99 ms", "Offline, images/s", "its batch"]
    rows = []
    for mode in view.modes():
        if not view.measured(mode):
            continue
        key = f"{CUSTOM}/{mode}"
        served, offline = found["server"].get(key, {}), found["offline"].get(key, {})
        row = [Cell(view.title(mode)), figure_cell(view, view.cell(mode, 1), "p90", None)]
        if "queries_per_s" in served:
            row += [Cell(number(served["queries_per_s"])), Cell(number(served["p99_ms"]))]
        else:
            row += [Cell(served.get("missing", "not measured"), words=True), ABSENT]
        rate = offline.get("images_per_s")
        row += [Cell(number(rate)), Cell(str(offline["batch"]))] if rate else [ABSENT, ABSENT]
        rows.append(row)
    note = (
        f"Server: the highest rate of one-image queries, arriving by chance (Poisson), whose "
        f"p{found['percentile']} keeps {number(found['server_limit_ms'])} ms. As MLPerf defines "
        "the scenarios, but shorter: no submission."
    )
    return Table("Scenarios", "MLPerf-like scenarios", columns, rows, [note])


def accuracy_table(view: View) -> Table:
    """AUROC from the gate's record, and how far the scores are from the reference's."""
    scores = view.result["scores"] or {"differences": {}}
    columns = ["Mode", "Batch 1 ms", "Macro AUROC", "Change", "Worst class", "Most flips %", "Gate"]
    columns += ["Largest score difference", "Mean"]
    rows = []
    for mode in view.modes():
        if not view.measured(mode):
            continue
        key = f"{CUSTOM}/{mode}"
        row = [Cell(view.title(mode)), figure_cell(view, view.cell(mode, 1), "median", None)]
        row += _accuracy(view.entries[key]["accuracy"])
        difference = scores["differences"].get(key)
        values = [difference[name] for name in ("largest", "mean")] if difference else []
        row += [Cell(number(value)) for value in values] or [ABSENT, ABSENT]
        rows.append(row)
    return Table("Accuracy", "Accuracy beside speed", columns, rows, _accuracy_notes(view))


def _accuracy(record: Fields | None) -> list[Cell]:
    if record is None:
        return [ABSENT] * 5
    flips = record["most_flips_percent"]
    return [
        Cell(signed(record["macro_auroc"]).lstrip("+")),
        Cell(signed(record["macro_delta"])),
        Cell(signed(record["worst_class_delta"])),
        Cell(ABSENT.text if flips is None else f"{flips:.2f}"),
        Cell(record["gate"] or "the reference"),
    ]


def _accuracy_notes(view: View) -> list[str]:
    records = [row["accuracy"] for row in view.entries.values() if row["accuracy"]]
    notes = []
    if not records:
        notes.append(
            "No AUROC: none of the engines here has a record of the gate. Give `compare` engines "
            "that `build --gate` made, with --engine."
        )
    for split, images in dict.fromkeys((row["split"], row["images"]) for row in records):
        notes.append(f"AUROC on {split}: {images:,} images; changes are against fp32.")
    if any(row["synthetic"] for row in records):
        notes.append("AUROC on SYNTHETIC films: it says nothing of patients.")
    scores = view.result["scores"]
    if scores:
        truth = view.entries[scores["truth"]]["title"]
        notes.append(
            f"Score differences: from {truth}, over {scores['images']} images "
            f"({view.result['settings']['input']}) and all classes."
        )
    return notes


def missing_modes(view: View) -> Table:
    titles: dict[tuple[str, str], list[str]] = {}
    for entry in view.entries.values():
        network = "stock" if entry["model"] == STOCK else "custom"
        for reason in _reasons(view, entry):
            titles.setdefault((network, reason), []).append(entry["title"])
    rows = [
        [Cell(", ".join(names)), Cell(network), Cell(reason)]
        for (network, reason), names in titles.items()
    ]
    notes = [] if rows else ["Every mode ran."]
    columns = ["Mode", "Network", "Why there are no figures"]
    return Table("Missing", "Modes without figures", columns, rows, notes, wordy=True)


def _reasons(view: View, entry: Fields) -> list[str]:
    """Of the whole mode, or of the batch sizes that it lacks or stopped at."""
    whole = view.missing(entry["mode"], entry["model"])
    if whole:
        return [whole]
    cells = [view.cell(entry["mode"], batch, entry["model"]) for batch in view.batches]
    return [
        f"batch {cell['batch']}: {reason}"
        for cell in cells
        if (reason := cell.get("missing") or cell.get("stopped"))
    ]


def _sharing(facts: Fields) -> str:
    """Runs before this was told have no such fact."""
    count = facts.get("physical_cores", len(facts["pinned_to"]))
    if count == len(facts["pinned_to"]):
        return ""
    return f", logical CPUs of {count} physical core{'s' if count > 1 else ''}"


def environment_table(view: View) -> Table:
    facts = view.result["environment"]
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    gpus = "; ".join(", ".join(gpu.values()) for gpu in facts["gpus"])
    cores = ", ".join(map(str, facts["pinned_to"]))
    sessions = "; ".join(
        f"{one['begun']} to {one['ended'] or 'interrupted'}" for one in view.result["sessions"]
    )
    pairs = {
        "CPU": facts["cpu"],
        "Instruction sets": ", ".join(facts["isa"]),
        "Cores": f"{facts['threads']} threads, every process pinned to {cores}{_sharing(facts)}",
        "Governor": facts["governor"] or "not told by this machine",
        "GPU": gpus or "none",
        "Memory": f"{facts['memory_gib']} GiB",
        "System": f"{facts['os']}, Python {facts['python']}",
        "Packages": packages,
        "Measured": sessions,
        "Command": view.result["command"],
        "Load meanwhile": _load(view.summary["load"]),
    }
    rows = [[Cell(name), Cell(str(value))] for name, value in pairs.items()]
    return Table("Machine", "Where this was measured", ["", ""], rows, wordy=True)


def _load(load: Fields) -> str:
    if "others_median_percent" not in load:
        return "not told by this machine"
    median, most = load["others_median_percent"], load["others_most_percent"]
    text = f"other processes took {number(median)} % of the cores in the median round, "
    text += f"{number(most)} % in the worst; "
    if "stolen_median_percent" in load:
        text += f"the host took away {number(load['stolen_median_percent'])} %; "
    rounds = f"{load['busy_rounds']} of {load['rounds']} rounds"
    return f"{text}{rounds} were above {number(load['busy_percent'])} %"


def absences(view: View, modes: Iterable[str], model: str = CUSTOM) -> list[str]:
    """A line for each reason why modes have no figures."""
    titles: dict[str, list[str]] = {}
    for mode in modes:
        reason = view.missing(mode, model)
        if reason:
            titles.setdefault(reason, []).append(view.title(mode))
    return [f"{', '.join(names)}: {reason}." for reason, names in titles.items()]


def figure_cell(view: View, cell: Fields, name: str, paper: float | None) -> Cell:
    aside = "" if paper is None else number(paper)
    if name not in cell:
        return Cell(ABSENT.text, aside, absent=True)
    return Cell(number(cell[name]), aside, view.noisy(cell))
