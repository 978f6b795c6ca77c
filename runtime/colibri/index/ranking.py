"""From queries to the best documents of a snapshot: score all passages, or those a filter leaves; group by document."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from colibri.errors import InputError, StoreDamaged
from colibri.index.storage.catalogue import SEGMENT_SHIFT
from colibri.index.storage.reading import MEND
from colibri.index.storage.segments import Segment
from colibri.index.storage.snapshot import Snapshot
from colibri.index.where import Where, compiled
from colibri.scoring import Floats, maxsim, maxsim_batch, maxsim_subset
from colibri.vectors import Offsets, TokenVectors

_SUBSET_BELOW = 0.6
"""Share of a segment from which on scoring all of it is faster than picking (benchmarks/search/bench_search.py)."""
_IDS_AT_ONCE = 2_000  # a filter may bind 30,000 values beside, of the 32,766 that SQLite takes
_SCORES_AT_ONCE = 1 << 24  # 64 MB, in a batch of queries
_PLACE = (1 << SEGMENT_SHIFT) - 1


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of a segment's passages for one query: -inf for those that do not count."""

    segment: Segment
    scores: Floats
    counted: int


@dataclass(frozen=True)
class Place:
    """A document among the best: its number, its slots, and the best of them."""

    document: int
    first: int
    passages: int
    score: float


def selected(
    connection: sqlite3.Connection, where: Where | None, ids: Sequence[str] | None = None
) -> dict[int, Offsets] | None:
    """Segment -> places of the passages whose documents a filter keeps and ids name, rising; None: neither is given."""
    if where is None and ids is None:
        return None
    return _by_segment(_extents(connection, where, ids))


def places_of(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, Offsets]:
    """The same of documents by their numbers."""
    rows: list[tuple[object, object]] = []
    for at in range(0, len(numbers), _IDS_AT_ONCE):
        some = numbers[at : at + _IDS_AT_ONCE]
        marks = ",".join("?" * len(some))
        rows += connection.execute(f"SELECT first, passages FROM documents WHERE number IN ({marks})", some)
    return _by_segment(rows)


def _by_segment(rows: list[tuple[object, object]]) -> dict[int, Offsets]:
    if not rows:
        return {}
    try:
        firsts, counts = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    except (TypeError, ValueError, OverflowError) as error:
        raise StoreDamaged(f"documents changed on disk ({error}); {MEND}") from error
    begins = np.cumsum(counts) - counts
    slots = np.sort(np.repeat(firsts - begins, counts) + np.arange(int(counts.sum())))
    numbers = slots >> SEGMENT_SHIFT
    return {int(number): slots[numbers == number] & _PLACE for number in np.unique(numbers)}


def _extents(
    connection: sqlite3.Connection, where: Where | None, ids: Sequence[str] | None
) -> list[tuple[object, object]]:
    """(first slot, passages) of every such document."""
    condition, values = ("1", []) if where is None else compiled(where)
    if ids is None:
        return connection.execute(f"SELECT first, passages FROM documents WHERE {condition}", values).fetchall()
    if where is not None and len(ids) > _IDS_AT_ONCE:  # a filter is prepared once, and not for every part of the ids
        wanted = set(ids)
        rows = connection.execute(f"SELECT id, first, passages FROM documents WHERE {condition}", values)
        return [(first, passages) for found_id, first, passages in rows if found_id in wanted]
    found = []
    for at in range(0, len(ids), _IDS_AT_ONCE):
        some = ids[at : at + _IDS_AT_ONCE]
        named = ", ".join(f"?{len(values) + 1 + i}" for i in range(len(some)))
        question = f"SELECT first, passages FROM documents WHERE id IN ({named}) AND ({condition})"
        found += connection.execute(question, [*values, *some]).fetchall()
    return found


