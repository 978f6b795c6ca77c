"""Segments: append-only files of token rows, of which the catalogue says how much is committed.

    000001.rows    int8 (tokens, dim), or of int4 uint8 (tokens, dim / 2): see `row_layout`
    000001.scales  float32 (tokens,)
    000001.ends    int64 (passages,), where each passage's rows end
    000001.signs   sign bits of the rows (`signs`); there may be none, or not of all of them

Little-endian. Bytes past what is committed mean nothing and are overwritten by the next writer; nothing is ever cut
off, because a reader may have it mapped, and what is cut off under a map ends the process.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from colibri.errors import StoreDamaged, StoreError
from colibri.index.storage import signs
from colibri.index.storage.catalogue import SEGMENT_SHIFT, standing_facts
from colibri.index.storage.checksums import segment_crc
from colibri.index.storage.disk import Disk, write_all
from colibri.index.storage.pages import Pages
from colibri.index.storage.row_layout import SCHEMES, RowLayout
from colibri.scoring import Signs
from colibri.vectors import Offsets, TokenVectors

KINDS = ("rows", "scales", "ends")
"""Files that every segment has."""
ALL_KINDS = (*KINDS, signs.KIND)
FULL_TOKENS = 4 << 20
"""From here on a segment takes no more documents: 285 MB of int8 at 64 dims."""
FULL_PASSAGES = 1 << 18
_MOST_PASSAGES = 1 << SEGMENT_SHIFT


@dataclass(frozen=True, eq=False)
class Committed:
    """What the catalogue says of a segment. gone: (passages,) bool. signed: whether there are sign bits of all rows."""

    number: int
    passages: int
    tokens: int
    gone: NDArray[np.bool_]
    signed: bool

    @classmethod
    def begun(cls, number: int, passages: int = 0, tokens: int = 0, *, signed: bool = True) -> "Committed":
        """One of which nothing is gone."""
        return cls(number, passages, tokens, np.zeros(0, np.bool_), signed)

    @property
    def full(self) -> bool:
        """Whether the next document begins another one."""
        return self.tokens >= FULL_TOKENS or self.passages >= FULL_PASSAGES


@dataclass(frozen=True, eq=False)
class Segment:
    """A committed state of a segment, mapped.

    docs   its passages, live or gone
    gone   (passages,) bool
    live   places of those that are left, None where all are
    signs  sign bits of its rows, None where there are none, or not of all of them
    pages  of its rows and scales
    """

    number: int
    docs: TokenVectors
    gone: NDArray[np.bool_]
    live: Offsets | None
    signs: Signs | None
    pages: Pages

    @property
    def base(self) -> int:
        """The slot of its first passage."""
        return self.number << SEGMENT_SHIFT


def read_segments(connection: sqlite3.Connection, schema: str = "") -> list[Committed]:
    """What is committed, by number. schema: "name." of an attached file. Raises StoreDamaged for a row that changed on
    disk."""
    found = []
    for number, entry in _entries(connection, schema):
        if entry is None:
            raise StoreDamaged(f"segment {number}: its entry changed on disk; `colibri index --repair` mends it")
        found.append(entry)
    return found


def whole_segments(connection: sqlite3.Connection) -> dict[int, Committed]:
    """Those whose entries are what was written, by number."""
    return {number: entry for number, entry in _entries(connection) if entry is not None}


def _entries(connection: sqlite3.Connection, schema: str = "") -> Iterator[tuple[int, Committed | None]]:
    """Numbers, rising, and what is committed; None: it changed on disk."""
    signed = signs.covered(connection, schema)
    kind = SCHEMES.get(standing_facts(connection, schema).get("scheme", ""), "int8")
    rows = connection.execute(f"SELECT number, passages, tokens, gone, crc FROM {schema}segments ORDER BY number")
    for number, passages, tokens, gone, crc in rows:
        typed = isinstance(passages, int) and isinstance(tokens, int) and isinstance(gone, bytes)
        if not typed or crc != segment_crc(number, passages, tokens, gone, kind):
            yield number, None
            continue
        bits = np.unpackbits(np.frombuffer(gone, np.uint8), count=passages).astype(np.bool_)
        yield number, Committed(number, passages, tokens, bits, signed.get(number) == tokens)


def file_of(folder: Path, number: int, kind: str) -> Path:
    """Path of one of a segment's files."""
    return file_at(stem_of(folder, number), kind)


def stem_of(folder: Path, number: int) -> Path:
    """What the paths of a segment's files have in common."""
    return folder / f"{number:06d}"


def file_at(stem: Path, kind: str) -> Path:
    """Path of one of the files that differ in their endings alone."""
    return stem.with_name(f"{stem.name}.{kind}")


def number_of(path: Path) -> int | None:
    """Which segment's file it is, committed or not; None: it is no segment's."""
    return int(path.stem) if path.suffix[1:] in ALL_KINDS and path.stem.isdigit() else None


def numbers_in(folder: Path) -> dict[Path, int]:
    """The segment files that there are, committed or not."""
    return {path: number for path in folder.iterdir() if (number := number_of(path)) is not None}


