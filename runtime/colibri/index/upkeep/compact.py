"""Segments without what was deleted: live passages move to new ones, and the old files go."""

from collections.abc import Callable
from pathlib import Path

from colibri.index.storage import segments
from colibri.index.storage.catalogue import SEGMENT_SHIFT
from colibri.index.storage.growing import PassageRow
from colibri.index.storage.raw import RawSegment, place_of
from colibri.index.storage.row_layout import RowLayout
from colibri.index.storage.segments import Committed
from colibri.index.storage.transaction import Transaction
from colibri.vectors import TokenVectors

_AT_ONCE = 1_024  # passages read before they are written, and those of their last document
_Row = tuple[int, *PassageRow]
"""Of `passages`, its slot included."""


def worth_moving(committed: list[Committed]) -> list[int]:
    """Segments with deleted passages, and small ones where there are several; by their numbers."""
    small = [
        segment
        for segment in committed
        if segment.tokens < segments.FULL_TOKENS // 2 and segment.passages < segments.FULL_PASSAGES // 2
    ]
    joined = {segment.number for segment in small} if len(small) > 1 else set()
    return [segment.number for segment in committed if segment.gone.any() or segment.number in joined]


def compact(transaction: Transaction, folder: Path, layout: RowLayout, numbers: list[int]) -> tuple[int, list[int]]:
    """Move what is left of the first of some segments, as much as fills one; how many bytes of rows go, and which of
    them are still to be moved."""
    here = {segment.number: segment for segment in transaction.committed}
    moved: list[Committed] = []
    tokens = passages = 0
    left = [number for number in numbers if number in here]  # others were moved meanwhile
    while left and tokens < segments.FULL_TOKENS and passages < segments.FULL_PASSAGES:
        moved.append(here[left.pop(0)])
        alive = 1 - moved[-1].gone.mean()
        tokens += int(moved[-1].tokens * alive)
        passages += int(moved[-1].passages * alive)
    for segment in moved:
        transaction.drop_segment(segment.number)
    transaction.leave(left)
    kept = sum(move_all(transaction, RawSegment(folder, segment.number, layout)) for segment in moved)
    return (sum(segment.tokens for segment in moved) - kept) * layout.token_bytes, left


def move_all(
    transaction: Transaction,
    raw: RawSegment,
    write: "Callable[[Transaction, RawSegment, list[_Row]], int] | None" = None,
) -> int:
    """Write a segment's passages anew; how many tokens. write: what does it for whole documents, `move` or another."""
    write = write or move
    base = raw.number << SEGMENT_SHIFT
    own = (base, base + (1 << SEGMENT_SHIFT))
    run = transaction.connection.execute
    found = run(
        'SELECT slot, document, start, "end", spans, crc FROM passages WHERE slot >= ? AND slot < ? ORDER BY slot', own
    )
    tokens, waiting = 0, []
    while rows := found.fetchmany(_AT_ONCE):
        waiting += rows
        # Whole documents only: the last one may go on.
        whole = next((i for i in range(len(waiting), 0, -1) if waiting[i - 1][1] != waiting[-1][1]), 0)
        tokens += write(transaction, raw, waiting[:whole])
        waiting = waiting[whole:]
    tokens += write(transaction, raw, waiting)
    transaction.flush()
    run("DELETE FROM passages WHERE slot >= ? AND slot < ?", own)
    return tokens


def move(transaction: Transaction, raw: RawSegment, rows: list[_Row]) -> int:
    """Write passages (slot and the rest of their rows) of whole documents anew; how many tokens.

    Checksums go along as they are: what changed on disk stays known as changed.
    """
    rows = [row for row in rows if raw.bounds(place_of(row[0])) is not None]
    if not rows:
        return 0
    vectors = raw.vectors([place_of(row[0]) for row in rows])
    put(transaction, vectors, [row[1:] for row in rows])
    return len(vectors.rows)


def put(transaction: Transaction, vectors: TokenVectors, rows: list[PassageRow]) -> None:
    """Write passages of whole documents that have other slots so far: their rows, and what the catalogue says."""
    slot = transaction.move(vectors, rows)
    firsts: dict[int, int] = {}
    for i, row in enumerate(rows):
        firsts.setdefault(row[0], slot + i)
    transaction.connection.executemany(
        "UPDATE documents SET first = ? WHERE number = ?", [(first, number) for number, first in firsts.items()]
    )
