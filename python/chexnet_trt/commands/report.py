"""report: one page from what `compare` measured."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from chexnet_trt._core import InputError, write_file
from chexnet_trt.compare import results
from chexnet_trt.inputs import check_targets, make_folder
from chexnet_trt.report import html, markdown
from chexnet_trt.report.contents import Page
from chexnet_trt.report.page import page
from chexnet_trt.report.view import View

HELP = "one page of tables and figures from what compare measured"
EXAMPLE = (
    "  python -m chexnet_trt report results/chexnet.json -o chexnet.html\n"
    "  python -m chexnet_trt report monday.json tuesday.json -o chexnet.html --markdown chexnet.md"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Tables 5 to 8 and figures 10 to 20 of the whitepaper, and more, as one HTML file that "
        "needs nothing else."
    )
    parser.add_argument("result", help="what compare wrote")
    parser.add_argument(
        "again",
        nargs="*",
        help="more runs of the same on the same machine: what they disagree on by more than a "
        "tenth is marked as noisy",
    )
    parser.add_argument("-o", "--output", metavar="FILE.html")
    parser.add_argument(
        "--markdown", metavar="FILE.md", help="the same as Markdown, figures in FILE_figures/"
    )


def run(args: argparse.Namespace) -> int:
    output = Path(args.output or Path(args.result).with_suffix(".html"))
    if output.suffix.lower() in (".md", ".markdown"):
        raise InputError(f"-o {output}: the page is HTML; for Markdown say --markdown {output}")
    check_targets(output, args.markdown)
    first, *again = (results.load(path) for path in (args.result, *args.again))
    content = page(View(first, again))
    write_file(str(output), html.render(content).encode())
    sys.stdout.write(f"wrote {output}\n")
    if args.markdown:
        _write_markdown(Path(args.markdown), content)
        sys.stdout.write(f"wrote {args.markdown}\n")
    return 0


def _write_markdown(path: Path, content: Page) -> None:
    """The figures first: what the text names is there."""
    folder = make_folder(path.with_name(f"{path.stem}_figures"))
    for name, drawing in markdown.drawings(content).items():
        write_file(str(folder / name), drawing.encode())
    write_file(str(path), markdown.render(content, folder.name).encode())
