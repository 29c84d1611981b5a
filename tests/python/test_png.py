from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from chexnet_trt import images, png
from chexnet_trt._core import InputError, unfilter_png_rows

LIMIT = 10_000


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def file_of(width, height, rows, *, form=(8, 0, 0, 0, 0), piece=1 << 16, before=b"", data=None):
    """A PNG whose inflated data is `rows`, in chunks of `piece` bytes."""
    data = zlib.compress(rows) if data is None else data
    pieces = [data[start : start + piece] for start in range(0, len(data), piece)]
    header = struct.pack(">IIBBBBB", width, height, *form)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            before,
            *(chunk(b"IDAT", part) for part in pieces),
            chunk(b"IEND", b""),
        )
    )


def random_rows(width, height, filters=5, seed=0):
    """Filters and filtered bytes, any of which are pixels."""
    random = np.random.default_rng(seed)
    rows = random.integers(0, 256, (height, width + 1), np.uint8)
    rows[:, 0] = random.integers(0, filters, height)
    return rows.tobytes()


def ours(content: bytes):
    return png.gray_pixels(io.BytesIO(content), LIMIT)


def pillows(content: bytes):
    return np.asarray(Image.open(io.BytesIO(content)))


@settings(deadline=None, max_examples=60)
@given(
    width=st.integers(1, 70),
    height=st.integers(1, 40),
    seed=st.integers(0, 1000),
    piece=st.integers(1, 3000),
)
def test_pixels_are_pillows_whatever_the_filters_and_the_chunks(width, height, seed, piece):
    content = file_of(width, height, random_rows(width, height, seed=seed), piece=piece)
    assert np.array_equal(ours(content), pillows(content))


def test_chunks_about_the_image_are_passed_over():
    content = file_of(5, 4, random_rows(5, 4), before=chunk(b"tEXt", b"Title\0film"))
    assert np.array_equal(ours(content), pillows(content))


@pytest.mark.parametrize(
    "content",
    [
        file_of(6, 4, random_rows(18, 4), form=(8, 2, 0, 0, 0)),
        file_of(6, 4, random_rows(12, 4), form=(16, 0, 0, 0, 0)),
        file_of(8, 4, random_rows(1, 4), form=(1, 0, 0, 0, 0)),
        file_of(1, 1, random_rows(1, 1), form=(8, 0, 0, 0, 1)),
        file_of(5, 4, random_rows(5, 4), before=chunk(b"acTL", struct.pack(">II", 2, 0))),
        file_of(101, 100, random_rows(101, 100)),
        file_of(0, 4, b"\0" * 4),
        b"",
        b"P5 1 1 255\n0",
    ],
    ids=["rgb", "16 bits", "1 bit", "interlaced", "animated", "too large", "empty", "none", "pgm"],
)
def test_other_files_are_left_to_pillow_from_their_start(content):
    file = io.BytesIO(content)
    assert png.gray_pixels(file, LIMIT) is None
    assert file.tell() == 0


@pytest.mark.parametrize(
    "content",
    [
        file_of(5, 4, random_rows(5, 3)),
        file_of(5, 4, random_rows(5, 5)),
        file_of(5, 4, random_rows(5, 4) + b"\0"),
        file_of(5, 4, bytes([5, 1, 2, 3, 4, 5]) * 4),
        file_of(5, 4, b"\0" * 10_000_000),
        file_of(5, 4, b"", data=b"this is not deflated"),
        file_of(5, 4, b"", data=zlib.compress(bytes(24))[:-1] + b"\xff"),
    ],
    ids=[
        "too few rows",
        "too many rows",
        "a byte too many",
        "unknown filter",
        "bomb",
        "not deflated",
        "wrong checksum",
    ],
)
def test_rows_that_do_not_fit_are_left_to_pillow(content):
    assert ours(content) is None


def test_a_file_cut_short_or_changed_anywhere_is_left_to_pillow():
    content = file_of(5, 4, random_rows(5, 4), piece=9)
    end = len(content) - len(chunk(b"IEND", b""))
    for size in range(end):
        assert ours(content[:size]) is None, size
    for place in range(end):
        damaged = bytearray(content)
        damaged[place] ^= 0x10
        assert ours(bytes(damaged)) is None, place


def test_read_image_takes_it(tmp_path, monkeypatch):
    path = tmp_path / "film.png"
    path.write_bytes(file_of(30, 20, random_rows(30, 20)))
    expected = pillows(path.read_bytes())
    monkeypatch.setattr(images, "_open_picture", None)
    (plane,) = images.read_image(path)
    assert plane.mode == "L"
    assert np.array_equal(np.asarray(plane), expected)


def test_the_core_refuses_rows_outside_of_the_image():
    pixels = np.zeros((2, 3), np.uint8)
    assert unfilter_png_rows(bytes([0, 1, 2, 3, 0, 9]), pixels, 1) == 1
    assert pixels.tolist() == [[0, 0, 0], [1, 2, 3]]
    for first in (2, 3, 2**63):
        with pytest.raises(InputError, match="more than its 2 rows"):
            unfilter_png_rows(bytes([0, 1, 2, 3]), pixels, first)
    with pytest.raises(InputError, match="height, width"):
        unfilter_png_rows(b"", np.zeros(3, np.uint8), 0)
    with pytest.raises(TypeError):
        unfilter_png_rows(b"", np.zeros((2, 3), np.float32), 0)
