"""An index that takes over what another one holds, its model, width and pool included: in one commit of its own SQLite
file.

Readers and writers in other processes keep the folder, the lock and the file that they have open; the next thing that
they do is of the new content (`Core.reading`). The other index lies on the same file system or is copied.
"""

import os
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from sqlite3 import Connection

from colibri.index.core import SEGMENTS, Core
from colibri.index.opening import write_facts_file
from colibri.index.storage import catalogue, segments, words
from colibri.index.storage.catalogue import SEGMENT_SHIFT
from colibri.index.storage.row_layout import RowLayout
from colibri.index.storage.segments import read_segments
from colibri.index.storage.transaction import Transaction

COPIED = ("dim", "scheme", "space_id", "model")
_WORDS = "words-cut.sqlite"  # beside the other index's files, for a while


def take_over(core: Core, other: Path, commits: int) -> bool:
    """Hold what `other`, which nobody has open, holds, and nothing else. Whether it was done: not when this index has
    seen other commits than `commits`."""
    with core.shelf.reading() as connection:
        if int(catalogue.read_facts(connection)["commits"]) != commits:
            return False
    ready = other / _WORDS if words.has_fts5() else None
    try:
        if ready is not None:
            words.cut_all(other / catalogue.FILE_NAME, ready)  # before the lock: of a large index it takes minutes
        return _taken_over(core, other, commits, ready)
    finally:
        if ready is not None:
            ready.unlink(missing_ok=True)


def _taken_over(core: Core, other: Path, commits: int, ready: Path | None) -> bool:
    with core.lock.held(), core.shelf.lent() as connection:
        if int(catalogue.read_facts(connection)["commits"]) != commits:
            return False
        attached = {"other": other / catalogue.FILE_NAME} | ({} if ready is None else {"ready": ready})
        try:
            for name, path in attached.items():
                connection.execute(f"ATTACH DATABASE ? AS {name}", (str(path.absolute()),))
            layout = RowLayout.of_facts(catalogue.standing_facts(connection, "other."))
            with core.taking_over(connection, layout) as transaction:
                _copy(core, connection, transaction, other)
                if ready is not None:
                    words.taken(connection, transaction.next_commit, "ready")
        finally:
            if connection.in_transaction:
                connection.rollback()
            there = {name for _, name, _ in connection.execute("PRAGMA database_list")}
            for name in attached.keys() & there:
                connection.execute(f"DETACH DATABASE {name}")
    core.follow()
    if ready is not None:
        core.facts["format"] = str(words.FORMAT)
    write_facts_file(core.folder, core.facts)
    return True


def _copy(core: Core, connection: Connection, transaction: Transaction, other: Path) -> None:
    run = connection.execute
    found = read_segments(connection, "other.")
    shift = transaction.next_segment - min((one.number for one in found), default=0)
    taken = [replace(one, number=one.number + shift) for one in found]
    for before, after in zip(found, taken, strict=True):
        for kind in segments.ALL_KINDS if before.signed else segments.KINDS:
            source = segments.file_of(other / SEGMENTS, before.number, kind)
            _link(source, segments.file_of(core.segments, after.number, kind))
    slots = shift << SEGMENT_SHIFT
    for table in ("documents", "texts", "passages"):
        run(f"DELETE FROM {table}")
    run(
        "INSERT INTO documents SELECT number, id, first + ?, passages, payload, text_crc, crc FROM other.documents",
        (slots,),
    )
    run("INSERT INTO texts SELECT number, text FROM other.texts")
    run(
        'INSERT INTO passages SELECT slot + ?, document, start, "end", spans, crc FROM other.passages ORDER BY slot',
        (slots,),
    )
    (next_document,) = run("SELECT value FROM other.meta WHERE name = 'next_document'").fetchone()
    transaction.take_all(taken, int(next_document))
    for name in COPIED:
        (value,) = run("SELECT value FROM other.meta WHERE name = ?", (name,)).fetchone()
        catalogue.write_fact(connection, name, value)
    found_pool = run("SELECT value FROM other.meta WHERE name = ?", (catalogue.POOL,)).fetchone()
    catalogue.write_fact(connection, catalogue.POOL, "1" if found_pool is None else found_pool[0])
    transaction.words = None


def _link(source: Path, target: Path) -> None:
    """A second name for a file that is on the disk, or a copy that is."""
    target.unlink(missing_ok=True)
    with suppress(OSError):
        os.link(source, target)
        return
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())
