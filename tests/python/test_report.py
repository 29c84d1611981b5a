from __future__ import annotations

import json
import re
from html import unescape

import pytest

import comparisons
from chexnet_trt import cli
from chexnet_trt._core import InputError
from chexnet_trt.report import html, markdown
from chexnet_trt.report.contents import number, signed
from chexnet_trt.report.page import NOISY, page
from chexnet_trt.report.palette import TOKENS, as_variables
from chexnet_trt.report.view import View

pytest.importorskip("matplotlib")

NUMBER = re.compile(r"(?<![\w.\-/])[+-]?\d+(?:,\d{3})*(?:\.\d+)*(?:e-?\d+)?(?![\w])")
# Names, not figures: those of tables and figures, and of networks.
NAMES = re.compile(r"(?:Table|Figure) \d+|ResNet-50 v2 with 1000 classes")


@pytest.fixture(scope="module")
def result():
    wavering = {"custom/native-int8": (1.0, 1.3, 1.0, 1.3)}
    made = comparisons.comparison(drift=wavering)
    record = {
        "split": "test", "images": 412, "synthetic": True, "macro_auroc": 0.9631,
        "macro_low": 0.95, "macro_high": 0.97, "macro_delta": -0.00043,
        "worst_class_delta": -0.0021, "most_flips_percent": 0.49, "gate": "passed",
    }  # fmt: skip
    for entry in made["entries"]:
        if entry["key"] == "custom/native-int8":
            entry["accuracy"] = record
    return made


@pytest.fixture(scope="module")
def text(result):
    return html.render(page(View(result)))


def shown(document: str) -> str:
    """What a reader sees or hears, without the ticks of axes."""
    document = re.sub(r"<style>.*?</style>", "", document, flags=re.DOTALL)
    document = without_ticks(document)
    labels = " ".join(re.findall(r'aria-label="([^"]*)"', document))
    words = re.sub(r"<small>|</?t[dhr][^>]*>|</text>", " ", document)
    return unescape(f"{labels} {re.sub(r'<[^>]*>', '', words)}")


def without_ticks(document: str) -> str:
    """Drops the groups that matplotlib names after ticks."""
    parts = re.split(r'(?=<g id="[\w-]*[xy]tick_\d+">)', document)
    kept = [parts[0]]
    for part in parts[1:]:
        depth, position = 0, 0
        for match in re.finditer(r"<g\b|</g>", part):
            depth += 1 if match[0] == "<g" else -1
            position = match.end()
            if depth == 0:
                break
        kept.append(part[position:])
    return "".join(kept)


def known_numbers(value) -> set[str]:
    """Every way in which a number of the JSON may be written."""
    if isinstance(value, dict):
        return set().union(*map(known_numbers, (*value.keys(), *value.values())))
    if isinstance(value, list):
        return set().union(*map(known_numbers, value))
    if isinstance(value, str):
        return set(NUMBER.findall(value))
    if isinstance(value, bool) or value is None:
        return set()
    forms = {str(value), f"{value:,}", f"{value:.2f}", number(value), signed(value)}
    return forms | {form.lstrip("+") for form in forms}


def test_no_number_is_shown_that_is_not_in_the_comparison(result, text):
    known = known_numbers(json.loads(json.dumps(result)))
    numbers = NUMBER.findall(NAMES.sub("", shown(text)))
    assert len(numbers) > 200
    assert [found for found in numbers if found not in known] == []


def test_a_number_of_ones_own_would_be_found(result, text):
    known = known_numbers(json.loads(json.dumps(result)))
    spoilt = text.replace("<td>", "<td>123.45 ", 1)
    assert "123.45" in NUMBER.findall(shown(spoilt))
    assert "123.45" not in known


def test_the_page_asks_for_nothing_else(text):
    assert not re.search(r'(?:src|href)="(?!#)', text)
    assert not re.search(r"url\((?!#)|@import|<script|<link|<iframe", text)


def test_every_table_and_figure_is_there(text):
    for index in range(5, 9):
        assert f"<b>Table {index}</b>" in text
    for index in range(10, 21):
        assert f"<b>Figure {index}</b>" in text


def test_figures_say_in_words_what_they_show(text):
    labels = re.findall(r'<svg role="img" aria-label="([^"]*)"', text)
    assert len(labels) == 11
    assert all(len(label) > 40 for label in labels)
    assert any("Integrated int8: 144 at batch 1" in label for label in labels)


def test_drawings_share_no_names(text):
    names = re.findall(r'\bid="([^"]*)"', text)
    assert len(names) == len(set(names))


def test_what_is_missing_is_shown_with_its_reason(result, text):
    assert shown(text).count("TensorFlow finds no GPU") > 3
    view = View(result)
    assert view.missing("tensorflow-gpu") == "TensorFlow finds no GPU"
    assert view.missing("cuda-int8") == "left out of this run"


def test_what_is_random_or_synthetic_is_said_first(text):
    top = shown(text).split("Table 8")[0]
    assert "RANDOM weights" in top
    assert "RANDOM gray clouds" in top
    assert "SYNTHETIC film" in top
    assert "AUROC on SYNTHETIC films" in shown(text)


