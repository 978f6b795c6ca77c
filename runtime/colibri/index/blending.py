"""Meaning and words in one ranking: which documents a query of words leaves, and in which order.

A document's place is by the MaxSim of its best passage, stretched so that the best is 1 and the hundredth is 0, plus
WEIGHT times its BM25 over the best one's (benchmarks/quality/bench_words.py; reciprocal rank fusion loses there).
"""

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from colibri.errors import StoreDamaged
from colibri.index import by_words, ranking
from colibri.index.asking import Asked
from colibri.index.by_words import Found
from colibri.index.document import Hit, PassageHit, part_of
from colibri.index.ranking import Place
from colibri.index.scores import Scores
from colibri.index.storage.reading import MEND, by_number, passage_rows
from colibri.index.storage.snapshot import Snapshot
from colibri.index.wanted import Wanted
from colibri.vectors import Offsets

WEIGHT = 0.2
"""Of BM25. 0.5 where a word stands in one or two documents finds names better still, and loses a point on some sets
(benchmarks/NOTES.md)."""
STRETCHED = 100
"""Documents whose scores are stretched to 0 to 1."""


def narrowed(
    connection: sqlite3.Connection, snapshot: Snapshot, asked: Asked, chosen: dict[int, Offsets] | None
) -> dict[int, Offsets] | None:
    """Segment -> places of the passages that a query's phrases and exclusions leave of `chosen`, rising."""
    if asked.required:
        numbers = reduce(np.intersect1d, (by_words.having(connection, phrase) for phrase in asked.required))
        found = ranking.places_of(connection, numbers.tolist())
        chosen = (
            found
            if chosen is None
            else {
                segment: np.intersect1d(places, found[segment], assume_unique=True)
                for segment, places in chosen.items()
                if segment in found
            }
        )
    if asked.excluded:
        out = reduce(np.union1d, (by_words.having(connection, phrase) for phrase in asked.excluded))
        gone = ranking.places_of(connection, out.tolist())
        if chosen is None:
            chosen = {
                one.number: np.arange(len(one.docs), dtype=np.int64) if one.live is None else one.live
                for one in snapshot.segments
            }
        nothing = np.zeros(0, np.int64)
        chosen = {
            segment: np.setdiff1d(places, gone.get(segment, nothing), assume_unique=True)
            for segment, places in chosen.items()
        }
    return chosen


def blended(
    connection: sqlite3.Connection,
    scores: Scores,
    rows: Sequence[Found],
    k: int,
    least_score: float,
) -> tuple[list[Place], dict[int, float]]:
    """The k best documents by both, and what words add to each slot.

    rows         what words found, best first, all of it scored
    least_score  of the documents
    """
    best = ranking.best_documents(connection, scores, max(k, STRETCHED))
    if not best or not rows or not math.isfinite(best[0].score):  # what is damaged ranks first, and will be told
        return [place for place in best if place.score >= least_score][:k], {}
    least = best[min(len(best), STRETCHED) - 1].score
    width = (best[0].score - least) or _spread(scores, best[0]) or 1.0
    top = rows[0].score or 1.0
    shares = {row.slot: row.score / top for row in rows}
    by_document = {number: shares[some[0].slot] for number, some in by_words.in_order(rows).items()}
    places = {place.document: place for place in best}
    others = [row for row in rows if row.document not in places]
    scores.know(np.array([row.first + i for row in others for i in range(row.passages)], np.int64))
    for row in others:
        if row.document not in places:
            places[row.document] = _place(scores, row)

    def fused(place: Place) -> float:
        return (place.score - least) / width + WEIGHT * by_document.get(place.document, 0.0)

    kept = [place for place in places.values() if place.score >= least_score]
    order = sorted(kept, key=lambda place: -fused(place))[:k]
    return order, {slot: share * WEIGHT * width for slot, share in shares.items()}


def _spread(scores: Scores, place: Place) -> float:
    """Between the best and the last passage of a document: what words move them by, where no other document is left."""
    own = scores.of(place.first, place.passages)
    return 0.0 if own is None else float(own.max() - own.min())


def _place(scores: Scores, row: Found) -> Place:
    own = scores.of(row.first, row.passages)
    if own is not None:
        return Place(row.document, row.first, row.passages, float(own.max()))
    raise StoreDamaged(f"a document lies where no passage is (slot {row.first}); {MEND}")


def hits_by_words(
    connection: sqlite3.Connection,
    snapshot: Snapshot,
    asked: Asked,
    chosen: dict[int, Offsets] | None,
    wanted: Wanted,
) -> list[Hit]:
    """The best documents by their words alone."""
    last = wanted.offset + wanted.k
    rows = by_words.found(connection, asked, snapshot.passages, chosen, documents=last)
    top = (rows[0].score if rows else 0.0) or 1.0
    kept = list(by_words.in_order(rows).values())[wanted.offset : last]
    if wanted.min_score is not None:
        kept = [some for some in kept if some[0].score / top >= wanted.min_score]
    return [_hit(connection, snapshot, asked, some, top, wanted) for some in kept]


def _hit(
    connection: sqlite3.Connection,
    snapshot: Snapshot,
    asked: Asked,
    found: Sequence[Found],
    top: float,
    wanted: Wanted,
) -> Hit:
    wanted.going()
    row = by_number(connection, found[0].document)
    if row is None:
        raise StoreDamaged(f"a passage without a document (slot {found[0].slot}); {MEND}")
    shown = []
    for one, passage in zip(found, passage_rows(connection, snapshot, row, [f.slot for f in found]), strict=True):
        why = by_words.matches(asked, row.shown_text or "", passage.start, passage.end)
        text = None if row.text is None else part_of(row.shown_text or "", passage.start, passage.end)
        shown.append(PassageHit(passage.start, passage.end, one.score, why, text))
    # A passage's words reach into the next one, so that phrases are whole: what is shown should show them itself.
    shown.sort(key=lambda passage: not passage.matches)
    kept = tuple(one if wanted.explain else replace(one, matches=()) for one in shown[: wanted.passages])
    score = found[0].score
    return Hit(row.id, score, score / top, row.shown_text, row.shown_payload, kept, words=score / top)
