"""Writes python/chexnet_trt/_core.pyi from the installed extension; --check only compares."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "python" / "chexnet_trt"
MODULE = "chexnet_trt._core"


def generate(folder: Path) -> dict[Path, str]:
    """The stub files of the installed module, by path relative to the package."""
    command = [sys.executable, "-m", "pybind11_stubgen", MODULE, "--output-dir", str(folder)]
    subprocess.run([*command, "--ignore-all-errors"], check=True, cwd=folder, capture_output=True)
    root = folder / "chexnet_trt"
    for path in root.rglob("*.pyi"):
        subprocess.run(["ruff", "format", "--quiet", str(path)], check=True)
    return {path.relative_to(root): path.read_text() for path in sorted(root.rglob("*.pyi"))}


def committed() -> dict[Path, str]:
    """The stub files in the source tree."""
    paths = [*PACKAGE.glob("_core.pyi"), *(PACKAGE / "_core").rglob("*.pyi")]
    return {path.relative_to(PACKAGE): path.read_text() for path in sorted(paths)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stubs = generate(Path(folder))
    if args.check:
        stale = [
            str(path) for path in {*stubs, *committed()} if stubs.get(path) != committed().get(path)
        ]
        if stale:
            print(f"stale stubs: {', '.join(sorted(stale))}; run python tools/generate_stubs.py")
        return 1 if stale else 0
    for path, text in stubs.items():
        (PACKAGE / path).parent.mkdir(exist_ok=True)
        (PACKAGE / path).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