def scored(
    queries: TokenVectors, snapshot: Snapshot, chosen: dict[int, Offsets] | None, threads: int | None
) -> Iterator[list[Scored]]:
    """For each query, its scores in every segment."""
    passages = max(1, sum(len(segment.docs) for segment in snapshot.segments))
    at_once = max(1, _SCORES_AT_ONCE // passages)
    for first in range(0, len(queries), at_once):
        some = part_of(queries, first, min(first + at_once, len(queries)))
        matrices = [_scores(some, segment, chosen, threads) for segment in snapshot.segments]
        for i in range(len(some)):
            yield [
                Scored(segment, scores[i], counted)
                for segment, (scores, counted) in zip(snapshot.segments, matrices, strict=True)
                if counted
            ]


def _scores(
    queries: TokenVectors, segment: Segment, chosen: dict[int, Offsets] | None, threads: int | None
) -> tuple[Floats, int]:
    """(queries, passages) scores, and how many passages count.

    Rows may have changed on disk: what is no number ranks first, where its checksum will tell.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            scores, counted = _raw_scores(queries, segment, chosen, threads)
    except InputError as error:  # queries were checked before
        raise StoreDamaged(f"segment {segment.number}: {error}; {MEND}") from error
    if counted and np.isnan(scores.max()):
        scores = np.where(np.isnan(scores), np.float32(np.inf), scores)
    return scores, counted


def part_of(queries: TokenVectors, first: int, last: int) -> TokenVectors:
    """Queries first to last - 1."""
    own = slice(queries.starts[first], queries.starts[last])
    return TokenVectors(
        queries.rows[own],
        queries.starts[first : last + 1] - queries.starts[first],
        None if queries.spans is None else queries.spans[own],
        None if queries.weights is None else queries.weights[own],
        queries.space_id,
    )


def _raw_scores(
    queries: TokenVectors, segment: Segment, chosen: dict[int, Offsets] | None, threads: int | None
) -> tuple[Floats, int]:
    docs = segment.docs
    places = segment.live if chosen is None else chosen.get(segment.number, np.zeros(0, np.int64))
    count = len(docs) if places is None else len(places)
    if not count:
        return np.empty((len(queries), 0), np.float32), 0
    if places is not None and places[-1] >= len(docs):
        raise StoreDamaged(f"segment {segment.number}: a document lies beyond its end; {MEND}")
    if places is None or count > _SUBSET_BELOW * len(docs):
        if len(queries) == 1:
            weights = queries.weights
            found = maxsim(queries[0], docs, weights, threads=threads)[None]
        else:
            found = maxsim_batch(queries, docs, threads=threads)
        if places is not None:
            out: NDArray[np.bool_] = np.ones(len(docs), np.bool_)
            out[places] = False
            found[:, out] = -np.inf
        return found, count
    found = np.full((len(queries), len(docs)), -np.inf, np.float32)
    for i, rows in enumerate(queries):
        own = slice(queries.starts[i], queries.starts[i + 1])
        weights = None if queries.weights is None else queries.weights[own]
        found[i, places] = maxsim_subset(rows, docs, places, weights, threads=threads)
    return found, count


def best_documents(connection: sqlite3.Connection, parts: Sequence[Scored], k: int) -> list[Place]:
    """The k best documents, by their best passages; of equal ones the earlier written first."""
    total = sum(part.counted for part in parts)
    wanted = k
    while True:
        wanted = min(wanted, total)
        found = _grouped(connection, _best_passages(parts, wanted), k)
        if len(found) >= k or wanted >= total:
            return found
        wanted *= 4


def _best_passages(parts: Sequence[Scored], count: int) -> list[tuple[float, int]]:
    """(score, slot) of the best, in order."""
    slots, scores = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for part in parts:
        own = min(count, part.counted)
        least = np.partition(part.scores, len(part.scores) - own)[len(part.scores) - own]
        places = np.flatnonzero(part.scores >= least) if own < part.counted else np.flatnonzero(part.scores > -np.inf)
        slots.append(places + part.segment.base)
        scores.append(part.scores[places])
    all_slots, all_scores = np.concatenate(slots), np.concatenate(scores)
    order = np.lexsort((all_slots, -all_scores))[:count]
    return list(zip(all_scores[order].tolist(), all_slots[order].tolist(), strict=True))


def _grouped(connection: sqlite3.Connection, best: list[tuple[float, int]], k: int) -> list[Place]:
    found: dict[int, Place] = {}
    for score, slot in best:
        row = connection.execute(
            "SELECT d.number, d.first, d.passages, d.id FROM passages AS p "
            "JOIN documents AS d ON d.number = p.document WHERE p.slot = ?",
            (slot,),
        ).fetchone()
        if row is None:
            raise StoreDamaged(f"a passage that no document owns (slot {slot}); {MEND}")
        number, first, passages, found_id = row
        if not isinstance(first, int) or not isinstance(passages, int) or not first <= slot < first + passages:
            raise StoreDamaged(f"document {found_id!r}: changed on disk; {MEND}", (str(found_id),))
        found.setdefault(number, Place(number, first, passages, score))
        if len(found) == k:
            break
    return list(found.values())
