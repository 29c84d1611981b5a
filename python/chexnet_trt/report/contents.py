"""What a page is made of, whatever it is written in."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cell:
    """`aside`: the whitepaper's figure in the same place. `noisy`: not to be relied on. `absent`:
    there is no figure. `words`: it is words instead."""

    text: str
    aside: str = ""
    noisy: bool = False
    absent: bool = False
    words: bool = False


ABSENT = Cell("\N{EN DASH}", absent=True)


@dataclass(frozen=True)
class Table:
    """The first column heads the rows."""

    name: str
    title: str
    columns: list[str]
    rows: list[list[Cell]]
    notes: list[str] = field(default_factory=list)
    wordy: bool = False
    """Cells are words, not figures."""


@dataclass(frozen=True)
class Figure:
    """`svg`: with the colours as CSS variables. `alt`: what it shows, in words."""

    name: str
    title: str
    alt: str
    svg: str
    notes: list[str] = field(default_factory=list)
    wide: bool = False
    """It does not share a row with another."""


@dataclass(frozen=True)
class Section:
    title: str
    text: list[str]
    parts: list[Table | Figure]


@dataclass(frozen=True)
class Page:
    """`warnings`: what is random or synthetic. `facts`: the figures that matter most, each with
    what it is and whose.
    """

    title: str
    subtitle: str
    warnings: list[str]
    facts: list[tuple[str, str, str]]
    sections: list[Section]


def number(value: float | None) -> str:
    """Three significant digits, whole above that."""
    if value is None:
        return ABSENT.text
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    digits = f"{value:.3g}"
    return digits if "e" not in digits else f"{value:.1e}"


def signed(value: float | None, digits: int = 4) -> str:
    return ABSENT.text if value is None else f"{value:+.{digits}f}"
