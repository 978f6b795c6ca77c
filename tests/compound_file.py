"""Writes compound files (OLE2), as .doc, .ppt, .xls and .msg are: [MS-CFB], version 3, sectors of 512 bytes."""

import struct
from dataclasses import dataclass, field

Storage = dict[str, "bytes | Storage"]
"""Streams and storages by name."""

_SECTOR, _MINI, _CUTOFF = 512, 64, 4_096
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


@dataclass
class _Entry:
    """A directory entry."""

    name: str
    kind: int
    data: bytes = b""
    child: int = _FREE
    right: int = _FREE
    start: int = _END


@dataclass
class _Sectors:
    """Pieces of one size, and for each which follows it."""

    size: int
    data: bytearray = field(default_factory=bytearray)
    table: list[int] = field(default_factory=list)

    def put(self, data: bytes) -> int:
        if not data:
            return _END
        first, count = len(self.table), -(-len(data) // self.size)
        self.table += [*range(first + 1, first + count), _END]
        self.data += data.ljust(count * self.size, b"\0")
        return first


def compound(root: Storage) -> bytes:
    """A compound file of these streams."""
    entries = [_Entry("Root Entry", 5)]
    entries[0].child = _add(root, entries)
    mini, sectors = _Sectors(_MINI), _Sectors(_SECTOR)
    for entry in entries[1:]:
        if entry.kind == 2:
            entry.start = (mini if len(entry.data) < _CUTOFF else sectors).put(entry.data)
    entries[0].data = bytes(mini.data)
    entries[0].start = sectors.put(entries[0].data)
    small = sectors.put(b"".join(struct.pack("<I", at) for at in mini.table))
    directory = sectors.put(b"".join(map(_packed, entries)))
    count = 1
    while (len(sectors.table) + count) * 4 > count * _SECTOR:
        count += 1
    fat = range(len(sectors.table), len(sectors.table) + count)
    table = [*sectors.table, *[_FAT] * count]
    table += [_FREE] * (count * _SECTOR // 4 - len(table))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIII", 0, count, directory, 0, _CUTOFF)
    header += struct.pack("<IIII", small, -(-len(mini.table) * 4 // _SECTOR), _END, 0)
    header += struct.pack("<109I", *[*fat, *[_FREE] * (109 - count)])
    return header + bytes(sectors.data) + struct.pack(f"<{len(table)}I", *table)


def _add(storage: Storage, entries: list[_Entry]) -> int:
    """Entries of a storage, each the right one of the one before: an ordered tree, though a lean one."""
    before = first = _FREE
    for name in sorted(storage, key=lambda name: (len(name), name.upper())):
        found = storage[name]
        entries.append(_Entry(name, 2, found) if isinstance(found, bytes) else _Entry(name, 1))
        place = len(entries) - 1
        if before == _FREE:
            first = place
        else:
            entries[before].right = place
        before = place
        if not isinstance(found, bytes):
            entries[place].child = _add(found, entries)
    return first


def _packed(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le")
    start = 0 if entry.kind == 1 else entry.start
    return struct.pack(
        "<64sHBBIII16xI16xIQ",
        *(name, len(name) + 2, entry.kind, 1, _FREE, entry.right, entry.child, 0, start, len(entry.data)),
    )
