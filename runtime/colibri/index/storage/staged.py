"""Documents that are written and wait for their commit: files of one call's own, made without the writer's lock.

    staged-0123456789abcdef.lock         held, as long as whoever writes them lives
    staged-0123456789abcdef.sqlite       the tables of an index, for these documents alone
    staged-0123456789abcdef-000001.rows  and .scales, .ends, .signs: segments of theirs

They lie beside the segments, where nothing reads them. The commit renames large segments, copies small ones to the end
of another, and gives documents their numbers (`adoption`). What a writer that died left goes with the next one: a lock
that can be had is nobody's, whatever process, container or machine its holder lived in.
"""

import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from colibri.errors import StoreError
from colibri.index.storage import catalogue, segments
from colibri.index.storage.disk import Disk
from colibri.index.storage.growing import Batch, Growing, Rows
from colibri.index.storage.lock import HeldFile, held, taken_over
from colibri.index.storage.passage_words import WordRow
from colibri.index.storage.row_layout import RowLayout
from colibri.index.storage.segments import Appender, Committed
from colibri.index.storage.sharing import share
from colibri.index.storage.words import cut_words
from colibri.vectors import Span

_NAME = re.compile(r"staged-[0-9a-f]{16}(?=[.-])")
_TRIES = 100  # each meets another writer that tidies up between two system calls

DocumentRow = tuple[int, str, int, int, str | None, int | None, int, int]
"""number, id, first, passages, payload, text_crc, crc, bytes of id and payload"""


class Staged:
    """One call's documents. Made by `staged`; to be committed or discarded, and not to be used by a forked child."""

    def __init__(self, disk: Disk, folder: Path, layout: RowLayout, lock: HeldFile, *, worded: bool) -> None:
        """lock: stands in `folder`. worded: whether words are kept beside their documents, ready for FTS5."""
        self._disk = disk
        self._folder = folder
        self._lock = lock
        self._stem = lock.path.with_suffix("")
        self._process = os.getpid()
        self._next_segment = 0
        self._connection = _private(self._stem.with_suffix(".sqlite"))
        self._rows = Rows(disk, layout, self._next_place)
        self.has_words = worded
        self._growing = Growing(self._connection, self._rows, layout, 1, _Cut(self._connection) if worded else None)
        self.known = self._growing.known

    def add(self, batch: Batch) -> None:
        """Write documents; one of an id that was added before takes its place."""
        if self.known([entry.id for entry in batch.entries]) is not None:
            self._take_out(batch)
        self._growing.add(batch)

    def _take_out(self, batch: Batch) -> None:
        run = self._connection.executemany
        found = (self._placed(entry.id) for entry in batch.entries)
        replaced = [row for row in found if row is not None]
        run("INSERT INTO gone VALUES (?, ?)", [(first, count) for _, first, count in replaced])
        run("DELETE FROM passages WHERE slot >= ? AND slot < ?", [(f, f + count) for _, f, count in replaced])
        for table in ("documents", "texts", "cut"):
            run(f"DELETE FROM {table} WHERE number = ?", [(number,) for number, *_ in replaced])

    def _placed(self, found_id: str) -> tuple[int, int, int] | None:
        found: tuple[int, int, int] | None = self._connection.execute(
            "SELECT number, first, passages FROM documents WHERE id = ?", (found_id,)
        ).fetchone()
        return found

    def finish(self) -> None:
        """Nothing is added any more, and all rows are on the disk. Raises OSError."""
        self._rows.sync()
        self._rows.close()

    @property
    def segments(self) -> dict[int, Appender]:
        """What was written, by the segments' own numbers."""
        return self._rows.written

    @property
    def highest(self) -> int:
        """The highest number that a document has, or had."""
        return self._growing.next_document - 1

    def documents(self, at_once: int) -> Iterator[list[DocumentRow]]:
        """Documents by their numbers, so many at once."""
        found = self._connection.execute(
            "SELECT *, length(CAST(id AS BLOB)) + coalesce(length(CAST(payload AS BLOB)), 0) "
            "FROM documents ORDER BY number"
        )
        while rows := found.fetchmany(at_once):
            yield rows

    def ids(self, at_once: int) -> Iterator[list[str]]:
        """Ids of documents, so many at once."""
        found = self._connection.execute("SELECT id FROM documents ORDER BY number")
        while rows := found.fetchmany(at_once):
            yield [found_id for (found_id,) in rows]

    def texts(self) -> Iterator[tuple[int, bytes]]:
        """Numbers and texts."""
        yield from self._connection.execute("SELECT number, text FROM texts ORDER BY number")

    def words(self) -> Iterator[tuple[int, list[WordRow]]]:
        """Of every document its number and words, by its passages' places: as they were cut, or cut now."""
        if self.has_words:
            found = self._connection.execute("SELECT number, place, text, about FROM cut ORDER BY number, place")
            for number, rows in groupby(found, itemgetter(0)):
                yield number, [(place, text, about) for _, place, text, about in rows]
            return
        for number, first, count, payload, text in self._connection.execute(
            "SELECT d.number, d.first, d.passages, d.payload, t.text FROM documents AS d "
            "LEFT JOIN texts AS t ON t.number = d.number ORDER BY d.number"
        ):
            spans = self._connection.execute(
                'SELECT start, "end" FROM passages WHERE slot >= ? AND slot < ? ORDER BY slot', (first, first + count)
            )
            yield number, cut_words(text, payload, [Span(*span) for span in spans])

    def passages(self, segment: int, at_once: int) -> Iterator[list[tuple[int, int, int, int, bytes | None, int]]]:
        """Rows of passages of one segment by their slots, so many at once."""
        base = segment << catalogue.SEGMENT_SHIFT
        found = self._connection.execute(
            'SELECT slot, document, start, "end", spans, crc FROM passages WHERE slot >= ? AND slot < ? ORDER BY slot',
            (base, base + (1 << catalogue.SEGMENT_SHIFT)),
        )
        while rows := found.fetchmany(at_once):
            yield rows

    def gone(self) -> Sequence[tuple[int, int]]:
        """First slot and number of passages of documents that were replaced."""
        return self._connection.execute("SELECT first, passages FROM gone").fetchall()

    def close(self) -> None:
        """Take everything away that is left of it. In a forked child, whose parent goes on, nothing happens."""
        if self._process != os.getpid():
            catalogue.keep_of_parent(self._connection)
            return
        self._rows.close()
        with suppress(sqlite3.Error):
            self._connection.close()
        for appender in self._rows.written.values():
            for kind in segments.ALL_KINDS:
                remove_quietly(self._disk, segments.file_at(appender.stem, kind))
        remove_quietly(self._disk, self._stem.with_suffix(".sqlite"))
        remove_quietly(self._disk, self._lock.path)
        self._lock.close()

    def _next_place(self) -> tuple[Path, Committed]:
        self._next_segment += 1
        stem = self._folder / f"{self._stem.name}-{self._next_segment:06d}"
        return stem, Committed.begun(self._next_segment)


