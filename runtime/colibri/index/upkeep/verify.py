"""Everything an index holds against its checksums."""

import sqlite3
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from colibri.errors import StoreDamaged
from colibri.index.storage import catalogue
from colibri.index.storage.catalogue import SEGMENT_SHIFT
from colibri.index.storage.raw import RawSegment, place_of
from colibri.index.storage.reading import SELECT, Row
from colibri.index.storage.row_layout import RowLayout
from colibri.index.storage.segments import numbers_in, read_segments
from colibri.index.upkeep import words
from colibri.machine import counted


@dataclass(frozen=True)
class Verification:
    """What verifying found. problems: in words; empty when all is as it was written.

    damaged  ids of documents that changed on disk, as far as they can be read
    """

    documents: int
    passages: int
    damaged: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.problems and not self.damaged


@dataclass
class _Found:
    problems: list[str] = field(default_factory=list)
    damaged: dict[int, str] = field(default_factory=dict)  # number -> id


def mapped(folder: Path, layout: RowLayout) -> dict[int, RawSegment]:
    """Every segment that there are files of."""
    return {number: RawSegment(folder, number, layout) for number in set(numbers_in(folder).values())}


def verify(
    connection: sqlite3.Connection, raws: Mapping[int, RawSegment], done: Callable[[int], object]
) -> Verification:
    """Compare every row and every byte within a transaction. done: called with the tokens of each document."""
    found = _Found()
    _guarded(found, "SQLite", lambda: _structure(connection, found))
    _guarded(found, "facts", lambda: _facts(connection))
    documents: dict[int, tuple[str, int, int]] = {}
    _guarded(found, "documents", lambda: _documents(connection, found, documents))
    slots: dict[int, int] = {}
    whole: dict[int, list[int]] = {}
    _guarded(found, "passages", lambda: _passages(connection, raws, found, documents, slots, whole, done))
    _guarded(found, "segments", lambda: _segments(connection, found, slots))
    _guarded(found, "signs", lambda: _signs(connection, raws, found, whole))
    _guarded(found, "words", lambda: found.problems.extend(words.problems(connection)))
    counts: dict[int, int] = {}
    for number in slots.values():
        counts[number] = counts.get(number, 0) + 1
    for number, (found_id, first, count) in documents.items():
        if counts.get(number, 0) != count or any(slots.get(slot) != number for slot in range(first, first + count)):
            found.damaged[number] = found_id
    return Verification(len(documents), len(slots), tuple(found.damaged.values()), tuple(found.problems))


def _guarded(found: _Found, what: str, work: Callable[[], None]) -> None:
    """One part; that it cannot be read is what was found, and the others are looked at all the same."""
    try:
        work()
    except (sqlite3.DatabaseError, StoreDamaged, UnicodeDecodeError, OverflowError, ValueError, TypeError) as error:
        found.problems.append(f"{what}: {error}")


def _structure(connection: sqlite3.Connection, found: _Found) -> None:
    for (said,) in connection.execute("PRAGMA integrity_check"):
        if said != "ok":
            found.problems.append(f"SQLite: {said}")
    if not catalogue.schema_is_whole(connection):
        found.problems.append("SQLite: the definition of a table changed")


def _facts(connection: sqlite3.Connection) -> None:
    facts = catalogue.read_facts(connection)
    if missing := {*catalogue.FACTS} - facts.keys():
        raise StoreDamaged(f"{', '.join(sorted(missing))} missing")


def _documents(connection: sqlite3.Connection, found: _Found, documents: dict[int, tuple[str, int, int]]) -> None:
    for found_row in connection.execute(SELECT):
        row = Row(*found_row)
        placed = isinstance(row.first, int) and isinstance(row.passages, int)
        documents[row.number] = (str(row.id), row.first if placed else 0, row.passages if placed else 0)
        if not row.whole:
            found.damaged[row.number] = str(row.id)
    (orphans,) = connection.execute(
        "SELECT count(*) FROM texts WHERE number NOT IN (SELECT number FROM documents)"
    ).fetchone()
    if orphans:
        found.problems.append(f"{counted(orphans, 'text')} without a document")


def _passages(
    connection: sqlite3.Connection,
    raws: Mapping[int, RawSegment],
    found: _Found,
    documents: dict[int, tuple[str, int, int]],
    slots: dict[int, int],
    whole: dict[int, list[int]],
    done: Callable[[int], object],
) -> None:
    last = None
    for slot, document, start, end, spans, crc in connection.execute(
        'SELECT slot, document, start, "end", spans, crc FROM passages ORDER BY slot'
    ):
        raw = raws.get(slot >> SEGMENT_SHIFT)
        slots[slot] = document
        if raw is None or not intact(raw, slot, document, start, end, spans, crc):
            if document in documents:
                found.damaged[document] = str(documents[document][0])
            else:
                found.problems.append(f"slot {slot}: a passage that no document owns")
        else:
            whole.setdefault(raw.number, []).append(place_of(slot))
            if document not in documents:
                found.problems.append(f"slot {slot}: a passage of document {document}, which there is not")
        if document != last:
            bounds = None if raw is None else raw.bounds(place_of(slot))
            done(0 if bounds is None else bounds[1] - bounds[0])
            last = document


def intact(
    raw: RawSegment, slot: int, document: object, start: object, end: object, spans: object, crc: object
) -> bool:
    """Whether a passage and its rows are what was written."""
    if not isinstance(document, int) or not isinstance(start, int) or not isinstance(end, int):
        return False
    if spans is not None and not isinstance(spans, bytes):
        return False
    try:
        return raw.crc(place_of(slot), document, start, end, spans) == crc
    except struct.error:
        return False


def _segments(connection: sqlite3.Connection, found: _Found, slots: dict[int, int]) -> None:
    live: set[int] = set()
    for segment in read_segments(connection):
        base = segment.number << SEGMENT_SHIFT
        live.update((np.flatnonzero(~segment.gone) + base).tolist())
    if lost := len(live - slots.keys()):
        found.problems.append(f"{lost} passages that count and have no row")
    if ghosts := len(slots.keys() - live):
        found.problems.append(f"{ghosts} passages that do not count and have a row")


def _signs(
    connection: sqlite3.Connection, raws: Mapping[int, RawSegment], found: _Found, whole: Mapping[int, list[int]]
) -> None:
    """whole: segment -> places of passages whose rows are what was written."""
    for segment in read_segments(connection):
        raw = raws.get(segment.number)
        if segment.signed and (raw is None or raw.signs_differ(segment.tokens, whole.get(segment.number, []))):
            found.problems.append(f"segment {segment.number}: its sign bits are not those of its rows")
