"""What is added and not committed yet: rows at the end of segments, and rows of SQLite behind them."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from colibri.errors import InputError
from colibri.index.storage import checksums
from colibri.index.storage.disk import Disk
from colibri.index.storage.passage_words import WordRow
from colibri.index.storage.reading import known
from colibri.index.storage.row_layout import RowLayout
from colibri.index.storage.segments import Appender, Committed
from colibri.index.storage.token_spans import packed
from colibri.index.storage.words import cut_words
from colibri.pooling import spans_within
from colibri.vectors import Span, TokenVectors

PassageRow = tuple[int, int, int, bytes | None, int]
"""A row of `passages` behind its slot: document, start, end, spans, crc."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A document to be added. text: as it is stored. payload: JSON. passages: their characters in the text. words: what
    `cut` makes of these, where that was done before; None: it is done when somebody needs them."""

    id: str
    text: bytes | None
    payload: str | None
    passages: Sequence[Span]
    words: Sequence[WordRow] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Documents of different ids, and the rows of all their passages end to end, of the kind that the index keeps."""

    entries: list[Entry]
    vectors: TokenVectors


def there_is(found_id: str) -> InputError:
    """What `add` says to an id that is there."""
    return InputError(f"documents: {found_id!r} is there already, or given twice; `upsert` replaces")


class Rows:
    """Segments that are appended to one after the other: one that is full is left behind."""

    def __init__(self, disk: Disk, layout: RowLayout, place: Callable[[], tuple[Path, Committed]]) -> None:
        """place: which segment is next, and its files but for their endings."""
        self._disk = disk
        self._layout = layout
        self._place = place
        self.written: dict[int, Appender] = {}
        self._last: Appender | None = None

    def append(self, vectors: TokenVectors) -> int:
        """Write passages, together in one segment; the slot of the first. Raises OSError, StoreError."""
        if self.full:
            stem, committed = self._place()
            self._last = self.written[committed.number] = Appender(self._disk, stem, committed, self._layout)
        assert self._last is not None
        return self._last.append(vectors)

    @property
    def full(self) -> bool:
        """Whether what comes next begins another segment, where something was appended."""
        return self._last is None or self._last.full

    def sync(self) -> None:
        """All that was appended is on the disk."""
        for appender in self.written.values():
            appender.sync()

    def close(self) -> None:
        """Let go of files."""
        for appender in self.written.values():
            appender.close()


class Worded(Protocol):
    """Where words go."""

    def put(self, number: int, rows: Sequence[WordRow]) -> None:
        """Those of a document, by its passages' places. Buffered."""

    def flush(self) -> None:
        """Hand what is buffered to SQLite."""


class Growing:
    """Documents that are added to the tables of a connection within its transaction, and their rows to segments."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        rows: Rows,
        layout: RowLayout,
        next_document: int,
        words: Worded | None = None,
    ) -> None:
        """words: those of the tables, None where they have none"""
        self._words = words
        self._connection = connection
        self._rows = rows
        self._layout = layout
        self.next_document = next_document
        self._documents: list[tuple[int, str, int, int, str | None, int | None, int]] = []
        self._texts: list[tuple[int, bytes]] = []
        self._passages: list[tuple[int, int, int, int, bytes | None, int]] = []

    def known(self, ids: Sequence[str]) -> str | None:
        """One of some ids that there is a document of."""
        return known(self._connection, ids)

    def add(self, batch: Batch) -> None:
        """Documents whose ids are not there."""
        numbers = [self._next_number(entry) for entry in batch.entries]
        passages = [(n, span) for n, entry in zip(numbers, batch.entries, strict=True) for span in entry.passages]
        slot = self._append(batch.vectors, passages)
        for number, entry in zip(numbers, batch.entries, strict=True):
            self._put(number, entry, slot)
            slot += len(entry.passages)
        self.flush()

    def _next_number(self, entry: Entry) -> int:
        """A document takes as many numbers as it has passages: those of its words (see `words`)."""
        number = self.next_document
        self.next_document += max(1, len(entry.passages))
        return number

    def move(self, vectors: TokenVectors, passages: Sequence[PassageRow]) -> int:
        """Write passages that were read elsewhere, with what their rows said (all but the slot); the slot of the
        first. All of a document have to come at once."""
        slot = self._rows.append(vectors)
        self._passages += [(slot + i, *row) for i, row in enumerate(passages)]
        return slot

    def flush(self) -> None:
        """Hand what is buffered to SQLite."""
        run = self._connection.executemany
        run("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)", self._documents)
        run("INSERT INTO texts VALUES (?, ?)", self._texts)
        run("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?)", self._passages)
        self._documents, self._texts, self._passages = [], [], []
        if self._words is not None:
            self._words.flush()

    def _append(self, vectors: TokenVectors, passages: Sequence[tuple[int, Span]]) -> int:
        slot = self._rows.append(vectors)
        assert vectors.scales is not None
        rows = np.ascontiguousarray(vectors.rows).data.cast("B")
        scales = np.ascontiguousarray(vectors.scales, "<f4").data.cast("B")
        width, bounds = self._layout.row_bytes, vectors.starts.tolist()
        begin = 0
        for i, (document, (start, end)) in enumerate(passages):
            stop = bounds[i + 1]
            more = spans_within(vectors.more_spans, begin, stop)
            spans = None if vectors.spans is None else packed(vectors.spans[begin:stop], more, self._layout.kind)
            own, sizes = rows[begin * width : stop * width], scales[4 * begin : 4 * stop]
            crc = checksums.passage_crc(document, start, end, spans, own, sizes)
            self._passages.append((slot + i, document, start, end, spans, crc))
            begin = stop
        return slot

    def _put(self, number: int, entry: Entry, first: int) -> None:
        text_crc = checksums.text_crc(entry.text)
        passages = len(entry.passages)
        crc = checksums.document_crc(number, entry.id, passages, entry.payload, text_crc)
        self._documents.append((number, entry.id, first, passages, entry.payload, text_crc, crc))
        if entry.text is not None:
            self._texts.append((number, entry.text))
        if self._words is not None:
            own = entry.words if entry.words is not None else cut_words(entry.text, entry.payload, entry.passages)
            self._words.put(number, own)
