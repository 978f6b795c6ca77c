"""The commit of what was staged: files get their names, documents their numbers, and SQLite their rows."""

import numpy as np

from colibri.index.storage import catalogue, segments
from colibri.index.storage.catalogue import SEGMENT_SHIFT
from colibri.index.storage.growing import there_is
from colibri.index.storage.renumbered import renumbered
from colibri.index.storage.staged import Staged
from colibri.index.storage.transaction import Transaction
from colibri.vectors import Offsets

_AT_ONCE = 4_096  # rows of SQLite
_PLACE = (1 << SEGMENT_SHIFT) - 1


def adopt(transaction: Transaction, staged: Staged, dim: int, *, replace: bool) -> None:
    """Make everything of `staged`, which is finished, part of a transaction.

    replace: whether documents take the place of those of their ids; else InputError for an id that is there
    """
    for documents in staged.documents(_AT_ONCE):
        ids = [found_id for _, found_id, *_ in documents]
        if replace:
            transaction.remove(ids)
        elif (known := next(filter(transaction.knows, ids), None)) is not None:
            raise there_is(known)
    shift = transaction.reserve(staged.highest) - 1
    bases: dict[int, int] = {}
    for number, appender in staged.segments.items():
        ends = np.fromfile(segments.file_at(appender.stem, "ends"), "<i8", appender.passages)
        bases[number] = transaction.take(appender.stem, appender.passages, appender.tokens)
        _passages(transaction, staged, number, bases[number], shift, np.diff(ends, prepend=0) * (dim + 4))
    for first, passages in staged.gone():
        transaction.forget_slots(bases[first >> SEGMENT_SHIFT] + (first & _PLACE), passages)
    run = transaction.connection.executemany
    for documents in staged.documents(_AT_ONCE):
        rows = []
        for number, found_id, first, passages, payload, text_crc in documents:
            slot = bases[first >> SEGMENT_SHIFT] + (first & _PLACE)
            crc = catalogue.document_crc(number + shift, found_id, passages, payload, text_crc)
            rows.append((number + shift, found_id, slot, passages, payload, text_crc, crc))
        run("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    run("INSERT INTO texts VALUES (?, ?)", ((number + shift, text) for number, text in staged.texts()))


def _passages(
    transaction: Transaction, staged: Staged, segment: int, base: int, shift: int, row_bytes: Offsets
) -> None:
    """Those of one segment, whose first slot is `base` now. row_bytes: by place, of rows and scales."""
    for rows in staged.passages(segment, _AT_ONCE):
        slots, documents, starts, ends, spans, crcs = zip(*rows, strict=True)
        places = np.array(slots, np.int64) & _PLACE
        packed_bytes = row_bytes[places] + np.array([0 if found is None else len(found) for found in spans])
        after = [number + shift for number in documents]
        new = renumbered(np.array(crcs, np.uint32), documents, after, packed_bytes)
        transaction.connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?)",
            zip((places + base).tolist(), after, starts, ends, spans, new.tolist(), strict=True),
        )
