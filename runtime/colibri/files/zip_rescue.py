"""A zip file without its directory, which stands at the end: from a download that was cut off, or a full disk."""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from colibri.files.source import Budget

_HEADER = re.compile(rb"PK\x03\x04(.{26})", re.DOTALL)
_SIZES_BEHIND, _DEFLATED = 0x8, 8
_PIECE = 1 << 16
_NO_SIZE = 0xFFFFFFFF  # of a file beyond 4 GB


@dataclass(frozen=True)
class _Entry:
    """fields: as they stand in both headers, from flags to packed and unpacked size."""

    at: int
    name: bytes
    fields: tuple[int, ...]


def names_by_headers(data: bytes) -> set[str]:
    """Names of members, by the header before each."""
    found = set()
    for header in _HEADER.finditer(data):
        size = struct.unpack_from("<H", header[1], 22)[0]
        found.add(data[header.end() : header.end() + size].decode("utf-8", "replace"))
    return found


def with_directory(data: bytes, budget: Budget) -> bytes | None:
    """The file with a directory made from the headers before its members; None where none of them is there.

    What is cut off within a member stays at its end, so that as much of it can be read as there is.
    """
    entries = list(_entries(data, budget))
    if not entries:
        return None
    directory = b"".join(
        b"PK\x01\x02"
        + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, *one.fields, len(one.name), 0, 0, 0, 0, 0, one.at)
        + one.name
        for one in entries
    )
    count = min(len(entries), 0xFFFF)
    return data + directory + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(data), 0)


def _entries(data: bytes, budget: Budget) -> Iterator[_Entry]:
    at, left = 0, budget.total_bytes
    while found := _HEADER.search(data, at):
        flags, method, time, date, check, packed, size, name_size, extra = struct.unpack("<2xHHHHIIIHH", found[1])
        name = data[found.end() : found.end() + name_size]
        start = found.end() + name_size + extra
        if flags & _SIZES_BEHIND or packed == _NO_SIZE:
            if method != _DEFLATED or left <= 0:
                at = start
                continue
            packed, size, check = _measured(data, start, left)
            left -= size
        packed = min(packed, max(len(data) - start, 0))
        at = start + packed
        yield _Entry(found.start(), name, (flags, method, time, date, check, packed, size))


def _measured(data: bytes, start: int, most: int) -> tuple[int, int, int]:
    """Of a deflated stream: its bytes, those that come out of it, and their check sum."""
    stream, at, size, check = zlib.decompressobj(-zlib.MAX_WBITS), start, 0, 0
    rest = b""
    try:
        while not stream.eof and size <= most:
            if not rest:
                rest = data[at : at + _PIECE]
                at += len(rest)
                if not rest:
                    break
            out = stream.decompress(rest, _PIECE)
            rest = stream.unconsumed_tail
            size += len(out)
            check = zlib.crc32(out, check)
    except zlib.error:
        return max(at - start, 0), size, check
    return at - start - len(stream.unused_data if stream.eof else rest), size, check