def opened(folder: Path, committed: Committed, layout: RowLayout, space_id: str, before: Segment | None) -> Segment:
    """Map what is committed; `before` is an earlier state of the same segment, whose maps serve where they reach.

    Raises FileNotFoundError where the segment was compacted away meanwhile, StoreDamaged where files are too short or
    their offsets not those of `committed`.
    """
    live = np.flatnonzero(~committed.gone) if committed.gone.any() else None
    number, passages, tokens = committed.number, committed.passages, committed.tokens
    if before is not None and len(before.docs) == passages and len(before.docs.rows) == tokens:
        own = _signs(folder, committed, before.docs) if before.signs is None else before.signs
        return replace(before, gone=committed.gone, live=live, signs=own)
    try:
        rows = np.memmap(file_of(folder, number, "rows"), layout.dtype, "r", shape=(tokens, layout.row_bytes))
        scales = np.memmap(file_of(folder, number, "scales"), "<f4", "r", shape=(tokens,))
        # Read, not mapped: where a document lies must not change under a kernel that has been told.
        ends = np.fromfile(file_of(folder, number, "ends"), "<i8", passages).astype(np.int64, copy=False)
        if len(ends) != passages:
            raise ValueError(f"{len(ends)} offsets, wanted {passages}")
        starts = np.concatenate([np.zeros(1, np.int64), ends])
        if (np.diff(starts) <= 0).any():
            raise ValueError("its offsets do not rise")
        docs = TokenVectors(np.asarray(rows), starts, scales=np.asarray(scales, np.float32), space_id=space_id)
    except FileNotFoundError:
        raise
    except (ValueError, OSError) as error:
        raise StoreDamaged(
            f"{file_of(folder, number, '*')}: {error}; `colibri index --repair` keeps what can be kept"
        ) from error
    return Segment(number, docs, committed.gone, live, _signs(folder, committed, docs), Pages([rows, scales]))


def _signs(folder: Path, committed: Committed, docs: TokenVectors) -> Signs | None:
    if not committed.signed:
        return None
    bits = signs.mapped(file_of(folder, committed.number, signs.KIND), committed.tokens, docs.dim)
    return None if bits is None else Signs(bits, docs.starts, docs.dim)


def raw_rows(stem: Path, passages: int, tokens: int, layout: RowLayout) -> TokenVectors:
    """What was just written, mapped. Raises OSError."""
    rows = np.memmap(file_at(stem, "rows"), layout.dtype, "r", shape=(tokens, layout.row_bytes))
    scales = np.memmap(file_at(stem, "scales"), "<f4", "r", shape=(tokens,))
    ends = np.fromfile(file_at(stem, "ends"), "<i8", passages)
    starts = np.concatenate([np.zeros(1, np.int64), ends])
    return TokenVectors(np.asarray(rows), starts, scales=np.asarray(scales, np.float32))


class Appender:
    """Adds passages to one segment after what is committed. Nothing counts before the catalogue says so."""

    def __init__(self, disk: Disk, stem: Path, committed: Committed, layout: RowLayout) -> None:
        """stem: of the segment's files."""
        self._disk = disk
        self._row_bytes = layout.row_bytes
        self.stem = stem
        self.number = committed.number
        self.passages = committed.passages
        self.tokens = committed.tokens
        self._files = [disk.create(file_at(stem, kind)) for kind in ALL_KINDS]
        self.signed = committed.signed and signs.reaches(self._files[-1].fileno(), self.tokens, layout.dim)
        """Whether there are sign bits of all rows: of a segment that lacks some, no more are written."""

    @property
    def full(self) -> bool:
        """Whether the next document begins another segment."""
        return self.tokens >= FULL_TOKENS or self.passages >= FULL_PASSAGES

    def append(self, vectors: TokenVectors) -> int:
        """Write passages; returns the slot of the first. Raises OSError when the disk takes no more."""
        if self.passages + len(vectors) > _MOST_PASSAGES:
            raise StoreError(f"a document of more than {_MOST_PASSAGES - self.passages:,} passages")
        assert vectors.scales is not None
        slot = (self.number << SEGMENT_SHIFT) + self.passages
        rows, scales, ends, own_signs = self._files
        self._put(rows, vectors.rows, self.tokens * self._row_bytes)
        self._put(scales, vectors.scales.astype("<f4", copy=False), self.tokens * 4)
        self._put(ends, (vectors.starts[1:] + self.tokens).astype("<i8", copy=False), self.passages * 8)
        if self.signed:
            bits, self.signed = signs.bits_of(vectors.rows, vectors.scales)
            self._put(own_signs, bits, self.tokens * bits.shape[1])
        self.passages += len(vectors)
        self.tokens += len(vectors.rows)
        return slot

    def _put(self, file: BinaryIO, array: NDArray[np.generic], offset: int) -> None:
        write_all(self._disk, file, np.ascontiguousarray(array).data.cast("B"), offset)

    def sync(self) -> None:
        """All that was appended is on the disk."""
        for file in self._files:
            self._disk.sync(file)

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            file.close()
