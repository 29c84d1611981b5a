"""A page as Markdown, its figures as SVG files beside it."""

from __future__ import annotations

from collections.abc import Iterator

from chexnet_trt.report.contents import Cell, Figure, Page, Table
from chexnet_trt.report.page import NOISY
from chexnet_trt.report.palette import css

SVG_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def render(page: Page, figures_folder: str) -> str:
    return "\n".join(_lines(page, figures_folder)).rstrip() + "\n"


def drawings(page: Page) -> dict[str, str]:
    """Files by name, each of a figure."""
    return {_file(part): _standalone(part) for part in _figures(page)}


def _lines(page: Page, folder: str) -> Iterator[str]:
    yield from (f"# {page.title}", "", page.subtitle, "")
    yield from (f"- **{value}** ({words}): {title}" for value, words, title in page.facts)
    yield ""
    yield from (f"- {line}" for line in page.warnings)
    for section in page.sections:
        yield from ("", f"## {section.title}", "", *section.text)
        for part in section.parts:
            yield from ("", f"**{part.name}.** {part.title}", "")
            if isinstance(part, Table):
                yield from _table(part)
            else:
                yield f"![{_escaped(part.alt)}]({folder}/{_file(part)})"
            yield from (f"\n{line}" for line in part.notes)


def _table(table: Table) -> Iterator[str]:
    if table.rows:
        align = ":---|" if table.wordy else "---:|"
        yield "|" + "|".join(map(_escaped, table.columns)) + "|"
        yield "|:---|" + align * (len(table.columns) - 1)
        for row in table.rows:
            yield "|" + "|".join(map(_cell, row)) + "|"


def _cell(cell: Cell) -> str:
    aside = f" ({cell.aside})" if cell.aside else ""
    return _escaped(f"{cell.text}{NOISY if cell.noisy else ''}{aside}")


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("[", "\\[").replace("]", "\\]")


def _figures(page: Page) -> Iterator[Figure]:
    for section in page.sections:
        yield from (part for part in section.parts if isinstance(part, Figure))


def _file(figure: Figure) -> str:
    return f"{figure.name.lower().replace(' ', '-')}.svg"


def _standalone(figure: Figure) -> str:
    """With both themes inside, for it stands alone in an <img>."""
    head, tag, rest = figure.svg.partition(">")
    return f"{SVG_HEAD}{head}{tag}\n<style>{css()}</style>{rest}"
