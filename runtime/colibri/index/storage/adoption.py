"""The commit of what was staged: files get their names, documents their numbers, and SQLite their rows."""

import numpy as np

from colibri.index.storage import segments
from colibri.index.storage.catalogue import SEGMENT_SHIFT
from colibri.index.storage.growing import there_is
from colibri.index.storage.renumbered import DOCUMENT_HEAD, PASSAGE_HEAD, renumbered
from colibri.index.storage.row_layout import RowLayout
from colibri.index.storage.staged import Staged
from colibri.index.storage.transaction import Transaction
from colibri.vectors import Offsets

_AT_ONCE = 4_096  # rows of SQLite
_PLACE = (1 << SEGMENT_SHIFT) - 1


def adopt(transaction: Transaction, staged: Staged, layout: RowLayout, *, replace: bool) -> None:
    """Make everything of `staged`, which is finished, part of a transaction.

    replace: whether documents take the place of those of their ids; else InputError for an id that is there
    """
    for ids in staged.ids(_AT_ONCE):
        if replace:
            transaction.remove(ids)
        elif (known := transaction.known(ids)) is not None:
            raise there_is(known)
    shift = transaction.reserve(staged.highest) - 1
    bases: dict[int, int] = {}
    for number, appender in staged.segments.items():
        ends = np.fromfile(segments.file_at(appender.stem, "ends"), "<i8", appender.passages)
        bases[number] = transaction.take(appender)
        _passages(transaction, staged, number, bases[number], shift, np.diff(ends, prepend=0) * layout.token_bytes)
    for first, passages in staged.gone():
        transaction.forget_slots(bases[first >> SEGMENT_SHIFT] + (first & _PLACE), passages)
    _documents(transaction, staged, bases, shift)
    run = transaction.connection.executemany
    run("INSERT INTO texts VALUES (?, ?)", ((number + shift, text) for number, text in staged.texts()))
    if transaction.words is not None:
        for number, rows in staged.words():
            transaction.words.put(number + shift, rows)
            if transaction.words.waiting >= _AT_ONCE:
                transaction.words.flush()


def _documents(transaction: Transaction, staged: Staged, bases: dict[int, int], shift: int) -> None:
    for rows in staged.documents(_AT_ONCE):
        numbers, ids, firsts, passages, payloads, text_crcs, crcs, behind = zip(*rows, strict=True)
        before = np.array(numbers, np.int64)
        slots = [bases[first >> SEGMENT_SHIFT] + (first & _PLACE) for first in firsts]
        new = renumbered(np.array(crcs, np.uint32), before, before + shift, np.array(behind, np.int64) + DOCUMENT_HEAD)
        transaction.connection.executemany(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)",
            zip((before + shift).tolist(), ids, slots, passages, payloads, text_crcs, new.tolist(), strict=True),
        )


def _passages(
    transaction: Transaction, staged: Staged, segment: int, base: int, shift: int, row_bytes: Offsets
) -> None:
    """Those of one segment, whose first slot is `base` now. row_bytes: by place, of rows and scales."""
    for rows in staged.passages(segment, _AT_ONCE):
        slots, documents, starts, ends, spans, crcs = zip(*rows, strict=True)
        places = np.array(slots, np.int64) & _PLACE
        behind = row_bytes[places] + np.array([0 if found is None else len(found) for found in spans]) + PASSAGE_HEAD
        before = np.array(documents, np.int64)
        new = renumbered(np.array(crcs, np.uint32), before, before + shift, behind)
        transaction.connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?)",
            zip((places + base).tolist(), (before + shift).tolist(), starts, ends, spans, new.tolist(), strict=True),
        )
