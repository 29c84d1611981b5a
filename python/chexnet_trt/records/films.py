"""The images of a data set, wherever they lie: files, or members of .tar.gz archives."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from chexnet_trt import nih
from chexnet_trt._core import InputError
from chexnet_trt.images import EncodedImage, Readable
from chexnet_trt.progress import Progress

_BUFFER = 1 << 20  # bytes


@dataclass(frozen=True)
class Films:
    """`files`: by image name; `archives`: image names by member name, of each archive."""

    files: Mapping[str, Path]
    archives: Mapping[Path, Mapping[str, str]]

    def names(self) -> set[str]:
        """Of the images that are there."""
        return set(self.files).union(*(members.values() for members in self.archives.values()))

    def paths(self) -> list[Path]:
        """The files and archives that they are read from."""
        return [*self.files.values(), *self.archives]

    def __iter__(self) -> Iterator[tuple[str, Readable]]:
        """Image names and images, as they lie on the disk; an archive is gone through once.

        Raises InputError for an archive that cannot be read."""
        yield from sorted(self.files.items(), key=lambda item: item[1])
        for archive, members in self.archives.items():
            yield from _members(archive, members)


def find_films(folder: Path, names: Collection[str], progress: Progress | None = None) -> Films:
    """Where under `folder` the images of those names are. Archives, anywhere below it, are looked
    through for those that are no files. Raises InputError for one that is damaged."""
    files = nih.image_paths(folder, names)
    missing = set(names).difference(files)
    archives: dict[Path, Mapping[str, str]] = {}
    paths = sorted(folder.rglob("*.tar.gz")) if missing else []
    for index, path in enumerate(paths):
        if not missing:
            break
        if progress:
            progress(f"listing {path.name}", index, len(paths))
        members = _listing(path, missing)
        if members:
            archives[path] = members
            missing.difference_update(members.values())
    return Films(files, archives)


def _listing(archive: Path, names: Collection[str]) -> dict[str, str]:
    """Image names by member name; of several members for an image, the first."""
    named = nih.NameMatcher(names)
    members: dict[str, str] = {}
    with _opened(archive) as tar:
        for member in tar:
            name = named.match(PurePosixPath(member.name).name) if member.isfile() else None
            if name is not None:
                members.setdefault(name, member.name)
    return {member: name for name, member in members.items()}


def _members(archive: Path, members: Mapping[str, str]) -> Iterator[tuple[str, Readable]]:
    left = dict(members)  # A member's name may come again in an archive that was added to.
    with _opened(archive) as tar:
        for member in tar:
            name = left.pop(member.name, None)
            file = tar.extractfile(member) if name is not None else None
            if name is not None and file is not None:
                yield name, _in_memory(f"{archive}:{member.name}", file.read())


def _in_memory(name: str, content: bytes) -> EncodedImage:
    return EncodedImage(name, lambda: content)


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    """For reading from front to back, which needs no place on the disk."""
    try:
        with (
            gzip.open(archive) as file,
            tarfile.open(fileobj=file, mode="r|", bufsize=_BUFFER) as tar,
        ):
            yield tar
            while file.read(_BUFFER):  # gzip compares its checksum at the end.
                pass
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(
            f"the archive '{archive}' is damaged or cut short ({error}); fetch it again"
        ) from None
    except OSError as error:
        raise InputError(f"cannot read '{archive}': {error.strerror or error}") from None
