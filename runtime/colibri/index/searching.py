"""A search from what the user gives to what he gets."""

import math
import sqlite3
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from colibri import checks
from colibri.artefact import Bounds
from colibri.errors import InputError, InputTypeError, ShapeError, StoreError
from colibri.index import asking, blending, by_words, ranking
from colibri.index.asking import Asked
from colibri.index.beside import at_once
from colibri.index.core import Core
from colibri.index.document import Hit
from colibri.index.results import hits
from colibri.index.scores import Scores
from colibri.index.storage import words
from colibri.index.storage.snapshot import Snapshot
from colibri.index.wanted import Wanted
from colibri.index.where import check_where
from colibri.vectors import Offsets, TokenVectors

T = TypeVar("T")
_AT_ONCE_FROM = 5_000
"""Passages from which on words and meaning are looked for at once: below, either takes as little as the thread."""


class Abandoned(Exception):
    """Nobody waits for the answer any more."""


class NoWords(Exception):
    """The index cannot be searched by words; why."""


class Outdated(Exception):
    """Another index took over between encoding and searching."""


def again(core: Core, ask: Callable[[int], T]) -> T:
    """What `ask` says, given the generation it asks of; asked again where that ends meanwhile."""
    while True:
        core.follow()
        try:
            return ask(core.generation)
        except Outdated:
            continue


async def on_a_thread(work: Callable[[Callable[[], None]], T]) -> T:
    """What it gives, on a thread of the running loop's executor. work: takes what it calls between its steps, which
    raises Abandoned once the task that waits here was cancelled."""
    import asyncio  # noqa: PLC0415 - whoever awaits this has loaded it

    given_up = threading.Event()

    def going() -> None:
        if given_up.is_set():
            raise Abandoned

    try:
        return await asyncio.to_thread(work, going)
    finally:  # cancelled, or nobody runs any more whom it could tell
        given_up.set()


def one_query(core: Core, query: str | TokenVectors | ArrayLike) -> TokenVectors:
    """A query as float32 vectors of the index's width. Raises InputError, InputTypeError or ShapeError."""
    if isinstance(query, str):
        return core.model().queries([query], core.dim)
    if not isinstance(query, TokenVectors):
        rows = np.asarray(query)
        if rows.dtype.kind != "f" or rows.ndim != 2:
            raise InputTypeError(f"query: found {rows.dtype} {rows.shape}, wanted a text or (tokens, dim) float32")
        with np.errstate(over="ignore"):  # what overflows is not finite, which is refused
            query = TokenVectors(rows.astype(np.float32), np.array([0, len(rows)], np.int64))
    if len(query) != 1:
        raise ShapeError(f"search takes one query, found {len(query)}; search_batch takes many")
    return _checked(core, query)


def of_texts(
    texts: Sequence[str], where: Mapping[str, Any] | None, ask: Callable[[list[str]], list[list[Hit]]]
) -> list[list[Hit]]:
    """What `ask` finds for each text; nothing for one that asks nothing, "" or blanks, whose markers alone would rank
    documents by how little they say. Raises InputError for a filter that is none, also where nothing is asked."""
    told = [text for text in texts if text.strip()]
    if not told and where is not None:
        check_where(where)
    found = iter(ask(told) if told else [])
    return [next(found) if text.strip() else [] for text in texts]


def many_queries(core: Core, queries: Sequence[str] | TokenVectors) -> TokenVectors:
    """Queries as float32 vectors of the index's width. Raises as `one_query` does."""
    if isinstance(queries, TokenVectors):
        return _checked(core, queries)
    texts = checks.listed_texts(queries, "queries")
    return core.model().queries(texts, core.dim)


def _checked(core: Core, queries: TokenVectors) -> TokenVectors:
    if queries.dim != core.dim:
        raise ShapeError(f"query has dim {queries.dim}, the index has {core.dim}")
    if queries.space_id and core.space_id and queries.space_id != core.space_id:
        raise ShapeError("query and index are of different models' spaces: encode the query with the index's")
    queries = queries.dequantize()
    if not np.isfinite(queries.rows).all() or (queries.weights is not None and not np.isfinite(queries.weights).all()):
        raise InputError("query: not finite")
    return queries


def search(
    core: Core,
    queries: TokenVectors,
    wanted: Wanted,
    generation: int | None = None,
) -> list[list[Hit]]:
    """The best documents for each query. Raises Outdated when the queries were encoded for another generation than the
    index has by now, and Abandoned."""
    wanted.going()
    with core.reading() as (connection, snapshot):
        if generation is not None and core.generation != generation:
            raise Outdated
        chosen = ranking.selected(connection, snapshot, wanted.where, wanted.ids)
        found = []
        best = wanted.offset + wanted.k
        found_scores = ranking.scored(queries, snapshot, chosen, wanted.threads, best, exact=wanted.exact)
        for i, scores in enumerate(found_scores):
            wanted.going()
            query = ranking.part_of(queries, i, i + 1)
            places = ranking.best_documents(connection, scores, best)
            found.append(hits(connection, snapshot, query, scores, places, wanted, within=core.bounds(query)))
        return found


