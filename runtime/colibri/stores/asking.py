"""From what a user asks to what an engine is asked."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from colibri.errors import InputError, InputTypeError, ShapeError, StoreError
from colibri.index import IndexModel
from colibri.stores.centroids import Codebook
from colibri.stores.engine import Ask
from colibri.stores.filters import Condition
from colibri.stores.incoming import check_rows
from colibri.stores.layout import Layout
from colibri.stores.ranked import Wanted
from colibri.vectors import TokenVectors

Query = str | TokenVectors | ArrayLike | Mapping[int, TokenVectors | ArrayLike]

_CENTROIDS = "centroids"


class Asking:
    """What a store knows of its queries. codebook: changes when one is trained."""

    def __init__(
        self,
        layout: Layout,
        space_id: str,
        model: Callable[[], IndexModel],
        name: str,
        codebook: Codebook | None,
    ) -> None:
        self._layout = layout
        self._dim = layout.dims[0]
        self._space_id = space_id
        self._model = model
        self._name = name
        self.codebook = codebook

    def query(self, query: Query, screen: int | str | None) -> dict[int, TokenVectors]:
        """A query's rows of the width that ranks, and of the one that screens.

        Raises InputError, InputTypeError or ShapeError, and StoreError for centroids that are not there.
        """
        widths = self._widths(screen)
        if isinstance(query, str):
            return dict(self._model().loaded().encode_queries([query], widths))
        given: Mapping[int, Any] = query if isinstance(query, Mapping) else {self._dim: query}
        if lacking := [dim for dim in widths if dim not in given]:
            raise ShapeError(f"query: no rows of width {lacking[0]}; give {{width: rows}} for {widths}, or a text")
        return {dim: self._checked(given[dim], dim) for dim in widths}

    def _widths(self, screen: int | str | None) -> list[int]:
        if screen is None:
            return [self._dim]
        if screen == _CENTROIDS:
            if self.codebook is None:
                raise StoreError(f"{self._name}: has no centroids yet; `train_centroids` makes them")
            return [self._dim]
        if isinstance(screen, bool) or screen not in self._layout.dims[1:]:
            others = ", ".join(map(str, self._layout.dims[1:])) or "none"
            raise InputError(f"screen: found {screen!r}, wanted a narrower width it has ({others}) or 'centroids'")
        return [self._dim, int(screen)]

    def _checked(self, query: TokenVectors | ArrayLike, dim: int) -> TokenVectors:
        if not isinstance(query, TokenVectors):
            rows = np.asarray(query)
            if rows.dtype.kind != "f" or rows.ndim != 2:
                raise InputTypeError(f"query: found {rows.dtype} {rows.shape}, wanted a text or (tokens, dim) float32")
            with np.errstate(over="ignore"):  # what overflows is not finite, which is refused
                query = TokenVectors(rows.astype(np.float32), np.array([0, len(rows)], np.int64))
        if len(query) != 1:
            raise ShapeError(f"search takes one query, found {len(query)}; search_batch takes many")
        if query.dim != dim:
            raise ShapeError(f"query has dim {query.dim}, the store has {dim}")
        if query.space_id and self._space_id and query.space_id != self._space_id:
            raise ShapeError("query and store are of different models' spaces: encode the query with the store's")
        if not len(query.rows):
            raise ShapeError("query: no rows")
        query = query.dequantize()
        check_rows(folded(query), [len(query.rows)], dim, "query", cosine=self._layout.cosine)
        return query

    def ask(
        self,
        query: Mapping[int, TokenVectors],
        wanted: Wanted,
        condition: Condition | None,
        screen: int | str | None,
        candidates: int,
    ) -> Ask:
        """The question, with a first stage where one screens."""
        using = self._layout.names[self._dim]
        whole = Ask(
            using=using,
            rows=folded(query[self._dim]),
            limit=wanted.first_limit,
            condition=condition,
            vectors=(using,) if wanted.explain else (),
            spans=wanted.explain,
        )
        if screen is None:
            return whole
        if screen == _CENTROIDS:
            assert self.codebook is not None
            return replace(whole, prefetch=self.codebook.prefetch(query[self._dim], whole, candidates))
        dim = int(screen)
        name = self._layout.names[dim]
        narrow = Ask(using=name, rows=folded(query[dim]), limit=candidates, condition=condition)
        return replace(whole, prefetch=(narrow,))


def folded(query: TokenVectors) -> NDArray[np.float32]:
    """Rows times their weights: the engine knows no weights."""
    rows: NDArray[np.float32] = query.rows
    return rows if query.weights is None else rows * query.weights[:, None]


def entries(queries: TokenVectors) -> Iterator[TokenVectors]:
    """Each query alone."""
    for i in range(len(queries)):
        own = slice(queries.starts[i], queries.starts[i + 1])
        yield TokenVectors(
            queries.rows[own],
            np.array([0, own.stop - own.start], np.int64),
            None if queries.spans is None else queries.spans[own],
            None if queries.weights is None else queries.weights[own],
            queries.space_id,
            scales=None if queries.scales is None else queries.scales[own],
        )
