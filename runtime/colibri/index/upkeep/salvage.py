"""A SQLite file whose pages are broken: what it still gives goes into a new one, which then takes its place."""

import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from colibri.errors import StoreDamaged
from colibri.index.storage import catalogue, notes, words
from colibri.index.storage.catalogue import SEGMENT_SHIFT, Catalogue
from colibri.index.storage.raw import RawSegment
from colibri.index.storage.row_layout import RowLayout
from colibri.index.storage.segments import numbers_in
from colibri.index.upkeep.words import opens

_KEPT_OPEN: dict[tuple[int, int], int] = {}
"""Device and inode -> descriptor of an SQLite file that was looked at without SQLite."""
_BROKEN = (sqlite3.DatabaseError, UnicodeDecodeError, OverflowError)


def rebuild_if_broken(shelf: Catalogue, folder: Path, facts: dict[str, str]) -> bool:
    """Under the writer's lock: write the SQLite file anew where its structure is broken; whether it was."""
    place = folder / catalogue.FILE_NAME
    mended = _mend_header(place)
    shelf.reset()
    mended |= _mend_schema(shelf, place)
    shelf.reset()
    try:
        with shelf.lent() as connection:
            checked = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            whole = catalogue.schema_is_whole(connection) and words.schema_is_whole(connection)
            connection.execute("BEGIN IMMEDIATE")
            if checked == ["ok"] and whole and opens(connection):
                return mended
    except StoreDamaged:
        pass
    target = folder / f"{catalogue.FILE_NAME}.repair"
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(place, isolation_level=None)) as old:
        _salvage(old, folder / "segments", target, facts)
        try:
            # As a transaction of the old file, so that whoever has it open goes on with the new content.
            with closing(sqlite3.connect(target)) as new:
                new.backup(old)
        except _BROKEN:
            replace = True
        else:
            replace = False
    shelf.reset()
    if replace:
        for end in ("-wal", "-shm"):
            place.with_name(place.name + end).unlink(missing_ok=True)
        target.replace(place)
    with suppress(OSError):
        target.unlink(missing_ok=True)
    return True


_HEADER = {
    # Bytes of the file's first page that are the same in every index (https://www.sqlite.org/fileformat2.html).
    0: b"SQLite format 3\0" + bytes([0x10, 0, 2, 2, 0, 64, 32, 32]),  # pages of 4,096, a log of its own
    44: bytes([0, 0, 0, 4]),  # format of the schema
    56: bytes([0, 0, 0, 1]),  # UTF-8
}


@contextmanager
def _beside_sqlite(place: Path) -> Iterator[int]:
    """The file's descriptor, at its beginning. It is never closed: that would let go of all locks that SQLite has on
    the file in this process, and whoever closes it elsewhere would take its log away from other handles
    (https://www.sqlite.org/howtocorrupt.html, 2.2)."""
    if sys.platform == "win32":  # where locks are an open file's own, and no open one can be removed
        with place.open("r+b", buffering=0) as file:
            yield file.fileno()
        return
    found = place.stat()
    key = (found.st_dev, found.st_ino)
    if key not in _KEPT_OPEN:
        _KEPT_OPEN[key] = os.open(place, os.O_RDWR | os.O_CLOEXEC)
    os.lseek(_KEPT_OPEN[key], 0, os.SEEK_SET)
    yield _KEPT_OPEN[key]


def _mend_header(place: Path) -> bool:
    """Put right what stands the same in every file; whether something did not."""
    with _beside_sqlite(place) as file:
        start = os.read(file, 60)
        wrong = [at for at, wanted in _HEADER.items() if start[at : at + len(wanted)] != wanted]
        if len(start) < 60 or not wrong:
            return False
        for at in wrong:
            os.lseek(file, at, os.SEEK_SET)
            os.write(file, _HEADER[at])
    return True


def _mend_schema(shelf: Catalogue, place: Path) -> bool:
    """Put right the page that defines the tables, where it cannot be read or says something else; whether it was so.

    It is the first one, after 100 bytes of header, and the same in every index.
    """
    try:
        with shelf.lent() as connection:
            if catalogue.schema_is_whole(connection):
                return False
    except StoreDamaged:
        pass
    with _beside_sqlite(place) as file:
        if len(os.read(file, catalogue.PAGE_BYTES)) < catalogue.PAGE_BYTES:
            return False
        os.lseek(file, 100, os.SEEK_SET)
        os.write(file, catalogue.expected_first_page()[100:])
    return True