def test_a_gpu_is_named_and_its_own_latency_shown_by_batch(text):
    assert "On the GPU alone" not in text
    times = {**comparisons.TIMES, "custom/cuda-int8": {1: 0.5, 8: 1.25}}
    result = comparisons.comparison(times, missing={})
    gpu = {"name": "Test GPU", "driver_version": "580.1", "memory.total": "143771 MiB"}
    result["environment"] = result["environment"] | {"gpus": [gpu]}
    document = html.render(page(View(result)))
    assert "Test GPU, 580.1, 143771 MiB" in shown(document)
    _, table = document.split("<b>On the GPU alone</b>")
    table = table.partition("</table>")[0]
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', table)
    expected = [number(0.97 * ms * 1.005) for ms in (0.5, 1.25)]
    assert [name for name, _ in rows] == ["Native CUDA int8"]
    assert re.findall(r"<td>(.*?)</td>", rows[0][1]) == expected


def test_noisy_cells_are_marked_and_others_not(text):
    _, text = text.split("<b>All modes</b>")
    row = re.search(r'<th scope="row">Native engine int8</th>(.*?)</tr>', text)
    steady = re.search(r'<th scope="row">Integrated int8</th>(.*?)</tr>', text)
    assert NOISY in row[1]
    assert NOISY not in steady[1]


def test_threads_of_one_physical_core_are_told():
    run = comparisons.comparison()
    assert "pinned to 0, 1<" in html.render(page(View(run)))
    run["environment"] = run["environment"] | {"physical_cores": 1}
    assert "pinned to 0, 1, logical CPUs of 1 physical core<" in html.render(page(View(run)))


def test_runs_that_disagree_mark_the_cell():
    first = comparisons.comparison()
    slower = {**comparisons.TIMES, "custom/native-fp32": {1: 25.0, 8: 186.0}}
    view = View(first, [comparisons.comparison(slower)])
    assert view.noisy(view.cell("native-fp32", 1))
    assert not view.noisy(view.cell("native-fp32", 8))
    assert not view.noisy(view.cell("integrated-int8", 1))
    assert not View(first, [comparisons.comparison()]).noisy(view.cell("native-fp32", 1))


def test_runs_of_other_networks_or_machines_are_refused():
    first, other = comparisons.comparison(), comparisons.comparison()
    other["models"]["custom"] |= {"sha256": "1" * 64}
    View(first, [other])  # Both are random, and of one shape.
    for run in (first, other):
        run["models"]["custom"] |= {"weights": "as given"}
    with pytest.raises(InputError, match="different networks"):
        View(first, [other])
    first, other = comparisons.comparison(), comparisons.comparison()
    other["environment"] = other["environment"] | {"cpu": "Another"}
    with pytest.raises(InputError, match="different machines"):
        View(first, [other])


def test_no_mode_under_the_target_is_said():
    text = shown(html.render(page(View(comparisons.comparison(target_ms=1.5)))))
    assert "No mode keeps 1.5 ms on this machine." in text
    assert "no mode is that quick here" in text


def test_the_whitepapers_figures_are_beside_and_labelled(text):
    assert "<small>315</small>" in text
    assert "<small>58\N{MULTIPLICATION SIGN}</small>" in text
    assert "the whitepaper's own figure, on other hardware" in shown(text)


def test_both_themes_have_every_colour(text):
    for name, (light, dark) in TOKENS.items():
        assert f"--{name}: {light}" in text
        assert f"--{name}: {dark}" in text
    assert as_variables("fill: #1c2530") == "fill: var(--ink, #1c2530)"


def test_the_command_writes_page_and_markdown(tmp_path, result, capsys):
    (tmp_path / "run.json").write_text(json.dumps(result))
    output, written = tmp_path / "run.html", tmp_path / "run.md"
    assert cli.main(["report", str(tmp_path / "run.json"), "--markdown", str(written)]) == 0
    assert output.read_text().startswith("<!DOCTYPE html>")
    content = written.read_text()
    for name in re.findall(r"\((run_figures/[\w-]+\.svg)\)", content):
        assert (tmp_path / name).read_text().startswith("<?xml")
    assert len(list((tmp_path / "run_figures").iterdir())) == 11
    assert "wrote" in capsys.readouterr().out


def test_a_page_is_not_written_as_markdown(tmp_path, result, capsys):
    (tmp_path / "run.json").write_text(json.dumps(result))
    written = tmp_path / "run.md"
    assert cli.main(["report", str(tmp_path / "run.json"), "-o", str(written)]) == 2
    assert f"--markdown {written}" in capsys.readouterr().err
    assert not written.exists()


def test_the_same_comparison_gives_the_same_page(result, text):
    assert html.render(page(View(result))) == text
    assert markdown.render(page(View(result)), "x") == markdown.render(page(View(result)), "x")


def test_an_unfinished_comparison_is_refused(tmp_path, capsys):
    result = comparisons.comparison()
    del result["summary"]
    (tmp_path / "run.json").write_text(json.dumps(result))
    assert cli.main(["report", str(tmp_path / "run.json")]) == 2
    assert "is not finished" in capsys.readouterr().err


def test_a_comparison_without_stock_or_baseline_has_a_page():
    times = {"custom/native-fp32": {1: 22.0, 8: 184.0}}
    result = comparisons.comparison(times, missing={})
    del result["models"]["stock"]
    text = shown(html.render(page(View(result))))
    assert "Not measured: none of the modes is measured with it." in text
    assert "left out of this run" in text


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (6.381, "6.38"), (1234.6, "1,235"), (0.00012, "0.00012"), (1.2e-05, "1.2e-05")],
)
def test_numbers_have_three_digits(value, words):
    assert number(value) == words
