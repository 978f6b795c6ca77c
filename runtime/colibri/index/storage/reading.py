"""Reading documents back: every row that is returned is compared with its checksum first."""

import json
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import numpy as np

from colibri.errors import StoreDamaged
from colibri.index.document import Payload, Stored
from colibri.index.storage.catalogue import SEGMENT_SHIFT
from colibri.index.storage.checksums import document_crc, passage_crc, text_crc
from colibri.index.storage.segments import Segment
from colibri.index.storage.snapshot import Snapshot
from colibri.index.storage.token_spans import all_unpacked, unpacked
from colibri.vectors import Span, Spans, TokenVectors

MEND = "`colibri index --verify` says what is hit, --repair mends it"
_PLACE = (1 << SEGMENT_SHIFT) - 1
_HEAD = "d.number, d.id, d.first, d.passages, d.payload, d.text_crc, d.crc"
SELECT = f"SELECT {_HEAD}, t.text FROM documents AS d LEFT JOIN texts AS t ON t.number = d.number"
"""Rows of documents, as `Row` takes them."""


@dataclass(frozen=True, eq=False)
class Row:
    """A document's row, whole."""

    number: int
    id: str
    first: int
    passages: int
    payload: str | None
    text_crc: int | None
    crc: int
    text: bytes | None = None

    @property
    def whole_but_text(self) -> bool:
        """Whether it is what was written, its text aside."""
        whole_numbers = (self.number, self.first, self.passages, 0 if self.text_crc is None else self.text_crc)
        if not all(isinstance(value, int) for value in whole_numbers):
            return False
        if not isinstance(self.id, str) or not isinstance(self.payload, str | None):
            return False
        try:
            return self.crc == document_crc(self.number, self.id, self.passages, self.payload, self.text_crc)
        except struct.error:  # numbers beyond 64 bits
            return False

    @property
    def whole(self) -> bool:
        """Whether it is what was written."""
        return isinstance(self.text, bytes | None) and self.text_crc == text_crc(self.text) and self.whole_but_text

    @property
    def shown_text(self) -> str | None:
        """The text as it was given."""
        return None if self.text is None else self.text.decode("utf-8", "surrogatepass")

    @property
    def shown_payload(self) -> Payload | None:
        """The payload as it was given."""
        return None if self.payload is None else json.loads(self.payload)


@dataclass(frozen=True, eq=False)
class PassageRow:
    """A passage's row, whole, and its rows in the segment."""

    slot: int
    start: int
    end: int
    spans: bytes | None
    segment: Segment

    @property
    def place(self) -> int:
        """Which of the segment's passages it is."""
        return self.slot & _PLACE

    def token_spans(self) -> tuple[Spans | None, Spans | None]:
        """(tokens, 2), in the document's text, and further ones as `TokenVectors.more_spans`."""
        return unpacked(self.spans, self.tokens)

    @property
    def tokens(self) -> int:
        """How many rows it has."""
        starts = self.segment.docs.starts
        return int(starts[self.place + 1] - starts[self.place])


def all_token_spans(passages: Sequence[PassageRow]) -> list[tuple[Spans | None, Spans | None]]:
    """`PassageRow.token_spans` of each."""
    return all_unpacked([(one.spans, one.tokens) for one in passages])


def by_number(connection: sqlite3.Connection, number: int) -> Row | None:
    """One document. Raises StoreDamaged when it is not what was written."""
    return _checked(connection.execute(f"{SELECT} WHERE d.number = ?", (number,)).fetchone())


def by_id(connection: sqlite3.Connection, found_id: str) -> Row | None:
    """The same by its id."""
    return _checked(connection.execute(f"{SELECT} WHERE d.id = ?", (found_id,)).fetchone())


_IDS_AT_ONCE = 500  # values of one statement; asking for each alone takes four times as long


PLACED = "SELECT number, first, passages, text_crc IS NOT NULL FROM documents"
"""Where documents lie, and whether they have texts."""


def known(connection: sqlite3.Connection, ids: Sequence[str]) -> str | None:
    """One of some ids that there is a document of."""
    found = next(_by_ids(connection, "SELECT id FROM documents", ids), None)
    return None if found is None else str(found[0])


def placed(connection: sqlite3.Connection, ids: Sequence[str]) -> list[tuple[int, int, int, bool]]:
    """Rows of PLACED of some ids, those that there are, in any order."""
    return list(_by_ids(connection, PLACED, ids))


def _by_ids(connection: sqlite3.Connection, query: str, ids: Sequence[str]) -> Iterator[Any]:
    for first in range(0, len(ids), _IDS_AT_ONCE):
        some = ids[first : first + _IDS_AT_ONCE]
        yield from connection.execute(f"{query} WHERE id IN ({','.join('?' * len(some))})", some).fetchall()


def head_by_id(connection: sqlite3.Connection, found_id: str) -> Row | None:
    """One document without its text, which is not looked at."""
    found = connection.execute(f"SELECT {_HEAD.replace('d.', '')} FROM documents WHERE id = ?", (found_id,)).fetchone()
    if found is None:
        return None
    row = Row(*found)
    if not row.whole_but_text:
        raise _damaged(row.id)
    return row


Order = Literal["first", "number"]
"""Of documents: as their rows lie on the disk, or as they were added."""


