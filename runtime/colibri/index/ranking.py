"""From queries to the best documents of a snapshot: score all passages, those a filter leaves, or those that sign bits
leave of very many; group by document."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from colibri.errors import InputError, StoreDamaged
from colibri.index.scores import Part, Scores, Some
from colibri.index.storage.catalogue import SEGMENT_SHIFT
from colibri.index.storage.reading import MEND
from colibri.index.storage.segments import Segment
from colibri.index.storage.snapshot import Snapshot
from colibri.index.where import Where, compiled
from colibri.scoring import (
    Floats,
    Screen,
    maxsim,
    maxsim_batch,
    maxsim_picked,
    maxsim_subset,
    screening_kernel,
    why_numpy,
)
from colibri.vectors import Offsets, TokenVectors

_SUBSET_BELOW = 0.6
"""Share of a segment from which on scoring all of it is faster than picking (benchmarks/search/bench_search.py)."""
SCREENED_FROM = 2_000_000_000
"""Multiply-adds of a query and all rows that have sign bits from which on they are screened: 24,000 passages of 40
tokens at 64 dims for 32 query tokens. There a core of Zen 3 (AVX2) scans for 50 ms, and takes 15 for bits, 1 to 12 for
the rows that are left and 3 for all else; where a scan takes a quarter of that (VNNI), the ways should meet
(benchmarks/NOTES.md)."""
SCREENED_ROWS = {"avx2": 1_000_000, "avx512-vnni": 1_000_000}
"""Kernel -> rows with sign bits from which on any query is screened: there four query tokens take by rows what sixteen
do, and bits take half or less. One thread, 64 dims, ms of CPU with bits and without: AVX2 47 of 116 for 4 tokens and 43
of 78 for 10 (3,000,000 rows); AVX-512 VNNI with VBMI 6.1 of 10.2 for 4 and 6.4 of 10.4 for 8 (1,000,000 rows), 11 of 31
and 14 of 36 (4,000,000). Others were not measured."""
SCREENED_FOR = 12
"""Best passages up to which both rules hold; of more, as many times more rows are wanted: what bits leave to be scored
grows with them. At 4,000,000 rows a hundred, which meaning and words are ranked by, take as long either way."""
_PICKED_BELOW = 0.1
"""Share of a segment from which on what is read about a page that is asked for is mostly asked for as well."""
_IDS_AT_ONCE = 2_000  # a filter may bind 30,000 values beside, of the 32,766 that SQLite takes
_SCORES_AT_ONCE = 1 << 24  # 64 MB, in a batch of queries
_PLACE = (1 << SEGMENT_SHIFT) - 1


@dataclass(frozen=True)
class Place:
    """A document among the best: its number, its slots, and the best of them."""

    document: int
    first: int
    passages: int
    score: float


def selected(
    connection: sqlite3.Connection, snapshot: Snapshot, where: Where | None, ids: Sequence[str] | None = None
) -> dict[int, Offsets] | None:
    """Segment -> places of the passages whose documents a filter keeps and ids name, rising; None: neither is given."""
    if ids is not None:
        return _by_segment(_extents(connection, where, ids))
    if where is None:
        return None
    name = repr(compiled(where))
    found = snapshot.selections.get(name)
    if found is None:
        found = _by_segment(_extents(connection, where, None))
        for places in found.values():
            places.flags.writeable = False
        snapshot.selections.keep(name, found)
    return found


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
    queries: TokenVectors,
    snapshot: Snapshot,
    chosen: dict[int, Offsets] | None,
    threads: int | None,
    best: int,
    *,
    exact: bool = False,
) -> Iterator[Scores]:
    """For each query, what its passages score. best: how many will be asked for. exact: all of them by their rows,
    however many there are."""
    places = [_places(segment, chosen) for segment in snapshot.segments]
    asked = [(one, own) for one, own in zip(snapshot.segments, places, strict=True) if own is None or own.size]
    signed = sum(_tokens(segment, own) for segment, own in asked if segment.signs is not None)
    screens = np.zeros(len(queries), np.bool_) if exact else _screens(queries, signed, best)
    passages = max(1, sum(len(segment.docs) for segment, _ in asked))
    at_once = max(1, _SCORES_AT_ONCE // passages)
    first = 0
    while first < len(queries):
        last = first + 1
        while last < min(first + at_once, len(queries)) and screens[last] == screens[first]:
            last += 1
        yield from _scored(part_of(queries, first, last), asked, threads, screened=bool(screens[first]))
        first = last


def _screens(queries: TokenVectors, signed: int, best: int) -> NDArray[np.bool_]:
    """(queries,) whether so many rows with sign bits are screened for each."""
    signed = int(signed / max(1.0, best / SCREENED_FOR))
    work = np.diff(queries.starts) * signed * queries.dim
    large, many = work >= SCREENED_FROM, signed >= min(SCREENED_ROWS.values())
    if not many and not large.any():
        return large
    kernel = screening_kernel(queries.dim, int(work.max(initial=0)))
    if kernel is None:
        return np.zeros_like(large)
    return large | (signed >= SCREENED_ROWS.get(kernel, np.inf))


def why_no_screen(snapshot: Snapshot, dim: int) -> str | None:
    """Why a search of 32 tokens, for up to SCREENED_FOR of the best, scores all rows; None: sign bits screen it."""
    signed = [len(segment.docs.rows) for segment in snapshot.segments if segment.signs is not None]
    least = SCREENED_FROM / (32 * dim)
    if sum(len(segment.docs.rows) for segment in snapshot.segments) < least:
        return "it is small, and every passage is scored by its rows"
    if sum(signed) < least:
        return "its rows have no sign bits, or too few; `colibri index --convert` makes those of unit rows"
    why = why_numpy()
    return None if why is None else f"NumPy scores here, to which sign bits are no help: {why}"


def _scored(
    queries: TokenVectors, asked: Sequence[tuple[Segment, Offsets | None]], threads: int | None, *, screened: bool
) -> Iterator[Scores]:
    by_rows = [
        None if screened and segment.signs is not None else _scores(queries, segment, places, threads)
        for segment, places in asked
    ]
    for i in range(len(queries)):
        query = part_of(queries, i, i + 1)
        signed = [own for own, scores in zip(asked, by_rows, strict=True) if scores is None]
        bits = iter(_bits(query, signed, threads))
        parts = []
        for (segment, _), scores in zip(asked, by_rows, strict=True):
            if scores is not None:
                parts.append(Part(segment, scores[i]))
            else:
                parts.append(Part(segment, np.full(len(segment.docs), -np.inf, np.float32), next(bits)))
        yield Scores(parts, partial(_left, query, threads=threads))


def _places(segment: Segment, chosen: dict[int, Offsets] | None) -> Offsets | None:
    """Of the passages that count, rising; None: all."""
    places = segment.live if chosen is None else chosen.get(segment.number, np.zeros(0, np.int64))
    if places is not None and places.size and places[-1] >= len(segment.docs):
        raise StoreDamaged(f"segment {segment.number}: a document lies beyond its end; {MEND}")
    return places


def _tokens(segment: Segment, places: Offsets | None) -> int:
    """How many tokens those passages have, about."""
    return len(segment.docs.rows) if places is None else len(segment.docs.rows) * len(places) // len(segment.docs)


def _scores(queries: TokenVectors, segment: Segment, places: Offsets | None, threads: int | None) -> Floats:
    """(queries, passages) scores by rows, -inf for passages that do not count."""
    docs = segment.docs
    segment.pages.scan()
    if places is None or len(places) > _SUBSET_BELOW * len(docs):
        if len(queries) == 1:
            found = _told(segment, lambda: maxsim(queries[0], docs, queries.weights, threads=threads)[None])
        else:
            found = _told(segment, lambda: maxsim_batch(queries, docs, threads=threads))
        return found if places is None else _but(found, places)
    found = np.full((len(queries), len(docs)), -np.inf, np.float32)
    for i in range(len(queries)):
        found[i, places] = _some(part_of(queries, i, i + 1), segment, places, threads=threads)
    return found


def _some(query: TokenVectors, segment: Segment, places: Offsets, *, threads: int | None) -> Floats:
    """(places,) scores by rows, of one query."""
    return _told(segment, lambda: maxsim_subset(query[0], segment.docs, places, query.weights, threads=threads))


def _left(query: TokenVectors, some: Some, *, threads: int | None) -> list[Floats]:
    """The same of few passages of each segment, all at once; a segment of which most is asked for is scored whole."""
    found: list[Floats | None] = []
    few: list[tuple[Segment, Offsets]] = []
    for segment, places in some:
        if len(places) > _SUBSET_BELOW * len(segment.docs):
            found.append(_scores(query, segment, None, threads)[0][places])
        elif segment.docs.scales is None:
            found.append(_some(query, segment, places, threads=threads))
        else:
            found.append(None)
            few.append((segment, places))
            if len(places) < _PICKED_BELOW * len(segment.docs):
                segment.pages.pick()
            else:
                segment.pages.scan()
    picked = _picked(query, few, threads)
    return [next(picked) if one is None else one for one in found]


def _picked(query: TokenVectors, some: Some, threads: int | None) -> Iterator[Floats]:
    """By their rows. Nothing else of a segment is looked at: all scales are a tenth of what a screened search reads."""
    with np.errstate(over="ignore", invalid="ignore"):
        parts = [(segment.docs, places) for segment, places in some]
        scores = maxsim_picked(query[0], parts, query.weights, threads=threads)
    return map(_numbers_of, scores)


def _bits(query: TokenVectors, asked: Sequence[tuple[Segment, Offsets | None]], threads: int | None) -> list[Floats]:
    """(passages,) each: scores by sign bits, of one query; -inf for passages that do not count."""
    picked = [None if own is None or len(own) > _SUBSET_BELOW * len(one.docs) else own for one, own in asked]
    some = [(one.signs, own) for (one, _), own in zip(asked, picked, strict=True) if one.signs is not None]
    found = []
    with np.errstate(over="ignore", invalid="ignore"):
        scores = Screen(query[0], query.dim, query.weights).all_scores(some, threads=threads)
    for (segment, places), own, one in zip(asked, picked, map(_numbers_of, scores), strict=True):
        if places is None:
            found.append(one)
        elif own is None:
            found.append(_but(one, places))
        else:
            found.append(np.full(len(segment.docs), -np.inf, np.float32))
            found[-1][places] = one
    return found


def _told(segment: Segment, work: Callable[[], Floats]) -> Floats:
    """Scores. Raises StoreDamaged for what a segment's rows or scales can never be."""
    try:
        return _numbers(work)
    except InputError as error:  # queries were checked before
        raise StoreDamaged(f"segment {segment.number}: {error}; {MEND}") from error


def _numbers(work: Callable[[], Floats]) -> Floats:
    """Scores. Rows may have changed on disk: what is no number ranks first, where its checksum will tell."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _numbers_of(work())


def _numbers_of(found: Floats) -> Floats:
    if found.size and np.isnan(found.max()):
        found = np.where(np.isnan(found), np.float32(np.inf), found)
    return found


def _but(found: Floats, places: Offsets) -> Floats:
    """With -inf for all passages but some. found: (..., passages)."""
    out: NDArray[np.bool_] = np.ones(found.shape[-1], np.bool_)
    out[places] = False
    found[..., out] = -np.inf
    return found


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


def best_documents(connection: sqlite3.Connection, scores: Scores, k: int) -> list[Place]:
    """The k best documents, by their best passages; of equal ones the earlier written first."""
    wanted = k
    while True:
        wanted = min(wanted, scores.counted)
        found = _grouped(connection, scores.best(wanted), k)
        if len(found) >= k or wanted >= scores.counted:
            return found
        wanted *= 4


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
