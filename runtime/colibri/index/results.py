"""From the best passages to what a search returns, every part of it checked."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from colibri.artefact import Bounds, fit_of
from colibri.errors import StoreDamaged
from colibri.explain import Match, all_matches
from colibri.index.document import Hit, PassageHit, part_of
from colibri.index.ranking import Place
from colibri.index.scores import Scores
from colibri.index.storage.reading import MEND, PassageRow, Row, all_token_spans, by_number, passage_rows
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
    most = max(words.values(), default=0.0) or 1.0 if words is not None else 1.0
    places = places[wanted.offset :]
    scores.know(np.array([place.first + i for place in places for i in range(place.passages)], np.int64))
    shown: list[_Shown] = []
    for place in places:
        wanted.going()
        row = by_number(connection, place.document)
        if row is None:
            raise StoreDamaged(f"a passage without a document (slot {place.first}); {MEND}")
        added = [(words or {}).get(slot, 0.0) for slot in range(place.first, place.first + place.passages)]
        share = None if words is None else max(added) / most
        shown.append(_Shown(place, row, share, *_passages(connection, snapshot, scores, place, row, wanted, added)))
    wanted.going()
    passages = [passage for one in shown for passage in one.passages]
    why = iter(_explained(query, passages) if wanted.explain else [()] * len(passages))
    found = []
    for one in shown:
        text = one.row.shown_text
        parts = tuple(
            PassageHit(p.start, p.end, score, next(why), None if text is None else part_of(text, p.start, p.end))
            for p, score in zip(one.passages, one.scores, strict=True)
        )
        fit, score = fit_of(within, one.place.score), one.place.score
        payload = one.row.shown_payload
        found.append(Hit(one.row.id, score, score / total, text, payload, parts, one.share, fit, scores.screened))
    return found


@dataclass(frozen=True, eq=False)
class _Shown:
    """A document that is returned: what words say of it, its best passages and their scores."""

    place: Place
    row: Row
    share: float | None
    passages: list[PassageRow]
    scores: list[float]


def _passages(
    connection: sqlite3.Connection,
    snapshot: Snapshot,
    scores: Scores,
    place: Place,
    row: Row,
    wanted: Wanted,
    added: Sequence[float],
) -> tuple[list[PassageRow], list[float]]:
    own = scores.of(place.first, place.passages)
    if own is None:
        raise StoreDamaged(f"document {row.id!r}: lies where no passage is; {MEND}", (row.id,))
    order = np.argsort(-(own + np.array(added, np.float32)), kind="stable")[: wanted.passages]
    slots = [place.first + int(i) for i in order]
    return passage_rows(connection, snapshot, row, slots), own[order].tolist()


def _explained(query: TokenVectors, passages: Sequence[PassageRow]) -> list[tuple[Match, ...]]:
    spans = all_token_spans(passages)
    return all_matches(query, [(one.segment.docs, one.place, *own) for one, own in zip(passages, spans, strict=True)])
