"""The words of passages, in FTS5's table beside the rows that they are of: one transaction changes both.

    words            contentless: `text`, and `about` for words that stand nowhere in it; a row a passage that has words
    meta.words       how far documents' numbers are shifted in a row's number: number << words | place of its passage
    meta.worded      the commit that the words are of; another than `commits` where a program wrote that knows no words

What a document's words are follows from its text, payload and passages alone, so that they can be taken out by the very
words that were put in, which is all that FTS5 offers for a contentless table before SQLite 3.43. Passages of a document
are next to each other, whatever moves their rows: a document takes as many numbers as it has passages.
"""

import json
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path

from colibri.errors import StoreError
from colibri.index.about import about
from colibri.index.storage.catalogue import fact_crc, write_fact
from colibri.index.storage.checksums import document_crc, text_crc
from colibri.index.storage.passage_words import WordRow, cut
from colibri.vectors import Span

FORMAT = 2
"""Of an index with words; of one without them it is 1."""
NONE_YET = "it was made without words, which `colibri index --convert` adds"
NO_FTS5 = "the SQLite of this Python has no FTS5"
NO_TEXTS = "its documents were indexed without keeping their texts"
BEHIND = "its words are not those of its documents any more; `colibri index --repair` makes them anew"

_TABLE = "CREATE VIRTUAL TABLE words USING fts5(text, about, content = '', tokenize = 'ascii')"
_AT_ONCE = 1_024


@cache
def has_fts5() -> bool:
    """Whether this Python's SQLite can keep words."""
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute(_TABLE)
        except sqlite3.Error:
            return False
    return True


def make_table(connection: sqlite3.Connection) -> None:
    """Within a transaction: an empty table of words."""
    connection.execute(_TABLE)


def begin(connection: sqlite3.Connection) -> None:
    """Within the transaction that makes an index: an empty table of words, and what the facts say of it."""
    make_table(connection)
    for name in ("words", "worded"):
        write_fact(connection, name, "0")


def definition() -> set[tuple[str, str, str, str]]:
    """What SQLite's schema says of the table and FTS5's own ones behind it: type, name, table, statement."""
    with closing(sqlite3.connect(":memory:")) as connection:
        make_table(connection)
        return set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))


def schema_is_whole(connection: sqlite3.Connection) -> bool:
    """Whether there is the table as it was made, or none where none was."""
    found = set(
        connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name LIKE 'words%'").fetchall()
    )
    if not found:
        return is_without(connection)
    return not has_fts5() or found == definition()


def is_without(connection: sqlite3.Connection) -> bool:
    """Whether the index was made without words."""
    return _facts(connection).get("format") == "1"


def is_one(connection: sqlite3.Connection) -> bool:
    """Whether there is nothing to merge."""
    found: int = connection.execute("SELECT count(DISTINCT segid) FROM words_idx").fetchone()[0]
    return found < 2


