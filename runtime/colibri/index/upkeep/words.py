"""Whether words are those of their documents, and how what deleted ones take is freed."""

import sqlite3
from collections.abc import Iterator

from colibri.index.core import Core
from colibri.index.storage import words

_AT_ONCE = 10_000
_MERGED_PAGES = 2_000  # of words at once: 8 MB, some 100 ms
_EXPECTED = "CREATE VIRTUAL TABLE temp.expected USING fts5(text, about, content = '', tokenize = 'ascii')"
_PLACES = "SELECT term, doc, col, offset FROM {}"


def problems(connection: sqlite3.Connection) -> list[str]:
    """What differs between the words and those that the texts have, within a transaction of a reader; in words."""
    if words.is_without(connection):
        return []
    if not words.has_fts5():
        return [f"words: not looked at; {words.NO_FTS5}"]
    if not words.schema_is_whole(connection):
        return ["words: the definition of a table changed"]
    if words.why_none(connection) == words.BEHIND:
        return [f"words: {words.BEHIND}"]
    return ["words: they are not those of the documents"] if _differ(connection) else []


def structure(connection: sqlite3.Connection) -> list[str]:
    """FTS5's own check of its table, in a transaction that writes nothing."""
    if words.is_without(connection) or not words.has_fts5():
        return []
    try:
        connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    except sqlite3.DatabaseError as error:
        return [f"words: {error}"]
    return []


# A table that was emptied has zeros where a new one has nothing.
_TOTALS = "SELECT CASE trim(hex(block), '0') WHEN '' THEN '' ELSE hex(block) END FROM {} WHERE id = 1"


def _differ(connection: sqlite3.Connection) -> bool:
    """Whether a table that is made now, apart, holds anything else. It goes with the transaction."""
    run = connection.execute
    run(_EXPECTED)
    run("CREATE VIRTUAL TABLE temp.expected_places USING fts5vocab(temp, expected, instance)")
    run("CREATE VIRTUAL TABLE temp.found_places USING fts5vocab(main, words, instance)")
    for _ in words.filled(connection, words.shift_of(connection), "temp.expected"):
        pass
    pairs = [
        (_PLACES.format("temp.found_places"), _PLACES.format("temp.expected_places")),
        ("SELECT id, sz FROM words_docsize ORDER BY id", "SELECT id, sz FROM temp.expected_docsize ORDER BY id"),
        # How many words there are in all.
        (_TOTALS.format("words_data"), _TOTALS.format("temp.expected_data")),
    ]
    return any(_differs(run(one), run(other)) for one, other in pairs)


def _differs(one: sqlite3.Cursor, other: sqlite3.Cursor) -> bool:
    while rows := one.fetchmany(_AT_ONCE):
        if rows != other.fetchmany(_AT_ONCE):
            return True
    return other.fetchone() is not None


def opens(connection: sqlite3.Connection) -> bool:
    """Whether FTS5 can at least empty its table. Within a transaction that is taken back."""
    try:
        if words.has_table(connection) and words.has_fts5():
            connection.execute("INSERT INTO words (words) VALUES ('delete-all')")
    except sqlite3.DatabaseError:
        return False
    return True


def merged(core: Core) -> Iterator[None]:
    """What deleted words take is freed, some of it at each step, which is a transaction."""
    pages = -_MERGED_PAGES  # below 0: begins to merge whatever there is
    while True:
        with core.writing() as transaction:
            before = transaction.connection.total_changes
            if transaction.words is None or words.is_one(transaction.connection):
                return
            transaction.connection.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (pages,))
            if transaction.connection.total_changes - before < 2:  # as https://www.sqlite.org/fts5.html#merge has it
                return
        pages = _MERGED_PAGES
        yield
