"""TFRecord files without TensorFlow.

A record is its length (uint64), the length's checksum (uint32), the data, the data's checksum
(uint32), little endian; a checksum is a masked CRC-32C
(https://www.tensorflow.org/tutorials/load_data/tfrecord). The data is a tf.train.Example.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from chexnet_trt._core import InputError
from chexnet_trt.records.example import Value, parse

_NAME = re.compile(r"\.tfrec(ords?)?(-\d+-of-\d+)?$|-\d{5}-of-\d{5}$")
_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_LONGEST = 1 << 30  # bytes; no image file is longer


@dataclass(frozen=True)
class Record:
    """One record of a file; `offset` and `size` of its data."""

    path: Path
    index: int
    offset: int
    size: int

    @property
    def name(self) -> str:
        return f"{self.path}[{self.index}]"

    def image(self) -> tuple[str, bytes]:
        """The file name that the image had, or "", and its encoded bytes.

        Raises InputError for a wrong checksum and for what is no Example with image/encoded.
        """
        features = self.features()
        encoded = _first_bytes(features, "image/encoded")
        if not encoded:
            known = ", ".join(sorted(features)) or "none"
            raise InputError(f"record '{self.name}' has no image/encoded; its features: {known}")
        name = _first_bytes(features, "image/filename").decode(errors="replace")
        return PurePosixPath(name).name, encoded

    def features(self) -> dict[str, Value]:
        """What its Example holds. Raises InputError for a wrong checksum and other content."""
        try:
            return parse(self._data())
        except InputError as error:
            raise InputError(f"record '{self.name}' {error}") from None

    def _data(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                content = file.read(self.size + _FOOTER.size)
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}") from None
        data, footer = content[: self.size], content[self.size :]
        if len(footer) < _FOOTER.size or _FOOTER.unpack(footer)[0] != _masked_crc(data):
            raise InputError("is damaged: its checksum is wrong")
        return data


def is_tfrecord(path: Path) -> bool:
    """By its name: x.tfrecord, x.tfrecord-00000-of-00008, train-00000-of-00008."""
    return _NAME.search(path.name) is not None


def framed(data: bytes) -> bytes:
    """A record of a file."""
    size = struct.pack("<Q", len(data))
    header = size + _FOOTER.pack(_masked_crc(size))
    return b"".join((header, data, _FOOTER.pack(_masked_crc(data))))


def records(path: Path) -> Iterator[Record]:
    """The records of a file, found by reading their lengths alone.

    Raises InputError for a file that is cut short, compressed or no TFRecord, and when the
    packages for it are not installed.
    """
    require_packages(f"reading the TFRecord '{path}'")
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            offset = index = 0
            while offset < end:
                file.seek(offset)
                size = _record_size(path, index, file.read(_HEADER.size))
                start = offset + _HEADER.size
                offset = start + size + _FOOTER.size
                if offset > end:
                    raise InputError(f"'{path}' is cut short in record {index}")
                yield Record(path, index, start, size)
                index += 1
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from None


def require_packages(work: str) -> None:
    """Raises InputError that says what to install when `work` cannot be done."""
    try:
        import google.protobuf  # noqa: F401
        import google_crc32c  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"{work} needs more packages: pip install 'chexnet_trt[tfrecord]' ({error})"
        ) from None


def _record_size(path: Path, index: int, header: bytes) -> int:
    if len(header) == _HEADER.size:
        size, checksum = _HEADER.unpack(header)
        if checksum == _masked_crc(header[:8]) and size <= _LONGEST:
            return int(size)
    if index:
        raise InputError(f"'{path}' is damaged or cut short at record {index}")
    if header.startswith((b"\x1f\x8b", b"\x78")):
        raise InputError(f"'{path}' is a compressed TFRecord; write it without compression")
    raise InputError(f"'{path}' is not a TFRecord")


def _masked_crc(data: bytes) -> int:
    import google_crc32c

    crc = int(google_crc32c.value(data))
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _first_bytes(features: dict[str, Value], name: str) -> bytes:
    values = features.get(name)
    return values[0] if values and isinstance(values[0], bytes) else b""