def mend_facts(connection: sqlite3.Connection, folder: Path, facts: dict[str, str]) -> None:
    """Write every fact anew; counters that cannot be read are set beyond all that is in use."""
    documents = connection.execute(
        "SELECT max(coalesce((SELECT max(number) FROM documents), 0), "
        "coalesce((SELECT max(document) FROM passages), 0))"
    ).fetchone()[0]
    segments = max(numbers_in(folder).values(), default=0)
    known = {name: int(_fact(connection, name) or 0) for name in ("commits", "next_segment", "next_document")}
    facts = facts | {"format": _format(connection, facts)}
    # A reader must not take what comes for a commit that it knows.
    facts["commits"] = str(known["commits"] or time.time_ns() // 1_000_000)
    facts["next_segment"] = str(max(known["next_segment"], segments + 1))
    facts["next_document"] = str(max(known["next_document"], int(documents) + 1))
    kept = notes.whole(connection)
    connection.execute("DELETE FROM meta")
    own = {name: facts[name] for name in (*catalogue.FACTS, catalogue.POOL) if name in facts}
    for name, value in (own | kept).items():
        catalogue.write_fact(connection, name, value)


def _salvage(old: sqlite3.Connection, folder: Path, target: Path, facts: dict[str, str]) -> None:
    """Write a new SQLite file at `target` with every row that the old one still gives, looked up one by one."""
    with closing(sqlite3.connect(target, isolation_level=None)) as new:
        new.execute(f"PRAGMA page_size = {catalogue.PAGE_BYTES}")
        new.execute("PRAGMA auto_vacuum = INCREMENTAL")
        new.execute("BEGIN")
        facts = facts | {"format": _format(old, facts)}
        catalogue.make_tables(new, facts)
        if facts["format"] == str(words.FORMAT) and words.has_fts5():
            words.begin(new)  # empty: what repairs next fills it
        last = max(_salvage_passages(old, new, folder), int(_fact(old, "next_document") or 0), _highest(old))
        for number in range(1, last + 1):
            for table in ("documents", "texts"):
                _copy_row(old, new, table, number)
        with suppress(*_BROKEN):
            for name, value in notes.whole(old).items():
                catalogue.write_fact(new, name, value)
        commits = int(_fact(old, "commits") or 0)
        catalogue.write_fact(new, "commits", str(commits + 1 if commits else time.time_ns() // 1_000_000))
        new.execute("COMMIT")


def _salvage_passages(old: sqlite3.Connection, new: sqlite3.Connection, folder: Path) -> int:
    last = 0
    for number in sorted(set(numbers_in(folder).values())):
        raw = RawSegment(folder, number, RowLayout(1, "int8"))  # its offsets alone are asked for
        for place in range(raw.places):
            row = _copy_row(old, new, "passages", (number << SEGMENT_SHIFT) + place)
            if row is not None and isinstance(row[1], int) and row[1] < 1 << 40:
                last = max(last, row[1])
    return last


def _copy_row(old: sqlite3.Connection, new: sqlite3.Connection, table: str, key: int) -> tuple[object, ...] | None:
    try:
        # Not by a column's name, which may have changed: every row has its rowid, which is its first column.
        row: tuple[object, ...] | None = old.execute(f"SELECT * FROM {table} WHERE rowid = ?", (key,)).fetchone()
        if row is not None:
            row = (key, *row[1:])
            new.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    except _BROKEN:
        return None
    return row


def _fact(old: sqlite3.Connection, name: str) -> str | None:
    try:
        row = old.execute("SELECT value, crc FROM meta WHERE name = ?", (name,)).fetchone()
    except _BROKEN:
        return None
    if row is None or not isinstance(row[0], str) or row[1] != catalogue.fact_crc(name, row[0]):
        return None
    return str(row[0])


def _format(old: sqlite3.Connection, facts: dict[str, str]) -> str:
    """Another process may have given it words since this one opened it."""
    found = _fact(old, "format")
    return found if found in {"1", str(words.FORMAT)} else facts["format"]


def _highest(old: sqlite3.Connection) -> int:
    try:
        found = old.execute("SELECT max(number) FROM documents").fetchone()[0]
    except _BROKEN:
        return 0
    return found if isinstance(found, int) and found < 1 << 32 else 0
