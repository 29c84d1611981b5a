"""Engine files taken apart and put together again, checksums and all (cpp/plan/format.hpp)."""

from __future__ import annotations

import struct

_MASK = 2**64 - 1
_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
_HEADER, _ENTRY = 64, 64


def _rotate(value: int, count: int) -> int:
    return ((value << count) | (value >> (64 - count))) & _MASK


def _round(accumulator: int, lane: int) -> int:
    return _rotate((accumulator + lane * _P2) & _MASK, 31) * _P1 & _MASK


def xxh64(data: bytes) -> int:
    """XXH64 with seed 0 (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md)."""
    stripes = len(data) // 32
    if stripes:
        lanes = [(_P1 + _P2) & _MASK, _P2, 0, -_P1 & _MASK]
        for words in struct.iter_unpack("<4Q", data[: 32 * stripes]):
            lanes = [_round(lane, word) for lane, word in zip(lanes, words, strict=True)]
        value = sum(map(_rotate, lanes, (1, 7, 12, 18))) & _MASK
        for lane in lanes:
            value = ((value ^ _round(0, lane)) * _P1 + _P4) & _MASK
    else:
        value = _P5
    value = (value + len(data)) & _MASK
    rest = data[32 * stripes :]
    while len(rest) >= 8:
        value = (_rotate(value ^ _round(0, int.from_bytes(rest[:8], "little")), 27) * _P1) + _P4
        value, rest = value & _MASK, rest[8:]
    if len(rest) >= 4:
        value = _rotate(value ^ (int.from_bytes(rest[:4], "little") * _P1 & _MASK), 23) * _P2 + _P3
        value, rest = value & _MASK, rest[4:]
    for byte in rest:
        value = _rotate(value ^ (byte * _P5 & _MASK), 11) * _P1 & _MASK
    value = (value ^ (value >> 33)) * _P2 & _MASK
    value = (value ^ (value >> 29)) * _P3 & _MASK
    return value ^ (value >> 32)


def sections(data: bytes) -> dict[str, tuple[int, int]]:
    """Name to (offset, size), in the file's order."""
    (count,) = struct.unpack_from("<I", data, 24)
    table = {}
    for index in range(count):
        row = struct.unpack_from("<40sQQQ", data, _HEADER + _ENTRY * index)
        table[row[0].rstrip(b"\0").decode()] = (row[1], row[2])
    return table


def with_version(data: bytes, version: int) -> bytes:
    """The same file as another format, its header's checksum right."""
    return _sealed(data[:8] + struct.pack("<I", version) + data[12:])


def with_section(data: bytes, name: str, content: bytes) -> bytes:
    """The same file with another content of one section."""
    parts = {
        key: data[offset : offset + size] for key, (offset, size) in sections(data).items()
    } | {name: content}
    table, body = b"", b""
    start = _HEADER + _ENTRY * len(parts)
    for key, part in parts.items():
        body += bytes(-(start + len(body)) % 64)
        place = start + len(body), len(part), xxh64(part)
        table += struct.pack("<40sQQQ", key.encode(), *place)
        body += part
    header = data[:16] + struct.pack("<QII", start + len(body), len(parts), _ENTRY)
    return _sealed(header + bytes(_HEADER - len(header)) + table + body)


def _sealed(data: bytes) -> bytes:
    (count,) = struct.unpack_from("<I", data, 24)
    head = data[:32] + bytes(8) + data[40 : _HEADER + _ENTRY * count]
    return data[:32] + struct.pack("<Q", xxh64(head)) + data[40:]
