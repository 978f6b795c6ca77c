"""What an index was made without, or has of another kind: words, sign bits, rows of int4 or int8."""

from collections.abc import Callable

import numpy as np

from colibri.errors import StoreDamaged, StoreError
from colibri.index.core import Core
from colibri.index.opening import write_facts_file
from colibri.index.storage import catalogue, checksums, words
from colibri.index.storage.growing import PassageRow
from colibri.index.storage.raw import RawSegment, place_of
from colibri.index.storage.row_layout import RowKind, RowLayout, checked_layout
from colibri.index.storage.token_spans import packed, unpacked
from colibri.index.storage.transaction import Transaction
from colibri.index.upkeep.compact import move_all, put
from colibri.index.upkeep.verify import intact
from colibri.machine import progress_bar


def convert(core: Core, rows: RowKind | None, *, show: bool) -> int:
    """See `Index.convert`."""
    if not words.has_fts5():
        raise StoreError(f"{core.folder}: cannot have words: {words.NO_FTS5}")
    core.follow()
    before = core.layout
    after = before if rows is None else checked_layout(before.dim, rows)
    with core.writing(ready=before, after=after) as transaction:
        connection = transaction.connection
        lacking = words.why_none(connection) not in {None, words.NO_TEXTS}
        (total,) = connection.execute("SELECT count(*) FROM documents").fetchone()
        if lacking:
            with progress_bar(total, "adding words", show) as done:
                for some in words.made_anew(connection, transaction.next_commit):
                    done(some)
        if after != before:
            with progress_bar(total, f"making {after.kind} rows", show) as done:
                _rewrite(core, transaction, before, after, done)
        signed = transaction.sign()
    if lacking:
        core.facts["format"] = str(words.FORMAT)
    core.follow()
    if lacking or after != before:
        write_facts_file(core.folder, core.facts)
    if after != before:
        core.give_back()
    return int(total) if lacking or signed or after != before else 0


def _rewrite(
    core: Core, transaction: Transaction, before: RowLayout, after: RowLayout, done: Callable[[int], object]
) -> None:
    """Every passage's rows as others, in segments of their own; the old ones go with the commit."""

    def write(transaction: Transaction, raw: RawSegment, found: list[tuple[int, *PassageRow]]) -> int:
        for row in found:
            # A new checksum would make what changed on disk whole.
            if not intact(raw, *row):
                raise StoreDamaged(
                    f"a passage changed on disk (slot {row[0]}); nothing was converted: `colibri index --verify` says "
                    "what is hit, --repair mends it"
                )
        if not found:
            return 0
        vectors = raw.vectors([place_of(row[0]) for row in found]).quantize(after.kind)
        assert vectors.scales is not None
        bounds = vectors.starts.tolist()
        kept = []
        for i, (_, document, start, end, before_spans, _) in enumerate(found):
            own = slice(bounds[i], bounds[i + 1])
            spans = packed(*unpacked(before_spans, own.stop - own.start), after.kind)
            own_rows = vectors.rows[own].data.cast("B")
            own_scales = np.ascontiguousarray(vectors.scales[own], "<f4").data.cast("B")
            crc = checksums.passage_crc(document, start, end, spans, own_rows, own_scales)
            kept.append((document, start, end, spans, crc))
        put(transaction, vectors, kept)
        done(len({row[1] for row in found}))
        return len(vectors.rows)

    numbers = [segment.number for segment in transaction.committed]
    for number in numbers:
        transaction.drop_segment(number)
    for number in numbers:
        move_all(transaction, RawSegment(core.segments, number, before), write)
    catalogue.write_fact(transaction.connection, "scheme", after.scheme)
