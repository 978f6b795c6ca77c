"""From the best passages to what a search returns, every part of it checked."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from colibri.artefact import Bounds, fit_of
from colibri.errors import StoreDamaged
from colibri.explain import matches
from colibri.index.document import Hit, PassageHit, part_of
from colibri.index.ranking import Place
from colibri.index.scores import Scores
from colibri.index.storage.reading import MEND, Row, by_number, passage_rows
from colibri.index.storage.snapshot import Snapshot
from colibri.index.wanted import Wanted
from colibri.vectors import TokenVectors


def hits(
    connection: sqlite3.Connection,
    snapshot: Snapshot,
    query: TokenVectors,
    scores: Scores,
    places: Sequence[Place],
    wanted: Wanted,
    words: Mapping[int, float] | None = None,
    within: Bounds | None = None,
) -> list[Hit]:
    """Those behind the first `offset` of documents in their order, for one query (TokenVectors of one text).

    words: what they add to the scores of slots when passages are put in order; None: they were not asked for
    within: the scores that fit the query
    """
    total = query.weight or 1.0
    if wanted.min_score is not None:  # by the very number that a hit will show
        places = [place for place in places if place.score / total >= wanted.min_score]
    found = []
    most = max(words.values(), default=0.0) or 1.0 if words is not None else 1.0
    for place in places[wanted.offset :]:
        wanted.going()
        row = by_number(connection, place.document)
        if row is None:
            raise StoreDamaged(f"a passage without a document (slot {place.first}); {MEND}")
        added = [(words or {}).get(slot, 0.0) for slot in range(place.first, place.first + place.passages)]
        shown = _passages(connection, snapshot, query, scores, place, row, wanted, added)
        text = row.shown_text
        if text is not None:
            shown = tuple(replace(one, text=part_of(text, one.start, one.end)) for one in shown)
        share = None if words is None else max(added) / most
        fit = fit_of(within, place.score)
        found.append(
            Hit(row.id, place.score, place.score / total, text, row.shown_payload, shown, share, fit, scores.screened)
        )
    return found


def _passages(
    connection: sqlite3.Connection,
    snapshot: Snapshot,
    query: TokenVectors,
    scores: Scores,
    place: Place,
    row: Row,
    wanted: Wanted,
    added: Sequence[float],
) -> tuple[PassageHit, ...]:
    own = scores.of(place.first, place.passages)
    if own is None:
        raise StoreDamaged(f"document {row.id!r}: lies where no passage is; {MEND}", (row.id,))
    order = np.argsort(-(own + np.array(added, np.float32)), kind="stable")[: wanted.passages]
    slots = [place.first + int(i) for i in order]
    found = []
    for i, passage in zip(order, passage_rows(connection, snapshot, row, slots), strict=True):
        why = matches(query, passage.segment.docs, passage.place, *passage.token_spans()) if wanted.explain else ()
        found.append(PassageHit(passage.start, passage.end, float(own[i]), why))
    return tuple(found)