def all_rows(
    connection: sqlite3.Connection, condition: str = "1", values: Sequence[object] = (), order: Order = "first"
) -> Iterator[Row]:
    """Every document a filter keeps. `condition` is over `documents`."""
    # Numbers first: a sort would carry every text along.
    found = connection.execute(f"SELECT number FROM documents WHERE {condition} ORDER BY {order}", values).fetchall()
    for (number,) in found:
        row = by_number(connection, number)
        if row is not None:
            yield row


def all_heads(
    connection: sqlite3.Connection,
    condition: str = "1",
    values: Sequence[object] = (),
    between: Iterable[tuple[str, str]] | None = None,
) -> Iterator[Row]:
    """The same without their texts, in any order. between: ranges of ids, see `Index.payloads`."""
    query = f"SELECT {_HEAD.replace('d.', '')} FROM documents WHERE ({condition})"
    rows = (
        connection.execute(query, values)
        if between is None
        else chain.from_iterable(
            connection.execute(f"{query} AND id >= ? AND id < ?", (*values, *pair)) for pair in between
        )
    )
    for found in rows:
        row = Row(*found)
        if not row.whole_but_text:
            raise _damaged(row.id)
        yield row


def _checked(found: tuple[int, str, int, int, str | None, int | None, int, bytes | None] | None) -> Row | None:
    if found is None:
        return None
    row = Row(*found)
    if not row.whole:
        raise _damaged(row.id)
    return row


def _damaged(found_id: object) -> StoreDamaged:
    return StoreDamaged(f"document {found_id!r}: its entry changed on disk; {MEND}", (str(found_id),))


def passage_rows(
    connection: sqlite3.Connection, snapshot: Snapshot, row: Row, slots: Sequence[int]
) -> list[PassageRow]:
    """Some passages of a document. Raises StoreDamaged when one, or a row of it, is not what was written."""
    return [_passage(connection, snapshot, row, slot) for slot in slots]


def all_passages(connection: sqlite3.Connection, snapshot: Snapshot, row: Row) -> list[PassageRow]:
    """Every passage of a document."""
    return passage_rows(connection, snapshot, row, range(row.first, row.first + row.passages))


def _passage(connection: sqlite3.Connection, snapshot: Snapshot, row: Row, slot: int) -> PassageRow:
    found = connection.execute(
        'SELECT document, start, "end", spans, crc FROM passages WHERE slot = ?', (slot,)
    ).fetchone()
    segment = next((s for s in snapshot.segments if s.number == slot >> SEGMENT_SHIFT), None)
    place = slot & _PLACE
    if found is not None and segment is not None and place < len(segment.docs) and not segment.gone[place]:
        document, start, end, spans, crc = found
        own = document == row.number and isinstance(spans, bytes | None)
        if own and crc == crc_of(segment, place, document, start, end, spans):
            return PassageRow(slot, start, end, spans, segment)
    raise StoreDamaged(f"document {row.id!r}: a passage changed on disk; {MEND}", (row.id,))


def crc_of(segment: Segment, place: int, document: int, start: int, end: int, spans: bytes | None) -> int:
    """The checksum of what is on disk now."""
    assert segment.docs.scales is not None
    own = slice(segment.docs.starts[place], segment.docs.starts[place + 1])
    rows = segment.docs.rows[own].data.cast("B")
    scales = segment.docs.scales[own].astype("<f4", copy=False).data.cast("B")
    try:
        return passage_crc(document, start, end, spans, rows, scales)
    except struct.error:  # damage can also make a number a text
        return -1


def stored(connection: sqlite3.Connection, snapshot: Snapshot, row: Row, *, vectors: bool) -> Stored:
    """A document as `Index.get` gives it back."""
    passages = all_passages(connection, snapshot, row)
    spans = tuple(Span(passage.start, passage.end) for passage in passages)
    rows = packed_vectors(passages, snapshot) if vectors else None
    return Stored(row.id, row.shown_text, row.shown_payload, spans, rows)


def packed_vectors(passages: Sequence[PassageRow], snapshot: Snapshot) -> TokenVectors:
    """Rows of some passages as they are kept, at least one, copied out of the maps."""
    docs = passages[0].segment.docs
    owns = [slice(p.segment.docs.starts[p.place], p.segment.docs.starts[p.place + 1]) for p in passages]
    lengths = [own.stop - own.start for own in owns]
    known, further, before = [], [], 0
    for passage, length in zip(passages, lengths, strict=True):
        spans, more = passage.token_spans()
        known += [] if spans is None else [spans]
        further += [] if more is None else [more + np.array([before, 0, 0], np.int32)]
        before += length
    scales = [
        p.segment.docs.scales[own] for p, own in zip(passages, owns, strict=True) if p.segment.docs.scales is not None
    ]
    return TokenVectors(
        np.concatenate([p.segment.docs.rows[own] for p, own in zip(passages, owns, strict=True)]),
        np.cumsum([0, *lengths], dtype=np.int64),
        np.concatenate(known) if len(known) == len(passages) else None,
        space_id=docs.space_id,
        scales=np.concatenate(scales),
        more_spans=np.concatenate(further) if further and len(known) == len(passages) else None,
    )
