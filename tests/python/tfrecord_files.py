"""TFRecord files written by hand, so that each part of them can be wrong."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

import google_crc32c


def masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def field(number: int, data: bytes) -> bytes:
    """A length-delimited protobuf field."""
    size, length = len(data), b""
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def example(**features: bytes) -> bytes:
    """A tf.train.Example of bytes features; two underscores stand for a slash."""
    pairs = b""
    for key, value in features.items():
        feature = field(1, field(1, value))
        pairs += field(1, field(1, key.replace("__", "/").encode()) + field(2, feature))
    return field(1, pairs)


def framed(data: bytes) -> bytes:
    size = struct.pack("<Q", len(data))
    return size + masked_crc(size) + data + masked_crc(data)


def write_tfrecord(path: Path, images: Iterable[tuple[str, bytes]]) -> Path:
    path.write_bytes(
        b"".join(
            framed(example(image__filename=name.encode(), image__encoded=content))
            for name, content in images
        )
    )
    return path
