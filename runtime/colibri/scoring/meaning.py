"""What a score is, in NumPy: the meaning of every kernel, and the answer where none runs (yet).

float32 and float16: a similarity is the dot product of a query row and a document row.

int8, int4: the query is quantised to int8 as `TokenVectors.quantize` does, so that token i is integers Q[i] times a
scale a[i], and a document token t is integers D[t] times a scale b[t] (1 where there are none). Then

    similarity(i, t) = float32(Q[i] . D[t]) * b[t]          the sum is exact, the product rounded to float32
    score            = sum over i of (max over t of similarity(i, t)) * (a[i] * weight[i])

with every operation in float32. Both kinds sum in one order: the query's tokens in rows of 16 (zeros fill the last),
the rows one after the other, then the upper half onto the lower, four times.

What is promised: an int8 or int4 score is the same bits whoever computes it. A float score is the same bits from one
kernel or from NumPy, whatever is scored beside it and on however many threads; between kernels, and from NumPy, it
differs by at most 1e-6 a query token of unit length.

A matrix product sums floats in an order that depends on its shape and on a column's place in it. So floats are
multiplied document by document, those of one length in one call; integers, whose sums are exact, many at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colibri.quantised import quantised_rows, unpacked_nibbles
from colibri.scoring.collection import Floats
from colibri.vectors import Offsets, Rows

SIMILARITIES_AT_ONCE = 1 << 20  # 4 MB, which stay in cache
LARGEST_EXACT_DIM = 1040  # 1040 x 127 x 127 < 2^24: below, float32 adds such integers exactly in any order
LANES = 16

_NO_SCALES: Floats = np.ones(1, np.float32)
_VALUES_AT_ONCE = 1 << 17  # of rows gathered: 512 KB stay in a core's cache
# Multiply-adds of one product. Above, OpenBLAS wakes its threads, which on a busy machine wait for each other: 600 ms
# where one thread takes 150 (4,000 documents of 60 to 300 tokens, 128 dims).
_UNTHREADED = 1 << 18


@dataclass(frozen=True, eq=False)
class Query:
    """A query's rows as they are multiplied, (q, dim) float32, and what each maximum counts, (q,) float32."""

    rows: Floats
    finals: Floats


def prepare(query: Floats, weights: Floats | None, *, integer: bool) -> Query:
    """Quantise to int8 where the documents are int8 or int4, and put the weights in."""
    finals = np.ones(len(query), np.float32)
    if integer:
        integers, finals = quantised_rows(query)
        query = integers.astype(np.float32)
    return Query(query, finals if weights is None else finals * weights)


def scores(query: Query, rows: Rows, scales: Floats, starts: Offsets) -> Floats:
    """MaxSim of every document, (n,) float32. The arrays are those of a Collection."""
    found = np.empty(starts.size - 1, np.float32)
    at_once = max(1, SIMILARITIES_AT_ONCE // max(1, len(query.rows)))
    if rows.dtype.kind == "f":
        _float_scores(query, rows, starts, at_once, found)
        return found
    for first, last in runs(starts, at_once):
        tokens = slice(starts[first], starts[last])
        own = scales if scales.size == 1 else scales[tokens]
        # reduceat gives a wrong value for an empty segment; collections have none.
        best = np.maximum.reduceat(similarities(query, rows[tokens], own), starts[first:last] - starts[first], axis=1)
        found[first:last] = sum_in_order(best * query.finals[:, None])
    return found


def _float_scores(query: Query, rows: Rows, starts: Offsets, at_once: int, found: Floats) -> None:
    """Write the score of every document: a product of one shape for each, whatever is around it."""
    lengths = np.diff(starts)
    order = np.argsort(lengths, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
        if not group.size:
            continue
        length = int(lengths[group[0]])
        step = max(1, min(at_once, _VALUES_AT_ONCE // max(1, rows.shape[1])) // length)
        for first in range(0, len(group), step):
            some = group[first : first + step]
            own = rows[starts[some][:, None] + np.arange(length)]  # (documents, tokens, dim)
            best = similarities(query, own, _NO_SCALES).max(axis=2)
            found[some] = sum_in_order((best * query.finals).T)


def top(query: Query, rows: Rows, scales: Floats, starts: Offsets, k: int) -> tuple[Offsets, Floats]:
    """The k best documents: places (k,) int64 and scores (k,), best first, of equal scores the earlier place first."""
    places: Offsets = np.zeros(0, np.int64)
    best = np.zeros(0, np.float32)
    for first, last in runs(starts, max(1, SIMILARITIES_AT_ONCE // max(1, len(query.rows)))):
        tokens = slice(starts[first], starts[last])
        own = scales if scales.size == 1 else scales[tokens]
        best = np.concatenate([best, scores(query, rows[tokens], own, starts[first : last + 1] - starts[first])])
        places = np.concatenate([places, np.arange(first, last)])
        order = np.argsort(-best, kind="stable")[:k]
        best, places = best[order], places[order]
    return places, best


def similarities(query: Query, rows: Rows, scales: Floats) -> Floats:
    """(q, t) float32 of rows (t, dim), or (n, q, t) of (n, t, dim) floats; of integers without the query's scale."""
    if rows.dtype.kind == "f":
        # Rows that lie unaligned, as in a file, would be multiplied by another routine.
        columns = np.require(rows, np.float32, "A").swapaxes(-1, -2)
        products = np.empty((*rows.shape[:-2], len(query.rows), rows.shape[-2]), np.float32)
        step = max(16, _UNTHREADED // max(1, query.rows.size))
        for first in range(0, rows.shape[-2], step):
            part = slice(first, first + step)
            np.matmul(query.rows, columns[..., part], out=products[..., part])
        return products
    if rows.dtype == np.uint8:
        rows = unpacked_nibbles(rows)
    kind: type[Any] = np.float32 if rows.shape[1] <= LARGEST_EXACT_DIM else np.float64
    sums: Floats = (query.rows.astype(kind, copy=False) @ rows.astype(kind).T).astype(np.float32, copy=False)
    sums *= scales
    return sums


def sum_in_order(parts: Floats) -> Floats:
    """Sum (q, n) over q in the order that is part of the score's meaning."""
    lines = -(-len(parts) // LANES)
    padded: NDArray[np.float32] = np.zeros((max(1, lines), LANES, parts.shape[1]), np.float32)
    padded.reshape(-1, parts.shape[1])[: len(parts)] = parts
    total = padded[0]
    for line in padded[1:]:
        total = total + line
    while len(total) > 1:
        half = len(total) // 2
        total = total[:half] + total[half:]
    result: Floats = total[0]
    return result


def runs(starts: Offsets, tokens: int) -> Iterator[tuple[int, int]]:
    """Split documents into runs of at most so many tokens, or one longer document."""
    first, count = 0, starts.size - 1
    while first < count:
        last = int(np.searchsorted(starts, starts[first] + tokens, side="right")) - 1
        last = max(last, first + 1)
        yield first, last
        first = last
