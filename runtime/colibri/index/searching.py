"""A search from what the user gives to what he gets."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from colibri import checks
from colibri.errors import InputError, InputTypeError, ShapeError
from colibri.index import ranking
from colibri.index.core import Core
from colibri.index.document import Hit, id_list
from colibri.index.results import hits
from colibri.vectors import TokenVectors

T = TypeVar("T")


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
    k: int,
    where: Mapping[str, Any] | None,
    *,
    ids: Iterable[str] | None = None,
    explain: bool,
    passages: int,
    threads: int | None,
    generation: int | None = None,
) -> list[list[Hit]]:
    """The k best documents for each query. Raises InputError for a k that is none, and Outdated when the queries were
    encoded for another generation than the index has by now."""
    for name, value in (("k", k), ("passages", passages)):
        if not checks.is_count(value):
            raise InputError(f"{name}: found {value!r}, wanted a whole number from 1")
    if isinstance(ids, str):
        raise InputTypeError("ids: found str, wanted a list of ids")
    among = None if ids is None else id_list(list(ids))
    with core.reading() as (connection, snapshot):
        if generation is not None and core.generation != generation:
            raise Outdated
        chosen = ranking.selected(connection, where, among)
        found = []
        for i, parts in enumerate(ranking.scored(queries, snapshot, chosen, threads)):
            query = ranking.part_of(queries, i, i + 1)
            within = core.bounds(query)
            found.append(
                hits(connection, snapshot, query, parts, int(k), passages=passages, explain=explain, within=within)
            )
        return found
