"""One transaction of the writer: rows go to segments, everything else to SQLite, and the last step is its commit.

The order of durability: segment bytes, the folder's names, then SQLite's commit. Whatever fails before that leaves the
index as it was: SQLite rolls back, and bytes past what is committed mean nothing.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from colibri.errors import ColibriError, StoreDamaged, StoreError
from colibri.index.storage import catalogue, checksums, segments, signs, words
from colibri.index.storage.catalogue import SEGMENT_SHIFT
from colibri.index.storage.disk import Disk
from colibri.index.storage.growing import Batch, Growing, Rows, there_is
from colibri.index.storage.reading import PLACED, by_id, placed
from colibri.index.storage.row_layout import RowLayout
from colibri.index.storage.segments import Appender, Committed, read_segments
from colibri.index.storage.staged import remove_left_over, remove_quietly

Mended = Callable[[sqlite3.Connection], list[Committed]]
"""Makes an index's own entries right, and tells the segments."""

OWN_SHARE = 8
"""Staged files that would fill an eighth of a segment become one; copying smaller ones takes some 20 ms at most, and
keeps segments few, which searches depend on (benchmarks/NOTES.md)."""
_PLACE = (1 << SEGMENT_SHIFT) - 1


class Transaction:
    """What one call changes. Made by `writing`, which commits it or takes everything back."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        disk: Disk,
        folder: Path,
        layout: RowLayout,
        known: Sequence[Committed],
        *,
        mending: bool = False,
    ) -> None:
        """known: the segments, as the catalogue has them. mending: words are not kept right; they are made anew."""
        self.connection = connection
        self._disk = disk
        self._folder = folder
        self._layout = layout
        facts = catalogue.read_facts(connection)
        self._commits = int(facts["commits"])
        self._next_segment = int(facts["next_segment"])
        self._segments = {found.number: found for found in known}
        self._changed: set[int] = set()
        self._removed: set[int] = set()
        self._left: set[int] = set()
        self._taken: dict[int, Committed] = {}
        self._made: dict[int, int] = {}
        self._rows = Rows(disk, layout, self._next_place)
        self.words = None if mending else words.writable(connection)
        self._growing = Growing(connection, self._rows, layout, int(facts["next_document"]), self.words)
        self.known = self._growing.known
        self.move = self._growing.move
        self.flush = self._growing.flush

    def add(self, batch: Batch, *, replace: bool) -> None:
        """Write documents. replace: whether they take the place of those of their ids; else InputError for an id that
        is there."""
        ids = [entry.id for entry in batch.entries]
        if replace:
            self.remove(ids)
        elif (known := self.known(ids)) is not None:
            raise there_is(known)
        self._growing.add(batch)

    def reserve(self, documents: int) -> int:
        """The first of so many numbers that no document had before."""
        first = self._growing.next_document
        self._growing.next_document += documents
        return first

    def take(self, files: Appender) -> int:
        """Make finished, synced files of rows a segment, or where they are small a part of another; the slot of their
        first passage."""
        stem, passages, tokens = files.stem, files.passages, files.tokens
        small = tokens < segments.FULL_TOKENS // OWN_SHARE and passages < segments.FULL_PASSAGES // OWN_SHARE
        if small and not self._begins_another():
            return self._rows.append(segments.raw_rows(stem, passages, tokens, self._layout))
        number = self._next_segment
        self._next_segment += 1
        for kind in segments.ALL_KINDS:
            self._disk.rename(segments.file_at(stem, kind), segments.file_of(self._folder, number, kind))
        self._taken[number] = Committed.begun(number, passages, tokens, signed=files.signed)
        return number << SEGMENT_SHIFT

    def _begins_another(self) -> bool:
        """Whether what is appended next begins a segment."""
        return self._rows.full if self._rows.written else self._continued() is None

    def _next_place(self) -> tuple[Path, Committed]:
        committed = self._continued()
        if committed is None:
            committed = Committed.begun(self._next_segment)
            self._next_segment += 1
        return segments.stem_of(self._folder, committed.number), committed

    def _continued(self) -> Committed | None:
        """The last segment of those before, where it has room."""
        last = self._segments.get(max(self._segments, default=0))
        over = self._removed | self._left | self._taken.keys() | self._rows.written.keys()
        if last is None or last.full or last.number in over:
            return None
        return last

    def remove(self, ids: Iterable[str]) -> int:
        """Take documents out by their ids; how many there were."""
        return self._remove(placed(self.connection, list(ids)))

    def remove_where(self, condition: str, values: Sequence[object]) -> int:
        """Take out the documents that a condition keeps; how many."""
        return self._remove(self.connection.execute(f"{PLACED} WHERE {condition}", values).fetchall())

    def _remove(self, found: list[tuple[int, int, int, bool]]) -> int:
        found.sort()  # neighbours lie on one page
        if self.words is not None:
            self.words.take_out(number for number, *_ in found)
        run = self.connection.executemany
        run("DELETE FROM passages WHERE slot >= ? AND slot < ?", [(f, f + count) for _, f, count, _ in found])
        run("DELETE FROM texts WHERE number = ?", [(number,) for number, _, _, has_text in found if has_text])
        run("DELETE FROM documents WHERE number = ?", [(number,) for number, *_ in found])
        for _, first, passages, _ in found:
            self.forget_slots(first, passages)
        return len(found)

    def forget_slots(self, first: int, passages: int) -> None:
        """The passages at these slots are gone."""
        segment, place = first >> SEGMENT_SHIFT, first & _PLACE
        found = self._segments.get(segment)
        if found is None:
            if segment not in self._rows.written and segment not in self._taken:
                raise StoreDamaged(f"{self._folder.parent}: a document lies in segment {segment}, which there is not")
            found = Committed.begun(segment)
        if place + passages > len(found.gone):  # added in this transaction
            gone = np.zeros(place + passages, np.bool_)
            gone[: len(found.gone)] = found.gone
            found = self._segments[segment] = replace(found, gone=gone)
        found.gone[place : place + passages] = True  # in place: a copy for each id would be 260 KB
        self._changed.add(segment)

    def set_payload(self, found_id: str, payload: str | None) -> bool:
        """Replace a document's payload; whether there is such a document."""
        row = by_id(self.connection, found_id)
        if row is None:
            return False
        crc = checksums.document_crc(row.number, row.id, row.passages, payload, row.text_crc)
        if self.words is not None:
            self.words.change(row.number, row.payload, payload)
        self.connection.execute(
            "UPDATE documents SET payload = ?, crc = ? WHERE number = ?", (payload, crc, row.number)
        )
        return True

    @property
    def next_commit(self) -> int:
        """Which commit this will be."""
        return self._commits + 1

    @property
    def next_segment(self) -> int:
        """A number that no segment had before."""
        return self._next_segment

    def take_all(self, taken: Sequence[Committed], next_document: int) -> None:
        """Hold these segments, whose files are there, and none of those before."""
        self._removed |= self._segments.keys()
        self._taken |= {one.number: one for one in taken}
        self._segments |= {one.number: one for one in taken}
        self._next_segment = max([self._next_segment, *(one.number + 1 for one in taken)])
        self._growing.next_document = max(self._growing.next_document, next_document)

    def drop_segment(self, number: int) -> None:
        """Everything in it was moved, or will be: nothing is added to it, and its files go after the commit."""
        self._removed.add(number)

    def leave(self, numbers: Iterable[int]) -> None:
        """Nothing is added to these segments."""
        self._left.update(numbers)

    @property
    def committed(self) -> list[Committed]:
        """The segments, as they were before this transaction or with what it took out."""
        return list(self._segments.values())

    def rewrite_segments(self) -> None:
        """Write every segment's entry anew, whatever was there."""
        self.connection.execute("DELETE FROM segments")
        self._changed |= set(self._segments)

    def commit(self) -> None:
        """Make it so. Before this returns nothing of it is visible; afterwards it is on the disk."""
        self.flush()
        self._rows.sync()
        if self._rows.written or self._taken or self._made:
            self._disk.sync_folder(self._folder)
        for number in sorted((self._changed | set(self._rows.written) | set(self._taken)) - self._removed):
            self._write_segment(number)
        run = self.connection.execute
        for number in self._removed:
            run("DELETE FROM segments WHERE number = ?", (number,))
        signs.cover(self.connection, self._signed())
        catalogue.write_fact(self.connection, "commits", str(self._commits + 1))
        catalogue.write_fact(self.connection, "next_segment", str(self._next_segment))
        catalogue.write_fact(self.connection, "next_document", str(self._growing.next_document))
        if self.words is not None:
            self.words.commit(self._commits + 1)
        run("COMMIT")
        self._disk.committed()
        for number in self._removed:
            for kind in segments.ALL_KINDS:
                remove_quietly(self._disk, segments.file_of(self._folder, number, kind))

    def _now(self, number: int) -> Appender | Committed | None:
        """A segment with what this transaction puts in it."""
        return self._rows.written.get(number) or self._taken.get(number) or self._segments.get(number)

    def _numbers(self) -> set[int]:
        return (self._segments.keys() | self._taken.keys() | self._rows.written.keys()) - self._removed

    def _signed(self) -> dict[int, int]:
        """Tokens of the segments that have sign bits of all of them."""
        found = {number: self._now(number) for number in self._numbers()}
        return {
            number: one.tokens
            for number, one in found.items()
            if one is not None and (one.signed or self._made.get(number) == one.tokens)
        }

    def sign(self) -> int:
        """Write the sign bits of segments that lack some, when nothing is added any more; of how many segments. Raises
        StoreDamaged, OSError."""
        for number in sorted(self._numbers() - self._signed().keys()):
            found = self._now(number)
            assert found is not None
            if signs.make(self._disk, segments.stem_of(self._folder, number), found.tokens, self._layout):
                self._made[number] = found.tokens
        return len(self._made)

    def _write_segment(self, number: int) -> None:
        """A segment's entry, or the end of a segment in which nothing is left."""
        before = self._segments.get(number, Committed.begun(number))
        written = self._now(number) or before
        if before.gone.size > written.passages:
            raise StoreDamaged(f"{self._folder.parent}: a document reaches beyond segment {number}")
        gone = np.zeros(written.passages, np.bool_)
        gone[: before.gone.size] = before.gone
        if gone.all():
            self._removed.add(number)
            return
        bits = np.packbits(gone).tobytes()
        crc = checksums.segment_crc(number, written.passages, written.tokens, bits, self._layout.kind)
        values = (number, written.passages, written.tokens, bits, crc)
        self.connection.execute("INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?, ?)", values)

    def close(self) -> None:
        """Let go of files."""
        self._rows.close()


@contextmanager
def writing(
    connection: sqlite3.Connection,
    disk: Disk,
    folder: Path,
    layout: RowLayout,
    mended: Mended | None = None,
) -> Iterator[Transaction]:
    """A transaction for the holder of the writer's lock; committed at the end, taken back when anything is raised.

    First recovers: files that no commit knows, left by writers that died, are removed.
    mended: for an index whose own entries are not to be believed: makes them right and tells the segments
    """
    connection.execute("BEGIN IMMEDIATE")
    known = read_segments(connection) if mended is None else mended(connection)
    transaction = Transaction(connection, disk, folder, layout, known, mending=mended is not None)
    try:
        with disk_errors(folder.parent):
            if mended is None:
                remove_left_over(disk, folder, {found.number for found in known})
            yield transaction
            transaction.commit()
    finally:
        transaction.close()


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Errors of the disk as ours."""
    try:
        yield
    except OSError as error:
        if isinstance(error, ColibriError):  # some of ours are also OSErrors
            raise
        said = error.strerror or error
        raise StoreError(f"{folder}: cannot be written ({said}); nothing was changed") from error
