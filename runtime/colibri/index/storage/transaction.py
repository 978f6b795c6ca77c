"""One transaction of the writer: rows go to segments, everything else to SQLite, and the last step is its commit.

The order of durability: segment bytes, the folder's names, then SQLite's commit. Whatever fails before that leaves the
index as it was: SQLite rolls back, and bytes past what is committed mean nothing.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from colibri.errors import ColibriError, StoreDamaged, StoreError
from colibri.index.storage import catalogue, segments
from colibri.index.storage.catalogue import SEGMENT_SHIFT
from colibri.index.storage.disk import Disk
from colibri.index.storage.reading import by_id
from colibri.index.storage.segments import Appender, Committed, read_segments
from colibri.index.storage.token_spans import packed
from colibri.vectors import TokenVectors

Mended = Callable[[sqlite3.Connection], list[Committed]]
"""Makes an index's own entries right, and tells the segments."""

PassageRow = tuple[int, int, int, bytes | None, int]
"""A row of `passages` behind its slot: document, start, end, spans, crc."""

_PLACED = "SELECT number, first, passages, text_crc IS NOT NULL FROM documents"
_PLACE = (1 << SEGMENT_SHIFT) - 1


class Transaction:
    """What one call changes. Made by `writing`, which commits it or takes everything back."""

    def __init__(
        self, connection: sqlite3.Connection, disk: Disk, folder: Path, dim: int, known: Sequence[Committed]
    ) -> None:
        """known: the segments, as the catalogue has them."""
        self.connection = connection
        self._disk = disk
        self._folder = folder
        self._dim = dim
        facts = catalogue.read_facts(connection)
        self._commits = int(facts["commits"])
        self._next_segment = int(facts["next_segment"])
        self._next_document = int(facts["next_document"])
        self._segments = {found.number: found for found in known}
        self._changed: set[int] = set()
        self._removed: set[int] = set()
        self._appender: Appender | None = None
        self._finished: list[Appender] = []
        self._documents: list[tuple[int, str, int, int, str | None, int | None, int]] = []
        self._texts: list[tuple[int, bytes]] = []
        self._passages: list[tuple[int, int, int, int, bytes | None, int]] = []
        self._pending: set[str] = set()

    def knows(self, found_id: str) -> bool:
        """Whether there is a document of that id, added in this transaction or before."""
        if found_id in self._pending:
            return True
        return self.connection.execute("SELECT 1 FROM documents WHERE id = ?", (found_id,)).fetchone() is not None

    def number(self) -> int:
        """A number that no document had before, for the next one."""
        self._next_document += 1
        return self._next_document - 1

    def append(self, vectors: TokenVectors, passages: Sequence[tuple[int, int, int]]) -> int:
        """Write int8 passages to one segment; for each its document's number and which characters of the text it is.

        All of a document have to come at once. Returns the slot of the first.
        """
        slot = self._append(vectors)
        assert vectors.scales is not None
        rows = np.ascontiguousarray(vectors.rows).data.cast("B")
        scales = np.ascontiguousarray(vectors.scales, "<f4").data.cast("B")
        dim, bounds = self._dim, vectors.starts.tolist()
        begin = 0
        for i, (document, start, end) in enumerate(passages):
            stop = bounds[i + 1]
            spans = None if vectors.spans is None else packed(vectors.spans[begin:stop])
            own, sizes = rows[begin * dim : stop * dim], scales[4 * begin : 4 * stop]
            crc = catalogue.passage_crc(document, start, end, spans, own, sizes)
            self._passages.append((slot + i, document, start, end, spans, crc))
            begin = stop
        return slot

    def move(self, vectors: TokenVectors, passages: Sequence[PassageRow]) -> int:
        """Write int8 passages that were read elsewhere, with what their rows said (all but the slot)."""
        slot = self._append(vectors)
        self._passages += [(slot + i, *row) for i, row in enumerate(passages)]
        return slot

    def _append(self, vectors: TokenVectors) -> int:
        self._room()
        assert self._appender is not None
        slot = self._appender.append(vectors)
        self._changed.add(self._appender.number)
        return slot

    def _room(self) -> None:
        """A segment that is full is left behind; what is appended together lies together."""
        if self._appender is not None:
            here = self._appender
            if here.tokens < segments.FULL_TOKENS and here.passages < segments.FULL_PASSAGES:
                return
            self._finished.append(here)
            self._appender = None
        last = max(self._segments, default=0)
        committed = self._segments.get(last)
        if committed is None or committed.full or last in self._removed or last in {a.number for a in self._finished}:
            committed = Committed(self._next_segment, 0, 0, np.zeros(0, np.bool_))
            self._next_segment += 1
        self._appender = Appender(self._disk, self._folder, committed, self._dim)

    def put(
        self, number: int, found_id: str, text: bytes | None, payload: str | None, first: int, passages: int
    ) -> None:
        """A document whose passages were appended. It must not be there: see `knows` and `remove`."""
        text_crc = catalogue.text_crc(text)
        crc = catalogue.document_crc(number, found_id, passages, payload, text_crc)
        self._documents.append((number, found_id, first, passages, payload, text_crc, crc))
        if text is not None:
            self._texts.append((number, text))
        self._pending.add(found_id)

    def flush(self) -> None:
        """Hand what is buffered to SQLite."""
        run = self.connection.executemany
        run("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)", self._documents)
        run("INSERT INTO texts VALUES (?, ?)", self._texts)
        run("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?)", self._passages)
        self._documents, self._texts, self._passages = [], [], []
        self._pending.clear()

    def remove(self, ids: Iterable[str]) -> int:
        """Take documents out by their ids; how many there were."""
        if self._pending:
            self.flush()
        found = []
        for found_id in ids:
            row = self.connection.execute(f"{_PLACED} WHERE id = ?", (found_id,)).fetchone()
            if row is not None:
                found.append(row)
        return self._remove(found)

    def remove_where(self, condition: str, values: Sequence[object]) -> int:
        """Take out the documents that a condition keeps; how many."""
        return self._remove(self.connection.execute(f"{_PLACED} WHERE {condition}", values).fetchall())

    def _remove(self, found: list[tuple[int, int, int, bool]]) -> int:
        found.sort()  # neighbours lie on one page
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
            if not any(appender.number == segment for appender in self._appenders()):
                raise StoreDamaged(f"{self._folder.parent}: a document lies in segment {segment}, which there is not")
            found = Committed(segment, 0, 0, np.zeros(0, np.bool_))
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
        crc = catalogue.document_crc(row.number, row.id, row.passages, payload, row.text_crc)
        self.connection.execute(
            "UPDATE documents SET payload = ?, crc = ? WHERE number = ?", (payload, crc, row.number)
        )
        return True

    def drop_segment(self, number: int) -> None:
        """Everything in it was moved, or will be: nothing is added to it, and its files go after the commit."""
        self._removed.add(number)

    @property
    def committed(self) -> list[Committed]:
        """The segments, as they were before this transaction or with what it took out."""
        return list(self._segments.values())

    def rewrite_segments(self) -> None:
        """Write every segment's entry anew, whatever was there."""
        self.connection.execute("DELETE FROM segments")
        self._changed |= set(self._segments)

    def _appenders(self) -> Iterator[Appender]:
        yield from self._finished
        if self._appender is not None:
            yield self._appender

    def commit(self) -> None:
        """Make it so. Before this returns nothing of it is visible; afterwards it is on the disk."""
        self.flush()
        appended = {appender.number: appender for appender in self._appenders() if appender.number in self._changed}
        for appender in appended.values():
            appender.sync()
        if appended:
            self._disk.sync_folder(self._folder)
        run = self.connection.execute
        for number in sorted(self._changed - self._removed):
            before = self._segments.get(number, Committed(number, 0, 0, np.zeros(0, np.bool_)))
            passages, tokens = before.passages, before.tokens
            if number in appended:
                passages, tokens = appended[number].passages, appended[number].tokens
            if before.gone.size > passages:
                raise StoreDamaged(f"{self._folder.parent}: a document reaches beyond segment {number}")
            gone = np.zeros(passages, np.bool_)
            gone[: before.gone.size] = before.gone
            if gone.all():
                self._removed.add(number)
                continue
            bits = np.packbits(gone).tobytes()
            crc = catalogue.segment_crc(number, passages, tokens, bits)
            run("INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?, ?)", (number, passages, tokens, bits, crc))
        for number in self._removed:
            run("DELETE FROM segments WHERE number = ?", (number,))
        catalogue.write_fact(self.connection, "commits", str(self._commits + 1))
        catalogue.write_fact(self.connection, "next_segment", str(self._next_segment))
        catalogue.write_fact(self.connection, "next_document", str(self._next_document))
        run("COMMIT")
        self._disk.committed()
        for number in self._removed:
            for kind in segments.KINDS:
                remove_quietly(self._disk, segments.file_of(self._folder, number, kind))

    def close(self) -> None:
        """Let go of files."""
        for appender in self._appenders():
            appender.close()


