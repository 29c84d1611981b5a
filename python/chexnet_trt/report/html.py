"""A page as one HTML file that asks for nothing else."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from chexnet_trt.report.contents import Cell, Figure, Page, Section, Table
from chexnet_trt.report.page import NOISY
from chexnet_trt.report.palette import css

_SHORT_HEAD = 5  # letters: of a batch size


def render(page: Page) -> str:
    style = css() + (files(__package__) / "page.css").read_text()
    facts = "".join(
        f'<div class="fact"><strong>{escape(value)}</strong><span>{escape(words)}</span>'
        f"<em>{escape(title)}</em></div>"
        for value, words, title in page.facts
    )
    warnings = "".join(f"<li>{escape(line)}</li>" for line in page.warnings)
    sections = "\n".join(map(_section, page.sections))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(page.title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        f"<header><h1>{escape(page.title)}</h1><p>{escape(page.subtitle)}</p></header>\n"
        f'<div class="facts">{facts}</div>\n'
        f'<ul class="warnings" aria-label="What these figures come from">{warnings}</ul>\n'
        f"{sections}\n</main>\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    text = "".join(f"<p>{escape(line)}</p>" for line in section.text)
    parts = (_table(part) if isinstance(part, Table) else _figure(part) for part in section.parts)
    body = "\n".join(parts)
    title = escape(section.title)
    return f'<section><h2>{title}</h2>{text}\n<div class="parts">{body}</div></section>'


def _table(table: Table) -> str:
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    head = f"<thead><tr>{columns}</tr></thead>" if any(table.columns) else ""
    rows = "".join(
        f'<tr><th scope="row">{_content(row[0])}</th>{"".join(map(_cell, row[1:]))}</tr>'
        for row in table.rows
    )
    kind = "wordy" if table.wordy else "figures"
    if all(len(row[0].text) <= _SHORT_HEAD for row in table.rows):
        kind += " short"
    body = f'<table class="{kind}">{head}<tbody>{rows}</tbody></table>' if table.rows else ""
    return (
        f'<figure class="table"><figcaption><b>{escape(table.name)}</b> {escape(table.title)}'
        f'</figcaption><div class="scroll" tabindex="0">{body}</div>{_notes(table.notes)}</figure>'
    )


def _cell(cell: Cell) -> str:
    kind = "words" if cell.words else "absent" if cell.absent else ""
    attribute = f' class="{kind}"' if kind else ""
    return f"<td{attribute}>{_content(cell)}</td>"


def _content(cell: Cell) -> str:
    noisy = f'<abbr title="noisy">{NOISY}</abbr>' if cell.noisy else ""
    aside = f"<small>{escape(cell.aside)}</small>" if cell.aside else ""
    return f"{escape(cell.text)}{noisy}{aside}"


def _figure(figure: Figure) -> str:
    kind = "drawing wide" if figure.wide else "drawing"
    svg = figure.svg.replace("<svg", f'<svg role="img" aria-label="{escape(figure.alt)}"', 1)
    return (
        f'<figure class="{kind}"><figcaption><b>{escape(figure.name)}</b> {escape(figure.title)}'
        f"</figcaption>{svg}{_notes(figure.notes)}</figure>"
    )


def _notes(notes: list[str]) -> str:
    return "".join(f'<p class="note">{escape(line)}</p>' for line in notes)
