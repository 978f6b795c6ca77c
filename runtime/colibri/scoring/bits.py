"""Scores by sign bits: one bit a value, for a first look at very many documents. Beside `search`, which is exact.

A row of bits is dim / 8 bytes of signs and a byte that says how much the row counts. Rows lie end to end, whatever
documents they belong to, and a row depends on nothing but its own integers and scale: a file of them grows by
appending, and any part of it can be made again from the rows it was made of.

What a score by bits is, to the bit and on every machine (`meant` says it in NumPy):

A document's row t is integers D[t] times a scale b[t]. n[t, j] is whether D[t, j] is negative, and

    factor[t] = min(255, rint(128 * sqrt(dim) * b[t] * (sum over j of D[t, j]^2) / (sum over j of |D[t, j]|)))

in float64, 0 where all are 0: with it signs stand for a row that has the row's own product with itself. Of a unit row
whose values are all alike it is 128, of a usual one 160. (The nearest row of signs has |D| for it, summed and shared by
dim, and ranks worse: 95 candidates hold 99.5 % of the exact best ten where these 50 do; without a factor 55, with the
mean of each dim taken off first 59. colibri-mini, 64 dims, 100 questions, 4,685 documents: benchmarks/NOTES.md.)

The query is quantised to int8 as for int8 documents: token i is integers Q[i] times a scale a[i]. With the whole
R[i] = sum over j of |Q[i, j]|, a sign that differs costs

    cost[i, j]  = min(255, (510 * |Q[i, j]| + R[i] // 2) // R[i])                    0 where R[i] is 0
    loss[i, t]  = min(255, sum of cost[i, j] over j where n[t, j] is not whether Q[i, j] is negative)
    match[i, t] = (255 - loss[i, t]) * factor[t]                                     from 0 to 65,025

since the products of Q[i] with signs alone are R[i] less twice what differs: those below 0 count as 0. Then

    score = sum over i of float32(max over t of match[i, t]) * (unit[i] * weight[i])
    unit[i] = float32(a[i] * R[i] / (255 * 128 * sqrt(dim)))                         in float64, rounded once

in float32 and in `meaning.sum_in_order`'s order. It is about as large as the exact score, and ranks nearly as it does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from colibri.errors import InputError, InputTypeError, ShapeError
from colibri.quantised import quantised_rows, unpacked_nibbles
from colibri.scoring import engine, lookup
from colibri.scoring.collection import Floats, cores, document_ids, query_rows, token_weights
from colibri.scoring.meaning import SIMILARITIES_AT_ONCE, runs, sum_in_order
from colibri.scoring.names import row_bytes
from colibri.vectors import Offsets, TokenVectors

if TYPE_CHECKING:
    from colibri.scoring.kernel import CompiledBits

Bits = NDArray[np.uint8]

_MOST = 255  # of a factor, a cost and a loss
_ALIKE = 128  # the factor of a unit row whose values are all alike
_ROWS_AT_ONCE = 1 << 12  # a megabyte of floats at 64 dims
_EXACT_DIMS = (1 << 24) // 128**2


def sign_rows(vectors: TokenVectors) -> Bits:
    """Rows of bits of texts' rows: (tokens, row_bytes(dim)) uint8, one a row, in their order.

    int8 and int4 rows with their scales; floats are quantised to int8 first. Value j's sign is bit j % 8, counted from
    the lowest, of byte j // 8; the last byte is the factor. Rows are taken as a model makes them, of unit length or
    less: what is longer may count too little. Raises InputError for scales or rows that are not finite or below 0.
    """
    if vectors.kind not in ("int8", "int4"):
        vectors = vectors.quantize()
    dim = vectors.dim
    made = np.zeros((len(vectors.rows), row_bytes(dim)), np.uint8)
    for first in range(0, len(made), _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        rows = vectors.rows[part]
        integers: NDArray[np.int8] = unpacked_nibbles(rows) if vectors.kind == "int4" else rows
        scales = np.ones(len(integers)) if vectors.scales is None else vectors.scales[part].astype(np.float64)
        good = np.isfinite(scales) & (scales >= 0)
        if not good.all():
            token = first + int((~good).argmax())
            raise InputError(f"scales: token {token} has {vectors.scales[token]}, wanted a finite number from 0")  # type: ignore[index]
        made[part, :-1] = np.packbits(integers < 0, axis=1, bitorder="little")
        # Whole numbers up to 2^24 are exact in float32, whatever the order they are added in.
        exact: NDArray[Any] = integers.astype(np.float32 if dim <= _EXACT_DIMS else np.float64)
        squares = np.einsum("td,td->t", exact, exact).astype(np.float64)
        sizes = (np.abs(exact, out=exact) @ np.ones(dim, exact.dtype)).astype(np.float64)
        factors = _ALIKE * np.sqrt(max(dim, 1)) * scales * squares / np.maximum(sizes, 1)
        made[part, -1] = np.minimum(_MOST, np.rint(factors))
    return made


@dataclass(frozen=True, eq=False)
class Signs:
    """Rows of bits of n documents, checked once.

    rows    (tokens, row_bytes(dim)) uint8 as `sign_rows` makes them, in memory or memory-mapped
    starts  (n + 1,) int64; document i owns rows starts[i]:starts[i + 1], at least one
    dim     of the vectors that they are bits of

    Raises ShapeError when these do not fit together or a document has no rows, InputTypeError for other dtypes.
    """

    rows: Bits
    starts: Offsets
    dim: int

    def __post_init__(self) -> None:
        if self.rows.dtype != np.uint8 or self.starts.dtype != np.int64:
            raise InputTypeError(f"signs: {self.rows.dtype} rows, {self.starts.dtype} starts, wanted uint8 and int64")
        if self.rows.ndim != 2 or self.rows.shape[1] != row_bytes(self.dim):
            raise ShapeError(f"signs: rows are {self.rows.shape}, wanted (tokens, {row_bytes(self.dim)})")
        starts = self.starts
        if starts.ndim != 1 or starts.size == 0 or starts[0] != 0 or starts[-1] != len(self.rows):
            raise ShapeError(f"signs: starts go from 0 to {len(self.rows)}, one more than documents")
        lengths = np.diff(starts)
        if lengths.size and lengths.min() <= 0:
            raise ShapeError(f"document {int((lengths <= 0).argmax())} has no rows")
        object.__setattr__(self, "rows", np.ascontiguousarray(self.rows))
        object.__setattr__(self, "starts", np.ascontiguousarray(starts))

    @classmethod
    def of(cls, vectors: TokenVectors) -> Self:
        """The bits of texts, made now. Raises as `sign_rows` does, and ShapeError for a text without rows."""
        return cls(sign_rows(vectors), vectors.starts, vectors.dim)

    def __len__(self) -> int:
        """How many documents."""
        return self.starts.size - 1


@dataclass(frozen=True, eq=False)
class Asked:
    """A query as bits are scored with it.

    costs     (q, dim) uint8, what a sign that differs costs
    negative  (q, dim) bool
    finals    (q,) float32, what each best match counts
    """

    costs: NDArray[np.uint8]
    negative: NDArray[np.bool_]
    finals: Floats


def asked(query: Floats, weights: Floats | None) -> Asked:
    """A query's float32 rows (q, dim) and weights (q,) as they are scored."""
    integers, scales = quantised_rows(query)
    sizes = np.abs(integers.astype(np.int64))
    whole = sizes.sum(axis=1, keepdims=True)
    costs = np.minimum(_MOST, (2 * _MOST * sizes + whole // 2) // np.maximum(whole, 1)).astype(np.uint8)
    units = scales.astype(np.float64) * whole[:, 0] / (_MOST * _ALIKE * np.sqrt(max(query.shape[1], 1)))
    finals = units.astype(np.float32)
    return Asked(costs, integers < 0, finals if weights is None else finals * weights)


class Screen:
    """A query that many collections' sign bits are scored with: it is quantised once, and its tables are made once."""

    def __init__(self, query: ArrayLike, dim: int, weights: ArrayLike | None = None) -> None:
        """A query's rows (q, dim), and its weights (q,); None: 1 each. Raises as `colibri.scoring` says."""
        rows = query_rows(query, dim)
        self.dim = dim
        self._asked = asked(rows, token_weights(weights, len(rows)))
        self._tables: tuple[CompiledBits, lookup.Tables] | None = None

    def scores(
        self, signs: Signs, ids: ArrayLike | Sequence[int] | None = None, *, threads: int | None = None
    ) -> Floats:
        """As `screened`. Raises ShapeError for bits of another dim."""
        return self.all_scores([(signs, ids)], threads=threads)[0]

    def all_scores(
        self, some: Sequence[tuple[Signs, ArrayLike | Sequence[int] | None]], *, threads: int | None = None
    ) -> list[Floats]:
        """The same of several collections at once: bits, and the places that `screened` takes as `ids`; (n,) each."""
        threads = cores(threads)
        parts = [(signs, None if ids is None else document_ids(ids, len(signs))) for signs, ids in some]
        for signs, _ in parts:
            if signs.dim != self.dim:
                raise ShapeError(f"signs: bits of {signs.dim} dims, the query has {self.dim}")
        kernel = _kernel(self.dim, len(self._asked.costs), sum(len(signs.rows) for signs, _ in parts))
        if kernel is not None:
            return lookup.scores(kernel, self._packed(kernel), parts, threads)
        return [meant(self._asked, *_rows_of(signs, ids)) for signs, ids in parts]

    def _packed(self, kernel: "CompiledBits") -> lookup.Tables:
        if self._tables is None or self._tables[0] is not kernel:
            self._tables = (kernel, lookup.pack(kernel, self._asked))
        return self._tables[1]


def screened(
    query: ArrayLike,
    signs: Signs,
    weights: ArrayLike | None = None,
    ids: ArrayLike | Sequence[int] | None = None,
    *,
    threads: int | None = None,
) -> Floats:
    """Score documents by their sign bits: all, or those at places `ids` (any order, also more than once).

    Returns (n,) or (len(ids),) float32. Arguments and errors: see `colibri.scoring`. Equal rows of bits score equal
    bits wherever they lie, and on however many threads.
    """
    return Screen(query, signs.dim, weights).scores(signs, ids, threads=threads)


def _rows_of(signs: Signs, ids: Offsets | None) -> tuple[Bits, Offsets]:
    """The rows of documents, all or some, and where each begins among them."""
    if ids is None:
        return signs.rows, signs.starts
    starts = lookup.stream_of(signs, ids)
    places = np.repeat(signs.starts[ids] - starts[:-1], np.diff(starts)) + np.arange(starts[-1])
    return signs.rows[places], starts


def _kernel(dim: int, query_tokens: int, document_tokens: int) -> "CompiledBits | None":
    if query_tokens == 0 or document_tokens == 0 or dim == 0:
        return None  # nothing to do, which NumPy does without ado
    return engine.kernel("bits", query_tokens * document_tokens * dim)


def screening_kernel(dim: int, work: int) -> str | None:
    """The kernel that scores sign bits of rows so wide; None where NumPy would, by which bits take as long as rows.

    work: multiply-adds that the caller is about to do, by which a kernel is compiled when it is worth it.
    """
    kernel = engine.kernel("bits", work) if dim > 0 else None
    return None if kernel is None else kernel.kernel


def meant(query: Asked, rows: Bits, starts: Offsets) -> Floats:
    """The definition: scores (n,) float32 of documents that own rows (tokens, row_bytes(dim))."""
    found = np.empty(starts.size - 1, np.float32)
    tokens, dim = query.costs.shape
    # A sum of costs where signs differ: of all negative ones, less those that the row has too, plus those it alone has.
    costs = query.costs.astype(np.float32)
    signed = np.where(query.negative, -costs, costs)
    base = (costs * query.negative).sum(axis=1, keepdims=True)
    for first, last in runs(starts, max(1, SIMILARITIES_AT_ONCE // max(1, tokens, dim))):
        own = rows[starts[first] : starts[last]]
        bits = np.unpackbits(own[:, :-1], axis=1, count=dim, bitorder="little").astype(np.float32)
        losses = np.minimum(base + signed @ bits.T, _MOST)
        matches = (_MOST - losses) * own[:, -1]
        best = np.maximum.reduceat(matches, starts[first:last] - starts[first], axis=1)
        found[first:last] = sum_in_order(best * query.finals[:, None])
    return found
