"""From the best passages to what a search returns, every part of it checked."""

import sqlite3
from collections.abc import Sequence

import numpy as np

from colibri.artefact import Bounds, fit_of
from colibri.errors import StoreDamaged
from colibri.explain import matches
from colibri.index.document import Hit, PassageHit
from colibri.index.ranking import Place, Scored, best_documents
from colibri.index.storage.reading import MEND, Row, by_number, passage_rows
from colibri.index.storage.snapshot import Snapshot
from colibri.vectors import TokenVectors


def hits(
    connection: sqlite3.Connection,
    snapshot: Snapshot,
    query: TokenVectors,
    parts: Sequence[Scored],
    k: int,
    *,
    passages: int,
    explain: bool,
    within: Bounds | None = None,
) -> list[Hit]:
    """The k best documents for one query (TokenVectors of one text). within: the scores that fit it."""
    total = query.weight or 1.0
    found = []
    for place in best_documents(connection, parts, k):
        row = by_number(connection, place.document)
        if row is None:
            raise StoreDamaged(f"a passage without a document (slot {place.first}); {MEND}")
        shown = _passages(connection, snapshot, query, parts, place, row, passages, explain)
        fit = fit_of(within, place.score)
        found.append(Hit(row.id, place.score, place.score / total, row.shown_text, row.shown_payload, shown, fit))
    return found


def _passages(
    connection: sqlite3.Connection,
    snapshot: Snapshot,
    query: TokenVectors,
    parts: Sequence[Scored],
    place: Place,
    row: Row,
    count: int,
    explain: bool,
) -> tuple[PassageHit, ...]:
    part = next((p for p in parts if p.segment.base <= place.first < p.segment.base + len(p.scores)), None)
    if part is None:
        raise StoreDamaged(f"document {row.id!r}: lies where no passage is; {MEND}", (row.id,))
    begin = place.first - part.segment.base
    scores = part.scores[begin : begin + place.passages]
    order = np.argsort(-scores, kind="stable")[:count]
    slots = [place.first + int(i) for i in order]
    found = []
    for i, passage in zip(order, passage_rows(connection, snapshot, row, slots), strict=True):
        why = matches(query, passage.segment.docs, passage.place, passage.token_spans()) if explain else ()
        found.append(PassageHit(passage.start, passage.end, float(scores[i]), why))
    return tuple(found)
