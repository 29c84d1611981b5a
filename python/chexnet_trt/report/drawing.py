"""Drawings as inline SVG, by matplotlib."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from chexnet_trt._core import InputError
from chexnet_trt.report.palette import FAINT, GRID, INK, PAGE, PAPER, Style, as_variables

WIDTH, HEIGHT = 5.0, 3.3  # inches; a phone shows it without making letters small
_SMALL_RANGE = 6.0
_SHORT_LABEL = 27  # Two such stand side by side.
_SETTINGS: dict[str, Any] = {
    "font.size": 9,
    "font.family": "sans-serif",
    "svg.fonttype": "none",
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "hatch.linewidth": 0.6,
}


@dataclass(frozen=True)
class Series:
    """`low`, `high`: quartiles around `values`, or empty. `style`: None for the whitepaper's."""

    label: str
    batches: list[int]
    values: list[float]
    style: Style | None
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    hollow: Sequence[bool] = ()


@contextmanager
def figure(rows: int, name: str) -> Iterator[tuple[list[Any], Callable[[], str]]]:
    """(axes, how to get the SVG) of `rows` panels side by side."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("figures need matplotlib: pip install 'chexnet_trt[report]'") from None
    with mpl.rc_context(_SETTINGS | {"svg.hashsalt": name}):
        drawn = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        axes = drawn.subplots(1, rows, squeeze=False)[0]
        yield list(axes), lambda: _svg(drawn, name)


def bars(axes: Any, series: Sequence[Series], label: str, batches: Sequence[int]) -> None:  # noqa: ANN401
    """Groups by batch size; the values stand above where there is room."""
    width = 0.8 / max(len(series), 1)
    place = {batch: index for index, batch in enumerate(batches)}
    for index, one in enumerate(series):
        offset = (index - (len(series) - 1) / 2) * width
        axes.bar(
            [place[batch] + offset for batch in one.batches],
            one.values,
            width * 0.92,
            label=one.label,
            color=one.style.color if one.style else PAPER,
            hatch="" if one.style else "////",
            edgecolor=FAINT if one.style is None else one.style.color,
            linewidth=0.5,
        )
    axes.set_xticks(range(len(batches)), [str(batch) for batch in batches])
    axes.set_xlim(-0.6, len(batches) - 0.4)
    axes.set_xlabel("batch size")
    axes.set_title(label, loc="left")
    axes.tick_params(length=0)


def lines(axes: Any, series: Sequence[Series], label: str, batches: Sequence[int]) -> None:  # noqa: ANN401
    """Over batch sizes, both axes logarithmic; whiskers are quartiles, hollow marks noisy."""
    for one in series:
        assert one.style is not None
        errors = None
        if one.low:
            below = [value - low for value, low in zip(one.values, one.low, strict=True)]
            above = [high - value for value, high in zip(one.values, one.high, strict=True)]
            errors = [[max(bar, 0.0) for bar in side] for side in (below, above)]
        axes.errorbar(
            one.batches,
            one.values,
            errors,
            label=one.label,
            color=one.style.color,
            linestyle=one.style.line,
            marker=one.style.mark,
            markersize=5,
            linewidth=1.8,
            elinewidth=0.9,
            capsize=2,
        )
        noisy = [
            (batch, value)
            for batch, value, hollow in zip(one.batches, one.values, one.hollow, strict=True)
            if hollow
        ]
        if noisy:
            axes.plot(
                *zip(*noisy, strict=True),
                one.style.mark,
                color=one.style.color,
                markerfacecolor=PAGE,
                markersize=5,
                zorder=3,
            )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(list(batches), [str(batch) for batch in batches])
    axes.minorticks_off()
    _plain_ticks(axes)
    axes.set_xlabel("batch size")
    axes.set_ylabel(label)


def ranked(axes: Any, rows: Sequence[tuple[str, float, str, Style]], label: str) -> None:  # noqa: ANN401
    """A bar a row, the first on top, with a text at its end."""
    for index, (_, value, text, style) in enumerate(rows):
        axes.barh(-index, value, 0.66, color=style.color)
        axes.annotate(
            text,
            (value, -index),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK if value else FAINT,
        )
    axes.set_yticks([-index for index in range(len(rows))], [row[0] for row in rows])
    axes.set_title(label, loc="left")
    axes.tick_params(length=0)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    widest = max((row[1] for row in rows), default=0.0)
    axes.set_xlim(0, 1.7 * widest if widest else 1.0)  # The texts need room.
    if not widest:
        axes.set_xticks([])


def legend(axes: Any) -> None:  # noqa: ANN401
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        columns = 2 if max(map(len, labels)) <= _SHORT_LABEL else 1
        axes.figure.legend(handles, labels, loc="outside upper left", ncols=columns, borderpad=0)


def _plain_ticks(axes: Any) -> None:  # noqa: ANN401
    """1, 2, 5, 10, ... instead of powers of ten, and more where the range is small."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    low, high = axes.get_ylim()
    small = high < _SMALL_RANGE * low
    axes.yaxis.set_major_locator(MaxNLocator(5) if small else LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _svg(drawn: Any, name: str) -> str:  # noqa: ANN401
    buffer = io.StringIO()
    drawn.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", text)
    text = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", text)
    # Several drawings share a page.
    for before in ('id="', "url(#", 'href="#'):
        text = text.replace(before, f"{before}{name}-")
    return as_variables(text)