def why_no_words(core: Core) -> str | None:
    """See `Index.why_no_words`."""
    with core.shelf.reading() as connection:
        return words.why_none(connection)


def one_answer(
    core: Core, query: str | TokenVectors | ArrayLike, text: str | None, wanted: Wanted, now: int
) -> list[Hit]:
    """What `Index.search` gives. text: the query's, where it is given as vectors."""
    if wanted.mode == "meaning":
        return search(core, one_query(core, query), wanted, now)[0]
    asked = _asked([query if text is None else text], wanted)
    return _answers(
        core,
        asked,
        lambda: one_query(core, asked[0].meaning if isinstance(query, str) else query),
        lambda: one_query(core, query),
        wanted,
        now,
    )[0]


def many_answers(core: Core, queries: Sequence[str] | TokenVectors, wanted: Wanted, now: int) -> list[list[Hit]]:
    """What `Index.search_batch` gives."""
    if wanted.mode == "meaning":
        return search(core, many_queries(core, queries), wanted, now)
    asked = _asked([queries] if isinstance(queries, TokenVectors) else checks.listed_texts(queries, "queries"), wanted)
    return _answers(
        core,
        asked,
        lambda: many_queries(core, [one.meaning for one in asked]),
        lambda: many_queries(core, queries),
        wanted,
        now,
    )


def _asked(queries: Sequence[object], wanted: Wanted) -> list[Asked]:
    if not all(isinstance(one, str) for one in queries):
        raise InputTypeError(
            f"mode {wanted.mode!r} asks for words: give the query as a text, or its `text` beside its vectors"
        )
    return [asking.asked(str(one), typing=wanted.typing) for one in queries]


def _answers(
    core: Core,
    asked: Sequence[Asked],
    encoded: Callable[[], TokenVectors],
    as_given: Callable[[], TokenVectors],
    wanted: Wanted,
    now: int,
) -> list[list[Hit]]:
    """By words, and by meaning alone, which is said, where there are none."""
    why = why_no_words(core)
    if why is None:
        alone = wanted.mode == "words" or all(one.is_nothing for one in asked)
        queries = None if alone else encoded()
        try:
            return with_words(core, queries, asked, wanted, now)
        except NoWords as error:  # since then
            why = str(error)
    if wanted.mode == "words":
        raise StoreError(f"{core.folder}: cannot be searched by words: {why}")
    warnings.warn(f"{core.folder}: searched by meaning alone: {why}", RuntimeWarning, stacklevel=2)
    return search(core, as_given(), wanted, now)


def with_words(
    core: Core, queries: TokenVectors | None, asked: Sequence[Asked], wanted: Wanted, generation: int
) -> list[list[Hit]]:
    """The best documents by words, and by meaning too where there are vectors of each query. Raises as `search`, and
    NoWords."""
    wanted.going()
    with core.reading() as (connection, snapshot):
        if core.generation != generation:
            raise Outdated
        if (why := words.why_none(connection)) is not None:
            raise NoWords(why)
        chosen = ranking.selected(connection, snapshot, wanted.where, wanted.ids)
        found: list[list[Hit]] = []
        for i, one in enumerate(asked):
            wanted.going()
            left = blending.narrowed(connection, snapshot, one, chosen)
            if one.is_nothing:
                found.append([])
            elif queries is None:
                found.append(blending.hits_by_words(connection, snapshot, one, left, wanted))
            else:
                query = ranking.part_of(queries, i, i + 1)
                found.append(_by_both(connection, snapshot, query, one, left, wanted, core.bounds(query)))
        return found


def _by_both(
    connection: sqlite3.Connection,
    snapshot: Snapshot,
    query: TokenVectors,
    asked: Asked,
    chosen: dict[int, Offsets] | None,
    wanted: Wanted,
    within: Bounds | None,
) -> list[Hit]:
    best = max(wanted.offset + wanted.k, blending.STRETCHED)

    def by_meaning() -> Scores:
        (scores,) = ranking.scored(query, snapshot, chosen, wanted.threads, best, exact=wanted.exact)
        return scores

    def words_say() -> list[by_words.Found]:
        return by_words.found(connection, asked, snapshot.passages, chosen)

    # SQLite works on one thread, for as long as two score 100,000 passages (benchmarks/NOTES.md). Until both have
    # ended nothing else asks this connection.
    if wanted.threads != 1 and snapshot.passages >= _AT_ONCE_FROM:
        scores, rows = at_once(by_meaning, words_say)
    else:
        scores, rows = by_meaning(), words_say()
    least = -math.inf if wanted.min_score is None else wanted.min_score * (query.weight or 1.0)
    places, added = blending.blended(connection, scores, rows, wanted.offset + wanted.k, least)
    return hits(connection, snapshot, query, scores, places, wanted, added, within)
