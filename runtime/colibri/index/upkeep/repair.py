"""Mending: what is whole stays, what is broken is encoded again from its text, and the rest is dropped and named."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from colibri.index.document import Document
from colibri.index.storage.catalogue import SEGMENT_SHIFT
from colibri.index.storage.raw import RawSegment, place_of
from colibri.index.storage.reading import SELECT, Row
from colibri.index.storage.row_layout import RowLayout
from colibri.index.storage.segments import Committed, whole_segments
from colibri.index.storage.transaction import Transaction
from colibri.index.upkeep.compact import move
from colibri.index.upkeep.verify import intact


@dataclass(frozen=True)
class Repair:
    """What repairing did.

    encoded  ids of documents whose rows were broken and were made again from their texts
    dropped  ids of documents that could not be kept, as they read; index them again
    lost     how many documents left traces but no id
    rebuilt  whether the SQLite file had to be written anew
    """

    encoded: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    lost: int = 0
    rebuilt: bool = False


@dataclass
class _Plan:
    encode: list[Row] = field(default_factory=list)
    keep: dict[int, list[int]] = field(default_factory=dict)  # number -> slots
    drop: list[tuple[int, str]] = field(default_factory=list)
    suspects: set[int] = field(default_factory=set)  # segments


def committed_by_passages(connection: sqlite3.Connection, folder: Path, layout: RowLayout) -> list[Committed]:
    """What segments hold, told by the rows of their passages alone, and where an entry is whole how far they reach:
    readers have that mapped, and what comes next is written behind it, also where the last passages are gone."""
    whole = whole_segments(connection)
    places: dict[int, list[int]] = {}
    for (slot,) in connection.execute("SELECT slot FROM passages ORDER BY slot"):
        places.setdefault(slot >> SEGMENT_SHIFT, []).append(place_of(slot))
    found = []
    for number, live in places.items():
        raw = RawSegment(folder, number, layout)
        readable = [place for place in live if raw.bounds(place) is not None]
        tokens = max((bounds[1] for place in readable[-1:] if (bounds := raw.bounds(place))), default=0)
        count = live[-1] + 1
        if number in whole and whole[number].passages > count:
            count, tokens = whole[number].passages, whole[number].tokens
        gone = np.ones(count, np.bool_)
        gone[live] = False
        found.append(Committed(number, count, tokens, gone, signed=False))
    return found


def repair(
    transaction: Transaction,
    folder: Path,
    layout: RowLayout,
    encode: Callable[[Sequence[Document]], object] | None,
) -> Repair:
    """Within a transaction that knows its segments by `committed_by_passages`. encode: adds documents to it; None:
    nothing here can encode, so what is broken is dropped."""
    run = transaction.connection.execute
    passages: dict[int, list[int]] = {}
    raws: dict[int, RawSegment] = {}
    plan = _Plan()
    bad: set[int] = set()  # documents with a broken passage
    for slot, document, start, end, spans, crc in run(
        'SELECT slot, document, start, "end", spans, crc FROM passages ORDER BY slot'
    ):
        number = slot >> SEGMENT_SHIFT
        raw = raws.setdefault(number, RawSegment(folder, number, layout))
        passages.setdefault(document, []).append(slot)
        if not intact(raw, slot, document, start, end, spans, crc):
            bad.add(document)
            plan.suspects.add(number)
    plan.suspects |= {segment.number for segment in transaction.committed if not _opens(raws, segment)}
    known = set()
    for (number,) in run("SELECT number FROM documents ORDER BY number").fetchall():  # not all texts at once
        row = Row(*run(f"{SELECT} WHERE d.number = ?", (number,)).fetchone())
        known.add(row.number)
        slots = passages.get(row.number, [])
        placed = slots == list(range(row.first, row.first + row.passages)) if row.whole else False
        if placed and row.number not in bad:
            plan.keep[row.number] = slots
        elif row.whole and row.text is not None and encode is not None:
            plan.encode.append(row)
        else:
            plan.drop.append((row.number, str(row.id)))
    orphans = passages.keys() - known
    _carry_out(transaction, plan, passages, orphans, raws)
    if encode is not None and plan.encode:
        encode([_again(row) for row in plan.encode])
    return Repair(tuple(row.id for row in plan.encode), tuple(name for _, name in plan.drop), len(orphans))


def _carry_out(
    transaction: Transaction,
    plan: _Plan,
    passages: dict[int, list[int]],
    orphans: set[int],
    raws: dict[int, RawSegment],
) -> None:
    run, many = transaction.connection.execute, transaction.connection.executemany
    gone = [row.number for row in plan.encode] + [number for number, _ in plan.drop] + list(orphans)
    many("DELETE FROM documents WHERE number = ?", [(number,) for number in gone])
    run("DELETE FROM texts WHERE number NOT IN (SELECT number FROM documents)")
    for number in gone:
        slots = passages.get(number, [])
        many("DELETE FROM passages WHERE slot = ?", [(slot,) for slot in slots])
        for slot in slots:
            transaction.forget_slots(slot, 1)
    for number in plan.suspects:
        transaction.drop_segment(number)
    for slots in plan.keep.values():
        number = slots[0] >> SEGMENT_SHIFT
        if number in plan.suspects:
            rows: list[tuple[int, int, int, int, bytes | None, int]] = [
                run('SELECT slot, document, start, "end", spans, crc FROM passages WHERE slot = ?', (slot,)).fetchone()
                for slot in slots
            ]
            many("DELETE FROM passages WHERE slot = ?", [(slot,) for slot in slots])
            move(transaction, raws[number], rows)
            transaction.flush()
    transaction.rewrite_segments()


def _opens(raws: dict[int, RawSegment], segment: Committed) -> bool:
    """Whether offsets rise over all of what is committed, gone passages included, as readers ask."""
    raw = raws.get(segment.number)
    at = 0
    for place in range(segment.passages):
        bounds = None if raw is None else raw.bounds(place)
        if bounds is None or bounds[0] != at:
            return False
        at = bounds[1]
    return at == segment.tokens


def _again(row: Row) -> Document:
    payload = None if row.payload is None else json.loads(row.payload)
    return Document(id=row.id, text=row.shown_text, payload=payload)