def has_table(connection: sqlite3.Connection) -> bool:
    """Whether there is a table of words, whole or not."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'words'").fetchone() is not None


def why_none(connection: sqlite3.Connection) -> str | None:
    """Why the commit that a transaction sees cannot be searched by words; None: it can."""
    facts = _facts(connection)
    if facts.get("format") == "1":
        return NONE_YET
    if not has_fts5():
        return NO_FTS5
    if not _are_current(facts):
        return BEHIND
    return NO_TEXTS if _has_none(connection) else None


def shift_of(connection: sqlite3.Connection) -> int:
    """How far numbers are shifted."""
    return int(_facts(connection)["words"])


def writable(connection: sqlite3.Connection) -> "Words | None":
    """The words that a transaction must keep right; None: there are none, or they are behind and stay so.

    Raises StoreError where there are words, and this Python cannot write them.
    """
    facts = _facts(connection)
    if facts.get("format", "1") == "1":
        return None
    if not has_fts5():
        raise StoreError(
            f"this index keeps words, and {NO_FTS5}: it can be searched by meaning, and not be written; use a Python "
            "with a SQLite that has it"
        )
    return Words(connection, int(facts["words"])) if _are_current(facts) else None


class Words:
    """Words that follow their documents within one transaction."""

    def __init__(self, connection: sqlite3.Connection, shift: int, table: str = "words") -> None:
        self._connection = connection
        self._table = table
        self._shift = shift
        self._waiting: list[WordRow] = []
        self.lost = False
        """Whether a document went whose words nobody can tell any more."""

    def put(self, number: int, rows: Iterable[WordRow]) -> None:
        """The words of a document that is there from now on, by its passages' places. Handed to SQLite by `flush`."""
        self._waiting += self._numbered(number, rows)

    @property
    def waiting(self) -> int:
        """Rows that are buffered."""
        return len(self._waiting)

    def flush(self) -> None:
        """Hand what is buffered to SQLite."""
        waiting, self._waiting = self._waiting, []
        self._connection.executemany(f"INSERT INTO {self._table} (rowid, text, about) VALUES (?, ?, ?)", waiting)

    def take_out(self, numbers: Iterable[int]) -> None:
        """Documents that will not be there, while they still are. One that changed on disk leaves words behind."""
        self.flush()
        gone: list[WordRow] = []
        for number in numbers:
            found = whole(self._connection, number)
            if found is None:
                self.lost = True
                continue
            gone += self._numbered(number, cut_words(*found))
        self._delete(gone)

    def change(self, number: int, before: str | None, after: str | None) -> None:
        """Another payload for a document, before it is written."""
        if about_of(before) == about_of(after):
            return
        self.take_out([number])
        found = whole(self._connection, number)
        if found is not None:
            self.put(number, cut_words(found[0], after, found[2]))
            self.flush()

    def commit(self, commits: int) -> None:
        """Within the transaction that makes this commit."""
        self.flush()
        if not self.lost:
            write_fact(self._connection, "worded", str(commits))

    def _delete(self, rows: Sequence[WordRow]) -> None:
        self._connection.executemany("INSERT INTO words (words, rowid, text, about) VALUES ('delete', ?, ?, ?)", rows)

    def _numbered(self, number: int, rows: Iterable[WordRow]) -> list[WordRow]:
        first = number << self._shift
        return [(first + place, words, said) for place, words, said in rows]


def cut_words(text: bytes | None, payload: str | None, spans: Sequence[Span]) -> list[WordRow]:
    """The words of a document as it is stored, by its passages' places (see `cut`). What takes long of indexing them:
    so it is done before the writer's lock is taken, where many documents come."""
    return cut(None if text is None else text.decode("utf-8", "surrogatepass"), spans, about_of(payload))


def whole(connection: sqlite3.Connection, number: int) -> tuple[bytes | None, str | None, list[Span]] | None:
    """Text, payload and passages of a document; None where they are not what was written."""
    row = connection.execute(
        "SELECT d.id, d.passages, d.payload, d.text_crc, d.crc, t.text FROM documents AS d "
        "LEFT JOIN texts AS t ON t.number = d.number WHERE d.number = ?",
        (number,),
    ).fetchone()
    if row is None:
        return None
    found_id, passages, payload, crc_of_text, crc, text = row
    try:
        same = crc == document_crc(number, found_id, passages, payload, crc_of_text) and crc_of_text == text_crc(text)
    except (TypeError, AttributeError, ValueError, OverflowError, struct.error):  # damage can make a number a text
        return None
    spans = connection.execute(
        'SELECT p.start, p."end" FROM documents AS d JOIN passages AS p ON p.slot >= d.first '
        "AND p.slot < d.first + d.passages WHERE d.number = ? ORDER BY p.slot",
        (number,),
    ).fetchall()
    if not same or len(spans) != passages or not all(isinstance(at, int) for span in spans for at in span):
        return None
    return text, payload, [Span(*span) for span in spans]


def filled(connection: sqlite3.Connection, shift: int, table: str = "words") -> Iterator[int]:
    """Put the words of every document into a table; yields how many documents, some at a time. Those that changed on
    disk have none."""
    own = Words(connection, shift, table)
    numbers = [number for (number,) in connection.execute("SELECT number FROM documents ORDER BY number")]
    for first in range(0, len(numbers), _AT_ONCE):
        some = numbers[first : first + _AT_ONCE]
        for number in some:
            found = whole(connection, number)
            if found is not None:
                own.put(number, cut_words(*found))
        own.flush()
        yield len(some)


