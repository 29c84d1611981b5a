"""PNG as films come in it, 8-bit gray, read in half of the time that Pillow takes: ISA-L inflates,
the core undoes the filters."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from isal import isal_zlib
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

from chexnet_trt._core import InputError, unfilter_png_rows

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNK = struct.Struct(">I4s")
_CHECKSUM = struct.Struct(">I")
_HEADER = struct.Struct(">IIBBBBB")
_EIGHT_BIT_GRAY = [8, 0, 0, 0, 0]  # bits, colour, compression, filters, interlacing


class _OtherFile(Exception):  # noqa: N818 - it need not be an error
    """Another kind of image, or a damaged one."""


def gray_pixels(file: BinaryIO, max_pixels: int) -> NDArray[np.uint8] | None:
    """uint8 [H, W] of a whole, still PNG of 8-bit gray without interlacing.

    None for anything else, which is left to Pillow to read, or to refuse in its words: the file is
    at its start again.
    """
    try:
        pixels = np.empty(_shape(file, max_pixels), np.uint8)
        _read(file, pixels)
    except (_OtherFile, InputError, IsalError):  # type: ignore[misc]  # Its stub is wrong.
        file.seek(0)
        return None
    return pixels


def _shape(file: BinaryIO, max_pixels: int) -> tuple[int, int]:
    if file.read(len(_SIGNATURE)) != _SIGNATURE:
        raise _OtherFile
    kind, header = _chunk(file, _HEADER.size)
    if kind != b"IHDR" or len(header) != _HEADER.size:
        raise _OtherFile
    width, height, *form = _HEADER.unpack(header)
    if form != _EIGHT_BIT_GRAY or not 0 < width * height <= max_pixels:
        raise _OtherFile
    return height, width


def _read(file: BinaryIO, pixels: NDArray[np.uint8]) -> None:
    height, width = pixels.shape
    done, rest = 0, b""
    for piece in _inflated(file, height * (width + 1)):
        rows = rest + piece
        count = unfilter_png_rows(rows, pixels, done)
        done, rest = done + count, rows[count * (width + 1) :]


def _inflated(file: BinaryIO, size: int) -> Iterator[bytes]:
    """In pieces, which together have this size."""
    inflater = isal_zlib.decompressobj()
    for data in _image_data(file, 2 * size + 1024):
        piece = inflater.decompress(data, size + 1)
        size -= len(piece)
        if size < 0:
            raise _OtherFile
        yield piece
    if size or not inflater.eof:
        raise _OtherFile


def _image_data(file: BinaryIO, most: int) -> Iterator[bytes]:
    """The compressed data of consecutive chunks, `most` bytes in all."""
    found = False
    while True:
        kind, data = _chunk(file, most)
        if kind == b"IDAT":
            found = True
            most -= len(data)
            yield data
        elif found:
            return
        elif kind == b"acTL":  # Frames follow.
            raise _OtherFile


def _chunk(file: BinaryIO, most: int) -> tuple[bytes, bytes]:
    head = file.read(_CHUNK.size)
    if len(head) < _CHUNK.size:
        raise _OtherFile
    size, kind = _CHUNK.unpack(head)
    if size > most:
        raise _OtherFile
    data, checksum = file.read(size), file.read(_CHECKSUM.size)
    if checksum != _CHECKSUM.pack(isal_zlib.crc32(data, isal_zlib.crc32(kind))):
        raise _OtherFile
    return kind, data
