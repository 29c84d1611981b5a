"""Which image files a path stands for: a file, a folder, a text list, a CSV table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from chexnet_trt._core import InputError

EXTENSIONS = frozenset(
    (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".pgm", ".ppm", ".pnm", ".dcm", ".dicom")
)
# Column names of a CSV that hold an image, the NIH's first, as written or in lower case.
_COLUMNS = ("image index", "image", "image_path", "path", "file", "filename", "file_name")


def image_files(paths: Iterable[str | Path], images_root: str | Path | None = None) -> list[Path]:
    """The files behind `paths`: files as they are; folders searched through in sorted order for
    the known extensions; .txt lists with one path a line and # comments; .csv tables with a
    column of images, NIH's `Image Index` or another usual name, else the first.

    Paths in a list or table are relative to its folder; a name that is not there is searched for
    in all folders under `images_root` (default: that folder).
    Raises InputError for a path that does not exist and for a folder or list without images.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            files += _in_folder(path)
        elif path.suffix.lower() == ".txt":
            files += _found(path, _lines(path), images_root)
        elif path.suffix.lower() == ".csv":
            files += _found(path, _column(path, images_root), images_root)
        elif path.exists():
            files.append(path)
        else:
            raise InputError(f"'{path}' does not exist")
    return files


def _in_folder(folder: Path) -> list[Path]:
    files = sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS and path.is_file()
    )
    if not files:
        known = " ".join(sorted(EXTENSIONS))
        raise InputError(f"no image under '{folder}'; the known extensions are {known}")
    return files


class _Finder:
    """Finds the images that a list names."""

    def __init__(self, folder: Path, images_root: str | Path | None) -> None:
        self._folder = folder
        self._root = folder if images_root is None else Path(images_root)

    def find(self, name: str) -> Path | None:
        direct = self._folder / name
        try:
            if direct.is_file():
                return direct
        except OSError:  # A line too long for a file name.
            return None
        return self._by_name.get(name) if Path(name).name == name else None

    @cached_property
    def _by_name(self) -> dict[str, Path]:
        """The first file in sorted order of each name, so that NIH's folders need not be told."""
        files = sorted(self._root.rglob("*"), reverse=True)
        return {path.name: path for path in files if path.suffix.lower() in EXTENSIONS}


def _found(
    path: Path, entries: Iterable[tuple[int, str]], images_root: str | Path | None
) -> list[Path]:
    finder = _Finder(path.parent, images_root)
    files: list[Path] = []
    missing: list[str] = []
    for line, name in entries:
        file = finder.find(name)
        if file is None:
            missing.append(f"{path}, line {line}: there is no file '{path.parent / name}'")
        else:
            files.append(file)
    if missing:
        more = f", nor for {len(missing) - 1} other lines" if len(missing) > 1 else ""
        raise InputError(missing[0] + more)
    if not files:
        raise InputError(f"the image list '{path}' is empty")
    return files


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(_text(path).splitlines(), start=1):
        name = line.strip()
        if name and not name.startswith("#"):
            yield number, name


def _column(path: Path, images_root: str | Path | None) -> Iterator[tuple[int, str]]:
    reader = csv.reader(io.StringIO(_text(path), newline=""))
    try:
        rows = [(reader.line_num, row) for row in reader if any(row)]
    except csv.Error as error:
        raise InputError(f"'{path}', line {reader.line_num}: broken CSV: {error}") from None
    if not rows:
        return
    header = [cell.strip().lower() for cell in rows[0][1]]
    column = next((header.index(name) for name in _COLUMNS if name in header), None)
    if column is not None or _Finder(path.parent, images_root).find(rows[0][1][0]) is None:
        rows = rows[1:]
    for line, row in rows:
        name = row[column or 0].strip() if len(row) > (column or 0) else ""
        if not name:
            raise InputError(f"{path}, line {line}: the image column is empty")
        yield line, name


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"'{path}' is not a text file with one image path a line") from None
    except OSError as error:
        raise InputError(f"cannot read the image list '{path}': {error.strerror}") from None