@contextmanager
def writing(
    connection: sqlite3.Connection,
    disk: Disk,
    folder: Path,
    dim: int,
    mended: Mended | None = None,
) -> Iterator[Transaction]:
    """A transaction for the holder of the writer's lock; committed at the end, taken back when anything is raised.

    First recovers: segment files that no commit knows, left by a writer that died, are removed.
    mended: for an index whose own entries are not to be believed: makes them right and tells the segments
    """
    connection.execute("BEGIN IMMEDIATE")
    known = read_segments(connection) if mended is None else mended(connection)
    transaction = Transaction(connection, disk, folder, dim, known)
    try:
        if mended is None:
            numbers = {found.number for found in known}
            for path, number in segments.numbers_in(folder).items():
                if number not in numbers:
                    remove_quietly(disk, path)
        yield transaction
        transaction.commit()
    except OSError as error:
        if isinstance(error, ColibriError):  # some of ours are also OSErrors
            raise
        said = error.strerror or error
        raise StoreError(f"{folder.parent}: cannot be written ({said}); nothing was changed") from error
    finally:
        transaction.close()


def remove_quietly(disk: Disk, path: Path) -> None:
    """Remove a file that means nothing. Where that fails, as on Windows while a reader has it mapped, the next writer
    tries again."""
    with suppress(OSError):
        disk.remove(path)
