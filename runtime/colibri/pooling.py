"""Which rows of a document become one, and that one. What `TokenVectors.pooled` is made of."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Spans = NDArray[np.int32]
Firsts = NDArray[np.int64]
"""Of each row the first one of those that become one with it."""

_TOGETHER = 1_024
"""Rows that are looked at together: twice 8 MB of distances, where all 8,192 of a long text would take a gigabyte."""


def pooled(
    rows: Floats, starts: NDArray[np.int64], spans: Spans | None, pool: int
) -> tuple[Floats, NDArray[np.int64], Spans | None, Spans | None]:
    """Rows, starts, spans and further spans of texts whose tokens are pooled, as `TokenVectors.pooled` defines.

    rows (tokens, dim), finite; starts (n + 1,); spans (tokens, 2) or None; pool at least 2
    """
    if spans is None:
        free = np.ones(len(rows), np.bool_)
        free[starts[:-1][np.diff(starts) > 0]] = False
    else:
        free = spans[:, 1] > spans[:, 0]
    firsts = clusters(rows, free, starts, pool)
    places = np.searchsorted(np.unique(firsts), starts).astype(np.int64)
    own, more = (None, None) if spans is None else merged_spans(spans, firsts)
    return merged_rows(rows, firsts), places, own, more


def clusters(rows: Floats, free: NDArray[np.bool_], starts: NDArray[np.int64], pool: int) -> Firsts:
    """Which rows become one: (tokens,) int64, of each row the first one of its cluster.

    rows    (tokens, dim) of all texts, finite
    free    (tokens,) which of them may be merged; each of the others is a cluster of its own
    starts  (n + 1,); a cluster lies within one text
    pool    how many rows a cluster has on average, at least 1

    Of the m rows of a text that may be merged, as long as there are more than m / pool clusters, those two become one
    whose merging adds least to the squared distances of rows from the means of their clusters, (n m / (n + m))
    |mean_n - mean_m|^2 (J. H. Ward, https://doi.org/10.1080/01621459.1963.10500845). Of a text that has more than 1,024
    such rows so many after the other.
    """
    found = np.arange(len(rows))
    for first, last in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        places = first + np.flatnonzero(free[first:last])
        for at in range(0, len(places), _TOGETHER):
            some = places[at : at + _TOGETHER]
            found[some] = some[_ward(rows[some].astype(np.float64), -(-len(some) // pool))]
    return found


def _ward(rows: NDArray[np.float64], wanted: int) -> Firsts:
    """Of each row the first one of its cluster, when there are as many clusters as wanted, at least 1.

    Two clusters of which each is what the other merges with best will become one, whatever is merged before: no merge
    is nearer to others than both of its parts were (https://doi.org/10.1093/comjnl/26.4.354), nor cheaper than theirs.
    So all such pairs are merged at once, and of all these merges the cheapest count: ten rounds for 234 rows and a pool
    of 2, where there are 117 merges.
    """
    into = np.arange(len(rows))
    left = len(rows) - wanted
    firsts, sums, sizes, heights = into.copy(), rows.copy(), np.ones(len(rows)), np.zeros(len(rows))
    # Of each merge its cost, the first row of the one, the first row of the other. Rows that are the same, of which any
    # two are a pair and none a round's only choice, come first: a thousand of them took 9 s.
    seen: dict[bytes, int] = {}
    twins = np.array([seen.setdefault(row.tobytes(), i) for i, row in enumerate(rows)], np.int64)
    again = np.flatnonzero(twins != firsts)
    made = np.stack([np.zeros(len(again)), twins[again], again])
    np.add.at(sums, twins[again], rows[again])
    np.add.at(sizes, twins[again], 1)
    firsts = np.flatnonzero(twins == firsts)
    sums, sizes, heights = sums[firsts], sizes[firsts], heights[firsts]
    memory = np.empty((2, len(firsts) ** 2 if left else 0))
    while left:
        count = len(firsts)
        costs, shares = (own[: count * count].reshape(count, count) for own in memory)
        means = sums / sizes[:, None]
        squares = np.einsum("td,td->t", means, means)
        np.matmul(means, means.T, out=costs)
        costs *= -2
        costs += squares[:, None]
        costs += squares
        costs /= np.add.outer(1 / sizes, 1 / sizes, out=shares)
        costs.flat[:: count + 1] = np.inf
        nearest = costs.argmin(axis=1)
        ones = np.flatnonzero(nearest[nearest] == np.arange(count))
        ones = ones[ones < nearest[ones]]
        others = nearest[ones]
        price = np.maximum(costs[ones, others], np.maximum(heights[ones], heights[others]))
        if made.shape[1] >= left:
            cheap = price < np.partition(made[0], left - 1)[left - 1]
            ones, others, price = ones[cheap], others[cheap], price[cheap]
        if not ones.size:
            break
        made = np.concatenate([made, [price, firsts[ones], firsts[others]]], axis=1)
        heights[ones] = price
        sums[ones] += sums[others]
        sizes[ones] += sizes[others]
        stay = np.ones(count, np.bool_)
        stay[others] = False
        firsts, sums, sizes, heights = firsts[stay], sums[stay], sizes[stay], heights[stay]
    cheapest = np.argsort(made[0], kind="stable")[:left]
    into[made[2, cheapest].astype(np.int64)] = made[1, cheapest].astype(np.int64)
    for row in np.flatnonzero(into != np.arange(len(into))).tolist():  # ascending: what it went into is known
        into[row] = into[into[row]]
    return into


def merged_rows(rows: Floats, firsts: Firsts) -> Floats:
    """One row a cluster, in the order of their first: the direction of the mean, as long as its rows are on average, so
    that unit rows give unit rows. A cluster of one row is that row, to the bit; rows that cancel each other out give
    the first of them."""
    order = np.argsort(firsts, kind="stable")
    begins = np.flatnonzero(np.diff(firsts[order], prepend=-1))
    sizes = np.diff(begins, append=len(rows))
    found = rows[order[begins]]
    many = np.flatnonzero(sizes > 1)
    if not many.size:
        return found
    wide = rows[order].astype(np.float64)
    means = np.add.reduceat(wide, begins)[many] / sizes[many, None]
    lengths = np.add.reduceat(np.linalg.norm(wide, axis=1), begins)[many] / sizes[many]
    norms = np.linalg.norm(means, axis=1)
    told = norms > 1e-6 * lengths  # what is less is rounding: no direction
    found[many[told]] = means[told] * (lengths[told] / norms[told])[:, None]
    return found


def spans_within(more: Spans | None, first: int, last: int) -> Spans | None:
    """Of further spans those of rows [first, last), which are counted from the first of them."""
    if more is None:
        return None
    own = more[np.searchsorted(more[:, 0], first) : np.searchsorted(more[:, 0], last)].copy()
    own[:, 0] -= np.int32(first)
    return own


def merged_spans(spans: Spans, firsts: Firsts) -> tuple[Spans, Spans]:
    """The characters of each cluster: the first of them, (clusters, 2), and all further ones, (further, 3): which
    cluster, and [start, end), in order. Tokens that follow each other in one cluster are one span."""
    none: NDArray[Any] = np.empty((0, 2), np.int32)
    if not len(spans):
        return none, np.empty((0, 3), np.int32)
    begins = np.flatnonzero(np.diff(firsts, prepend=-1))
    starts = np.minimum.reduceat(spans[:, 0], begins)
    ends = np.maximum.reduceat(spans[:, 1], begins)
    rows = np.searchsorted(np.unique(firsts), firsts[begins])
    own = np.column_stack([rows, starts, ends]).astype(np.int32)
    own = own[np.argsort(rows, kind="stable")]
    first = np.diff(own[:, 0], prepend=-1) > 0
    return own[first, 1:], own[~first]
