"""A search from what the user gives to what he gets."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from colibri import checks
from colibri.errors import InputError, InputTypeError, ShapeError
from colibri.index import ranking
from colibri.index.core import Core
from colibri.index.document import Hit
from colibri.index.results import hits
from colibri.index.wanted import Wanted
from colibri.vectors import TokenVectors

T = TypeVar("T")


class Abandoned(Exception):
    """Nobody waits for the answer any more."""


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
        chosen = ranking.selected(connection, wanted.where, wanted.ids)
        found = []
        for i, parts in enumerate(ranking.scored(queries, snapshot, chosen, wanted.threads)):
            wanted.going()
            query = ranking.part_of(queries, i, i + 1)
            found.append(hits(connection, snapshot, query, parts, wanted))
        return found
