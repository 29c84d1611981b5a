"""One colour and one mark a mode in every figure, told apart without colour vision too.

Colours after Okabe and Ito (2008), the dark theme's lighter. Figures carry the names of CSS
variables, with the light colour to fall back on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# token: light, dark. The light ones are all different, and a figure is drawn in them.
TOKENS = {
    "page": ("#ffffff", "#12181f"),
    "ink": ("#1c2530", "#e4e9f0"),
    "faint": ("#5d6877", "#9aa7b8"),
    "grid": ("#dde2e9", "#33404f"),
    "paper": ("#b4bcc7", "#5a6778"),
    "orange": ("#d98c00", "#f0ab2e"),
    "vermillion": ("#c94f00", "#ff8a4d"),
    "blue": ("#0069b4", "#58b0f0"),
    "green": ("#007f5f", "#2fc79c"),
    "purple": ("#a8478a", "#e088c2"),
    "sky": ("#2a93c4", "#86d0f5"),
    "brown": ("#7d5a2f", "#c9a26d"),
    "slate": ("#47556b", "#aebbd0"),
}
_COLORS = {
    "tensorflow-cpu": "orange",
    "tensorflow-gpu": "vermillion",
    "integrated": "blue",
    "native": "green",
    "cuda": "purple",
    "tensorrt": "sky",
    "onnxruntime": "brown",
    "openvino": "slate",
}
_MARKS = {"fp32": "o", "bf16": "^", "fp16": "v", "int8": "s", "mixed": "D"}
_LINES = {"fp32": "-", "bf16": "--", "fp16": "-.", "int8": "-", "mixed": ":"}
PAGE, INK, FAINT, GRID, PAPER = (
    TOKENS[name][0] for name in ("page", "ink", "faint", "grid", "paper")
)


@dataclass(frozen=True)
class Style:
    color: str
    mark: str
    line: str


def style_of(mode: str, precision: str) -> Style:
    token = _COLORS.get(mode) or _COLORS[mode.partition("-")[0]]
    return Style(TOKENS[token][0], _MARKS[precision], _LINES[precision])


def as_variables(svg: str) -> str:
    """A drawing whose colours follow the page's theme."""
    names = {light: name for name, (light, _) in TOKENS.items()}
    pattern = "|".join(names)
    return re.sub(pattern, lambda match: f"var(--{names[match[0]]}, {match[0]})", svg)


def css() -> str:
    """The variables of both themes."""
    light, dark = (
        "".join(f"--{name}: {colors[theme]}; " for name, colors in TOKENS.items())
        for theme in (0, 1)
    )
    return (
        f":root {{ {light}}}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark}}} }}\n"
    )