class _Cut:
    """Words that wait with their documents."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._waiting: list[tuple[int, int, str, str]] = []

    def put(self, number: int, rows: Sequence[WordRow]) -> None:
        """See `Worded`."""
        self._waiting += [(number, *row) for row in rows]

    def flush(self) -> None:
        """See `Worded`."""
        waiting, self._waiting = self._waiting, []
        self._connection.executemany("INSERT INTO cut VALUES (?, ?, ?, ?)", waiting)


def staged(disk: Disk, folder: Path, layout: RowLayout, *, worded: bool) -> Staged:
    """New files of one call's own; worded as in `Staged`. Raises OSError, sqlite3.Error."""
    for _ in range(_TRIES):
        lock = held(folder / f"staged-{os.urandom(8).hex()}.lock")
        if lock is None:
            continue
        try:
            return Staged(disk, folder, layout, lock, worded=worded)
        except BaseException:
            remove_quietly(disk, lock.path.with_suffix(".sqlite"))
            remove_quietly(disk, lock.path)
            lock.close()
            raise
    raise StoreError(f"{folder.parent}: files that were just made are taken away at once; nothing was changed")


def _private(path: Path) -> sqlite3.Connection:
    """A SQLite file for one connection, which nothing reads after a crash: it keeps no log and waits for no disk."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN")
        catalogue.make_tables(connection, {})
        connection.execute(
            "CREATE TABLE cut (number INTEGER, place INTEGER, text TEXT, about TEXT, PRIMARY KEY (number, place)) "
            "WITHOUT ROWID"
        )
        connection.execute("CREATE TABLE gone (first INTEGER NOT NULL, passages INTEGER NOT NULL)")
        share(path)
    except BaseException:
        connection.close()
        raise
    return connection


def remove_left_over(disk: Disk, folder: Path, committed: set[int]) -> None:
    """Under the writer's lock: remove segment files that no commit knows, and what dead writers staged."""
    found: dict[str, list[Path]] = {}
    for path in folder.iterdir():
        number = segments.number_of(path)
        if number is not None and number not in committed:
            remove_quietly(disk, path)
        elif match := _NAME.match(path.name):
            found.setdefault(match[0], []).append(path)
    for name, paths in found.items():
        lock = folder / f"{name}.lock"
        try:
            own = taken_over(lock)
            if own is None:
                continue
        except FileNotFoundError:  # made before the others and removed after them
            own = None
        for path in paths:
            if path != lock:
                remove_quietly(disk, path)
        remove_quietly(disk, lock)
        if own is not None:
            own.close()


def remove_quietly(disk: Disk, path: Path) -> None:
    """Remove a file that means nothing. Where that fails, as on Windows while a reader has it mapped, the next writer
    tries again."""
    with suppress(OSError):
        disk.remove(path)