def cut_all(catalogue: Path, target: Path) -> None:
    """Write the words of all documents of an index, by its SQLite file, into a new file, as `taken` takes them.

    Raises OSError, sqlite3.Error.
    """
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(target, isolation_level=None)) as made, closing(sqlite3.connect(catalogue)) as found:
        made.execute("PRAGMA journal_mode = OFF")  # nobody reads it after a crash
        made.execute("PRAGMA synchronous = OFF")
        made.execute("BEGIN")
        made.execute("CREATE TABLE cut (number INTEGER, place INTEGER, text TEXT, about TEXT)")
        for (number,) in found.execute("SELECT number FROM documents ORDER BY number").fetchall():
            own = whole(found, number)
            rows = [] if own is None else cut_words(*own)
            made.executemany("INSERT INTO cut VALUES (?, ?, ?, ?)", [(number, *row) for row in rows])
        made.execute("COMMIT")


def taken(connection: sqlite3.Connection, commits: int, schema: str) -> None:
    """As `made_anew`, with words that `cut_all` wrote into a file that is attached by this name."""
    shift = _emptied(connection)
    connection.execute(
        "INSERT INTO words (rowid, text, about) "
        f"SELECT (number << ?) + place, text, about FROM {schema}.cut ORDER BY rowid",
        (shift,),
    )
    _note(connection, shift, commits)


def made_anew(connection: sqlite3.Connection, commits: int) -> Iterator[int]:
    """Within a transaction that will be this commit: the words of all documents in place of those that are there."""
    shift = _emptied(connection)
    yield from filled(connection, shift)
    _note(connection, shift, commits)


def _emptied(connection: sqlite3.Connection) -> int:
    """An empty table, and how far the numbers in it are to be shifted."""
    if has_table(connection):
        connection.execute("INSERT INTO words (words) VALUES ('delete-all')")
    else:
        make_table(connection)
    return _least_shift(connection)


def _note(connection: sqlite3.Connection, shift: int, commits: int) -> None:
    for name, value in (("format", str(FORMAT)), ("words", str(shift)), ("worded", str(commits))):
        write_fact(connection, name, value)


def size(connection: sqlite3.Connection) -> int:
    """Bytes of all that FTS5 keeps for them."""
    found: int = connection.execute(
        "SELECT (SELECT coalesce(sum(length(block)), 0) FROM words_data) + (SELECT coalesce(sum(length(sz) + 8), 0) "
        "FROM words_docsize) + (SELECT coalesce(sum(length(term) + 12), 0) FROM words_idx)"
    ).fetchone()[0]
    return found


def _least_shift(connection: sqlite3.Connection) -> int:
    """So that no two passages have one number: 0 where documents took as many numbers as they have passages."""
    least, before, passages = 0, None, 0
    for number, count in connection.execute("SELECT number, passages FROM documents ORDER BY number"):
        if before is not None:
            while passages > (number - before) << least:
                least += 1
        before, passages = number, count
    return least


def _has_none(connection: sqlite3.Connection) -> bool:
    """Whether there are documents, and none of them has a word."""
    some: int = connection.execute(
        "SELECT NOT EXISTS (SELECT 1 FROM words_docsize) AND EXISTS (SELECT 1 FROM documents) "
        "AND NOT EXISTS (SELECT 1 FROM texts)"
    ).fetchone()[0]
    return bool(some)


def _facts(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute(
        "SELECT name, value, crc FROM meta WHERE name IN ('format', 'words', 'worded', 'commits')"
    )
    return {name: value for name, value, crc in rows if isinstance(value, str) and crc == fact_crc(name, value)}


def _are_current(facts: dict[str, str]) -> bool:
    return "words" in facts and "commits" in facts and facts.get("worded") == facts["commits"]


def about_of(payload: str | None) -> str:
    """The words about a document that its stored payload has; "" for none."""
    return about(json.loads(payload)) if payload is not None and '"about"' in payload else ""
