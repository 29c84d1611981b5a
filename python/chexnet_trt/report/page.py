"""The page of a comparison: what stands where."""

from __future__ import annotations

from chexnet_trt.report import figures, tables, whitepaper_tables
from chexnet_trt.report.contents import Page, Section, number
from chexnet_trt.report.view import CUSTOM, STOCK, Fields, View

NOISY = "\N{DAGGER}"
NOISY_MEANS = (
    f"{NOISY} noisy: two halves of the rounds, or two runs, differ by more than a tenth, or the "
    "bootstrap's interval reaches as far. Do not rely on it."
)


def page(view: View) -> Page:
    models, settings = view.result["models"], view.result["settings"]
    return Page(
        title=f"CheXNet inference: {models[CUSTOM]['title']}",
        subtitle=_subtitle(view),
        warnings=_warnings(models, settings, view),
        facts=_facts(view),
        sections=[
            Section(
                "Under the latency target",
                ["Which mode and batch size to take when a score has to be there in time."],
                [whitepaper_tables.table_8(view), figures.figure_20(view)],
            ),
            Section(
                "Integrated and native engines against TensorFlow",
                [f"Latencies are medians on the host, from the call to the scores. {NOISY_MEANS}"],
                [
                    whitepaper_tables.table_5(view),
                    whitepaper_tables.table_6(view),
                    whitepaper_tables.table_7(view),
                    figures.figure_10(view),
                    figures.figure_11(view),
                    figures.figure_12(view),
                    figures.figure_15(view),
                    figures.figure_16(view),
                    figures.figure_17(view),
                    figures.figure_18(view),
                    figures.figure_19(view),
                ],
            ),
            _stock_section(view),
            Section(
                "Every mode",
                [f"Peers run the same graph on the same input and the same cores. {NOISY_MEANS}"],
                [
                    tables.all_modes(view, CUSTOM),
                    tables.three_latencies(view),
                    *tables.device_latencies(view),
                    tables.scenario_table(view),
                    tables.accuracy_table(view),
                    tables.missing_modes(view),
                ],
            ),
            Section("How it was measured", [_method(settings)], [tables.environment_table(view)]),
        ],
    )


def _subtitle(view: View) -> str:
    facts = view.result["environment"]
    gpus = ", ".join(gpu["name"] for gpu in facts["gpus"])
    where = f"{facts['cpu']}, {facts['threads']} threads" + (f"; {gpus}" if gpus else "")
    height, width, channels = view.result["models"][CUSTOM]["size"]
    return f"{where}. Input {channels} x {height} x {width}."


def _warnings(models: Fields, settings: Fields, view: View) -> list[str]:
    lines = [f"{network['title']}: {network['weights']}" for network in models.values()]
    lines.append(f"Input: {settings['input']}")
    lines.append(f"File to score: {settings['film']}")
    built = f"from {settings['calibration_images']} images of the same kind"
    engines = settings["engines"]
    lines.append(f"int8 ranges: {built}" + (", but for engines that were given" * bool(engines)))
    lines += [f"{view.title(mode)}: the engine {name}" for mode, name in engines.items()]
    return lines


def _facts(view: View) -> list[tuple[str, str, str]]:
    """What is quickest at one image, what gets the most through, and what does so in time."""
    cells = [
        cell for cell in view.summary["cells"] if "median" in cell and cell["entry"][:6] == CUSTOM
    ]
    facts = []
    single = [cell for cell in cells if cell["batch"] == min(view.batches)]
    if single:
        quickest = min(single, key=lambda cell: float(cell["median"]))
        title = view.entries[quickest["entry"]]["title"]
        facts.append(
            (f"{number(quickest['median'])} ms", f"quickest at batch {quickest['batch']}", title)
        )
    if cells:
        most = max(cells, key=lambda cell: float(cell["images_per_s"]))
        title = view.entries[most["entry"]]["title"]
        facts.append(
            (f"{number(most['images_per_s'])} images/s", f"most, at batch {most['batch']}", title)
        )
    target = view.summary["target"]
    limit = f"at most {number(target['target_ms'])} ms"
    if target["best"] is None:
        facts.append(("none", limit, "no mode is that quick here"))
    else:
        row = next(row for row in target["rows"] if row["entry"] == target["best"])
        title = view.entries[target["best"]]["title"]
        words = f"most within {number(target['target_ms'])} ms, at batch {row['batch']}"
        facts.append((f"{number(row['images_per_s'])} images/s", words, title))
    return facts


def _stock_section(view: View) -> Section:
    title = "Against the stock ResNet-50 v2"
    if STOCK not in view.result["models"]:
        entry = next((row for row in view.entries.values() if row["model"] == STOCK), None)
        reason = entry["missing"] if entry else "none of the modes is measured with it"
        return Section(title, [f"Not measured: {reason}."], [])
    text = "ResNet-50 v2 with 1000 classes, as TensorFlow's model garden had it, on the same input."
    drawn = [figures.figure_13(view), figures.figure_14(view)]
    return Section(title, [text], [tables.all_modes(view, STOCK), *drawn])


def _method(settings: Fields) -> str:
    return (
        f"Every mode is a process of its own, pinned to the same cores; {settings['rounds']} "
        f"rounds a batch size, {number(settings['round_seconds'])} s a mode and round or one "
        "inference if that is longer, the modes taking turns in a rotating order, each after a "
        "warm-up. A speed-up is the median over the rounds of the ratio of that round's medians; "
        "its interval is a bootstrap over the rounds."
    )
