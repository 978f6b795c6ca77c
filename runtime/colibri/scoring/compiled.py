"""Scoring with a compiled kernel: the packed query, the pieces of a collection, and what each piece writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from colibri.scoring import pool
from colibri.scoring.collection import Collection, Floats, address
from colibri.vectors import Offsets

if TYPE_CHECKING:
    from colibri.scoring.kernel import Compiled

_WORTH_A_THREAD = 30_000_000
"""Multiply-adds (75 us of the fastest int8 kernel): about what waking a thread costs."""
_PIECES_A_THREAD = 4  # so that a thread which another program holds up does not hold up the answer
_WIDEST_BIASED = 512  # sums of 512 products of 127 x -128 are below 2^23
_BATCH_BYTES = 1 << 19  # rows that stay in a core's cache while every query of a batch passes over them


@dataclass(frozen=True, eq=False)
class Packed:
    """A query in a kernel's layout. The addresses are into `room`, which they keep alive.

    biased  whether integer sums begin as floats of 2^23 (see kernels/tile.py, FLOAT_BITS)
    """

    room: NDArray[np.uint8]
    words: int
    finals: int
    initial: int
    groups: int
    biased: bool


@dataclass(frozen=True, eq=False)
class Stream:
    """Documents in the order they are scored: all of a collection, or some of it.

    starts  (n + 1,) int64, where each begins in the stream of tokens
    ids     (n,) int64, their places in the collection; None: it is the collection
    """

    starts: Offsets
    ids: Offsets | None = None

    @classmethod
    def of(cls, c: Collection, ids: Offsets) -> "Stream":
        """Some documents of a collection."""
        lengths = c.starts[ids + 1] - c.starts[ids]
        return cls(np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]), ids)


def pack(kernel: "Compiled", rows: Floats, weights: Floats | None, c: Collection) -> Packed:
    """Lay a query's rows (q, dim) out for a kernel and a collection, quantised where it scores int8."""
    tokens, dim = rows.shape
    groups = max(1, -(-tokens // 16))  # a batch may hold a query without tokens: its score is 0
    word_bytes = -(-dim // kernel.per_word) * groups * 64
    room = np.empty(word_bytes + 64 * groups * (1 + kernel.initials(dim)) + 64, np.uint8)
    words = address(room) + 63 & -64  # a cache line's start: registers that cross lines take two loads
    finals = words + word_bytes
    bits = kernel.float_bits if c.ordinary_scales and dim <= _WIDEST_BIASED else 0
    packed = Packed(room, words, finals, finals + 64 * groups, groups, bits != 0)
    given = 0 if weights is None else address(weights)
    kernel.pack(address(rows), tokens, dim, given, words, finals, packed.initial, groups, bits)
    return packed


def scores(kernel: "Compiled", query: Packed, c: Collection, stream: Stream, threads: int) -> Floats:
    """MaxSim of the stream's documents: (n,) float32."""
    found = np.empty(stream.starts.size - 1, np.float32)
    out = address(found)
    arguments = _arguments(query, c, stream)
    bounds = _bounds(query, c, stream, threads)

    def piece(i: int) -> None:
        room = _room(kernel, query, c)
        kernel.scan(*arguments, bounds[i], bounds[i + 1], out, 0, 0, address(room))

    pool.run(piece, len(bounds) - 1, threads)
    return found


@dataclass(frozen=True, eq=False)
class Some:
    """Some documents of one of several collections that are scored at once: its kernel, the query laid out for it."""

    kernel: "Compiled"
    query: Packed
    collection: Collection
    stream: Stream


def several(parts: Sequence[Some], threads: int) -> list[Floats]:
    """MaxSim of each part's documents: (n,) float32 each. Threads share the pieces of all parts."""
    found = [np.empty(part.stream.starts.size - 1, np.float32) for part in parts]
    pieces: list[tuple[Some, tuple[Any, ...], int, int, int]] = []
    for part, own in zip(parts, found, strict=True):
        arguments = _arguments(part.query, part.collection, part.stream)
        bounds = _bounds(part.query, part.collection, part.stream, threads)
        pieces += [(part, arguments, first, last, address(own)) for first, last in pairwise(bounds)]

    def piece(i: int) -> None:
        part, arguments, first, last, out = pieces[i]
        room = _room(part.kernel, part.query, part.collection)
        part.kernel.scan(*arguments, first, last, out, 0, 0, address(room))

    work = sum(16 * part.query.groups * part.collection.dim * int(part.stream.starts[-1]) for part in parts)
    pool.run(piece, len(pieces), threads if work > _WORTH_A_THREAD else 1)
    return found


@dataclass(frozen=True, eq=False)
class Part:
    """One of the collections that share a top-k: its kernel, the query laid out for it, and its first place of all."""

    kernel: "Compiled"
    query: Packed
    collection: Collection
    first: int


def top(parts: Sequence[Part], k: int, threads: int) -> tuple[Offsets, Floats]:
    """The k best of all parts: places (k,) counted from the first part's first, and scores (k,), as `Top` orders."""
    pieces: list[tuple[Part, tuple[Any, ...], int, int, NDArray[np.float64], Offsets]] = []
    for part in parts:
        stream = Stream(part.collection.starts)
        arguments = _arguments(part.query, part.collection, stream)
        for first, last in pairwise(_bounds(part.query, part.collection, stream, threads)):
            size = min(k, last - first)
            room = np.empty(2 * size, np.float64)
            pieces.append((part, arguments, first, last, room[:size], room[size:].view(np.int64)))

    def piece(i: int) -> None:
        part, arguments, first, last, values, _ = pieces[i]
        room = _room(part.kernel, part.query, part.collection)
        part.kernel.scan(*arguments, first, last, 0, len(values), address(values), address(room))

    pool.run(piece, len(pieces), threads)
    values = np.concatenate([values for *_, values, _ in pieces])
    places = np.concatenate([places + part.first for part, *_, places in pieces])
    return best_of(places, values.astype(np.float32), k)


def best_of(places: Offsets, scores: Floats, k: int) -> tuple[Offsets, Floats]:
    """The k best, as `search.Top` orders them."""
    order = np.lexsort((places, -scores))[:k]
    return places[order], scores[order]


def batch(kernel: "Compiled", queries: Sequence[Packed], c: Collection, threads: int) -> Floats:
    """MaxSim of every query with every document: (queries, n) float32. Rows are read once for all queries."""
    stream = Stream(c.starts)
    count = c.starts.size - 1
    found = np.empty((len(queries), count), np.float32)
    out = address(found)
    row_bytes = max(1, c.rows.shape[1] * c.rows.itemsize)
    bounds = split(c.starts, max(1, len(c.rows) * row_bytes // _BATCH_BYTES))
    chunks = len(bounds) - 1
    blocks = 1 if chunks >= threads * _PIECES_A_THREAD else min(len(queries), threads * _PIECES_A_THREAD)

    def piece(i: int) -> None:
        chunk, block = divmod(i, blocks)
        for q in range(len(queries) * block // blocks, len(queries) * (block + 1) // blocks):
            arguments = _arguments(queries[q], c, stream)
            room = _room(kernel, queries[q], c)
            kernel.scan(*arguments, bounds[chunk], bounds[chunk + 1], out + 4 * count * q, 0, 0, address(room))

    pool.run(piece, chunks * blocks, threads)
    return found


def split(starts: Offsets, pieces: int) -> list[int]:
    """Documents 0 to n in at most so many pieces of about equally many tokens, none empty: their bounds."""
    count = starts.size - 1
    if pieces <= 1 or count <= 1:
        return [0, count]
    targets = np.arange(1, pieces) * (int(starts[-1]) / pieces)
    inner = np.searchsorted(starts, targets)
    return [0, *(int(bound) for bound in np.unique(inner) if 0 < bound < count), count]


def _room(kernel: "Compiled", query: Packed, c: Collection) -> NDArray[np.uint8]:
    """What one call of a kernel's `scan` works in."""
    return np.empty(kernel.room_bytes(c.dim, query.groups), np.uint8)


def _bounds(query: Packed, c: Collection, stream: Stream, threads: int) -> list[int]:
    if threads <= 1:
        return [0, stream.starts.size - 1]
    work = 16 * query.groups * c.dim * int(stream.starts[-1])
    return split(stream.starts, min(threads * _PIECES_A_THREAD, work // _WORTH_A_THREAD))


def _arguments(query: Packed, c: Collection, stream: Stream) -> tuple[Any, ...]:
    """What every piece passes to scan.scan before its bounds."""
    ids = stream.ids
    return (
        query.words,
        query.finals,
        query.initial,
        query.groups,
        query.biased,
        c.rows_address,
        c.dim,
        c.scales_address,
        c.scale_stride,
        c.starts_address if ids is None else address(stream.starts),
        c.starts_address,
        0 if ids is None else address(ids),
    )
