"""TFRecord files of images, without TensorFlow.

A record is its length (uint64), the length's checksum (uint32), the data, the data's checksum
(uint32), little endian; a checksum is a masked CRC-32C
(https://www.tensorflow.org/tutorials/load_data/tfrecord). The data is a tf.train.Example.
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from chexnet_trt._core import InputError

_NAME = re.compile(r"\.tfrec(ords?)?(-\d+-of-\d+)?$|-\d{5}-of-\d{5}$")
_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_LONGEST = 1 << 30  # bytes; no image file is longer

# tensorflow/core/example/{example,feature}.proto as far as it is needed; a map is a list of pairs
# in protobuf's encoding.
_EXAMPLE_PROTO = """
name: "chexnet_trt_example.proto" syntax: "proto3"
message_type { name: "Example"
  field { name: "features" number: 1 label: LABEL_OPTIONAL type_name: "Features" } }
message_type { name: "Features"
  field { name: "feature" number: 1 label: LABEL_REPEATED type_name: "Pair" } }
message_type { name: "Pair"
  field { name: "key" number: 1 label: LABEL_OPTIONAL type: TYPE_BYTES }
  field { name: "value" number: 2 label: LABEL_OPTIONAL type_name: "Feature" } }
message_type { name: "Feature"
  field { name: "bytes_list" number: 1 label: LABEL_OPTIONAL type_name: "BytesList" } }
message_type { name: "BytesList"
  field { name: "value" number: 1 label: LABEL_REPEATED type: TYPE_BYTES } }
"""


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
        features = self._features(self._data())
        if not features.get(b"image/encoded"):
            known = ", ".join(sorted(key.decode(errors="replace") for key in features)) or "none"
            raise InputError(f"record '{self.name}' has no image/encoded; its features: {known}")
        name = features.get(b"image/filename", b"").decode(errors="replace")
        return PurePosixPath(name).name, features[b"image/encoded"]

    def _data(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                content = file.read(self.size + _FOOTER.size)
        except OSError as error:
            raise InputError(f"cannot read '{self.path}': {error.strerror}") from None
        data, footer = content[: self.size], content[self.size :]
        if len(footer) < _FOOTER.size or _FOOTER.unpack(footer)[0] != _masked_crc(data):
            raise InputError(f"record '{self.name}' is damaged: its checksum is wrong")
        return data

    def _features(self, data: bytes) -> dict[bytes, bytes]:
        """The first bytes value of each feature, empty for one of numbers."""
        from google.protobuf.message import DecodeError

        try:
            example = _example_class().FromString(data)
        except DecodeError:
            raise InputError(f"record '{self.name}' is not a tf.train.Example") from None
        return {
            pair.key: pair.value.bytes_list.value[0] if pair.value.bytes_list.value else b""
            for pair in example.features.feature
        }


def is_tfrecord(path: Path) -> bool:
    """By its name: x.tfrecord, x.tfrecord-00000-of-00008, train-00000-of-00008."""
    return _NAME.search(path.name) is not None


def records(path: Path) -> Iterator[Record]:
    """The records of a file, found by reading their lengths alone.

    Raises InputError for a file that is cut short, compressed or no TFRecord, and when the
    packages for it are not installed.
    """
    _require_packages(path)
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


@functools.cache
def _example_class() -> Any:  # noqa: ANN401 - generated
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

    pool = descriptor_pool.DescriptorPool()
    pool.Add(text_format.Parse(_EXAMPLE_PROTO, descriptor_pb2.FileDescriptorProto()))
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("Example"))


def _require_packages(path: Path) -> None:
    try:
        import google.protobuf  # noqa: F401
        import google_crc32c  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"reading the TFRecord '{path}' needs more packages: pip install "
            f"'chexnet_trt[tfrecord]' ({error})"
        ) from None
