"""Verify, repair, compact, and count what an open index holds."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from sqlite3 import Connection
from time import sleep

from colibri.errors import StoreDamaged, StoreError
from colibri.index import ranking
from colibri.index.core import Core
from colibri.index.document import Document
from colibri.index.ingest import Ingest, Within
from colibri.index.opening import write_facts_file
from colibri.index.rules import Rules
from colibri.index.storage import catalogue, words
from colibri.index.storage.lock import LONGEST_WAIT
from colibri.index.storage.row_layout import RowKind
from colibri.index.storage.segments import Committed
from colibri.index.upkeep import compact as compacting
from colibri.index.upkeep import repair as repairing
from colibri.index.upkeep import verify as verifying
from colibri.index.upkeep import words as wording
from colibri.index.upkeep.repair import Repair
from colibri.index.upkeep.salvage import mend_facts, rebuild_if_broken
from colibri.index.upkeep.verify import Verification
from colibri.machine import progress_bar
from colibri.tokens import OVERLAP_TOKENS, PASSAGE_TOKENS

_AGAIN = Rules(replace=True, keep_text=True, passage_tokens=PASSAGE_TOKENS, overlap_tokens=OVERLAP_TOKENS)


@dataclass(frozen=True)
class Stats:
    """What an index holds.

    passages, tokens  that count; tokens that were pooled are one
    gone_tokens       of deleted passages, whose bytes `compact` frees
    disk_bytes        of all its files
    words_bytes       of those, what words take; 0 where it has none
    no_words          why it cannot be searched by words; None: it can
    signed_tokens     of those that are on the disk, how many have their sign bits
    no_screen         why a search of 32 tokens, k up to 12, scores every passage by its rows; None: sign bits screen it
    rows              what they are kept as: int8 or int4
    """

    documents: int
    passages: int
    tokens: int
    gone_tokens: int
    segments: int
    disk_bytes: int
    dim: int
    pool: int
    model: str
    space_id: str
    words_bytes: int
    no_words: str | None
    signed_tokens: int
    no_screen: str | None
    rows: RowKind


def stats(core: Core) -> Stats:
    """Of the newest commit."""
    with core.reading() as (connection, snapshot):
        documents = connection.execute("SELECT count(*) FROM documents").fetchone()[0]
        words_bytes = words.size(connection) if words.has_table(connection) else 0
        no_words = words.why_none(connection)
    tokens = gone = passages = 0
    for segment in snapshot.segments:
        lengths = segment.docs.starts[1:] - segment.docs.starts[:-1]
        tokens += int(lengths[~segment.gone].sum())
        gone += int(lengths[segment.gone].sum())
        passages += int((~segment.gone).sum())
    size = 0
    for path in core.folder.rglob("*"):
        with suppress(OSError):
            size += path.stat().st_size if path.is_file() else 0
    return Stats(
        documents=documents,
        passages=passages,
        tokens=tokens,
        gone_tokens=gone,
        segments=len(snapshot.segments),
        disk_bytes=size,
        dim=core.dim,
        pool=core.pool,
        model=core.facts["model"],
        space_id=core.space_id,
        words_bytes=words_bytes,
        no_words=no_words,
        signed_tokens=sum(len(segment.docs.rows) for segment in snapshot.segments if segment.signs is not None),
        no_screen=ranking.why_no_screen(snapshot, core.dim),
        rows=core.layout.kind,
    )


def compact(core: Core) -> int:
    """See `Index.compact`."""
    freed, left = 0, None
    while left is None or left:
        if left:
            sleep(LONGEST_WAIT)  # whoever waits for the lock tries at least so often
        with core.writing() as transaction:
            wanted = compacting.worth_moving(transaction.committed) if left is None else left
            bytes_freed, left = compacting.compact(transaction, core.segments, core.layout, wanted)
        freed += bytes_freed
    for _ in wording.merged(core):
        sleep(LONGEST_WAIT)
    core.give_back()
    return freed


def verify(core: Core, *, show: bool) -> Verification:
    """See `Index.verify`."""
    try:
        return _verified(core, show)
    except StoreDamaged as error:
        return Verification(0, 0, (), (str(error),))


def _verified(core: Core, show: bool) -> Verification:
    found = _structure_of_words(core)
    with core.shelf.reading() as connection:
        with core.lock.held_if_writable():  # so that no compaction takes a file away between looking and mapping
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            raws = verifying.mapped(core.segments, core.layout_in(connection))
        total = connection.execute("SELECT count(*) FROM documents").fetchone()[0] if show else None
        with progress_bar(total, "verifying", show) as done:
            rest = verifying.verify(connection, raws, done)
    return replace(rest, problems=(*rest.problems, *found))


def _structure_of_words(core: Core) -> list[str]:
    """Whoever cannot write has SQLite's own check, which looks at words from SQLite 3.44 on."""
    if not os.access(core.folder, os.W_OK):
        return []
    with core.lock.held(), core.shelf.lent() as connection:
        connection.execute("BEGIN IMMEDIATE")
        return wording.structure(connection)


def repair(core: Core) -> Repair:
    """See `Index.repair`."""
    with core.lock.held():
        with suppress(StoreDamaged):  # another process may have converted the rows since this one opened the index
            core.follow()
        rebuilt = rebuild_if_broken(core.shelf, core.folder, core.facts)

        def mended(connection: Connection) -> list[Committed]:
            mend_facts(connection, core.segments, core.facts)
            return repairing.committed_by_passages(connection, core.segments, core.layout)

        with core.mending(mended) as transaction:

            def encode(documents: Sequence[Document]) -> None:
                within = Within(transaction, replace=_AGAIN.replace)
                ingest = Ingest(within, _AGAIN, core.layout, core.space_id, pool=core.pool)
                ingest.run(documents, core.model, lambda tokens: None)

            found = repairing.repair(transaction, core.segments, core.layout, encode if core.can_encode else None)
            transaction.flush()
            facts = catalogue.read_facts(transaction.connection)
            if facts["format"] == str(words.FORMAT) and words.has_fts5():
                for _ in words.made_anew(transaction.connection, transaction.next_commit):
                    pass
            transaction.sign()
        core.facts["format"] = facts["format"]
        with suppress(StoreError):
            write_facts_file(core.folder, core.facts)
    return replace(found, rebuilt=rebuilt)
