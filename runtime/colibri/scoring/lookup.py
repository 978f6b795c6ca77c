"""Scoring sign bits with a compiled kernel: a query's tables, the pieces of a collection, what each piece writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from colibri.scoring import pool
from colibri.scoring.collection import Floats, address
from colibri.scoring.compiled import split
from colibri.scoring.kernel import BITS_ROOM
from colibri.scoring.names import NARROW, WIDE
from colibri.scoring.shapes import SHAPES, TURNED_DIMS, TURNED_TOKENS, shape_of
from colibri.vectors import Offsets

if TYPE_CHECKING:
    from colibri.scoring.kernel import CompiledBits

_WORTH_A_THREAD = 400_000
"""Look-ups (75 us of an AVX2 core): about what waking a thread costs."""
_PIECES_A_THREAD = 4


class Query(Protocol):
    """A query as `bits.Asked` has it."""

    @property
    def costs(self) -> NDArray[np.uint8]:
        """(q, dim), what a sign that differs costs."""

    @property
    def negative(self) -> NDArray[np.bool_]:
        """(q, dim)."""

    @property
    def finals(self) -> Floats:
        """(q,), what each best match counts."""


class Rows(Protocol):
    """Documents' rows of bits as `bits.Signs` has them."""

    @property
    def rows(self) -> NDArray[np.uint8]:
        """(tokens, row_bytes), contiguous."""

    @property
    def starts(self) -> Offsets:
        """(n + 1,), contiguous."""

    @property
    def dim(self) -> int:
        """Of the vectors that they are bits of."""


@dataclass(frozen=True, eq=False)
class Tables:
    """A query in a kernel's layout. The addresses are into `room`, which they keep alive.

    wides, narrows            tables of 32 query tokens, and of 16: one or none
    turned                    query tokens of a table for rows that are turned, in place of one of 16; 0: there is none
    wide_shape, narrow_shape  how they are made (shapes.py)
    wide_bytes                of a table of 32
    lookups                   of each row, in all tables
    """

    room: NDArray[np.uint8]
    tables: int
    finals: int
    wides: int
    narrows: int
    turned: int
    wide_shape: int
    narrow_shape: int
    wide_bytes: int
    lookups: int


def pack(kernel: "CompiledBits", query: Query) -> Tables:
    """Look up once what every combination of a few signs costs: 32 query tokens a table, 16 where no more are left, or
    as many as are left where rows are turned for them (kernels/turned.py)."""
    tokens, dim = query.costs.shape
    wides = (tokens + NARROW - 1) // WIDE
    left = max(0, tokens - WIDE * wides)
    turned = left if left <= TURNED_TOKENS[kernel.turned] and dim in TURNED_DIMS else 0
    turned_groups = -(-dim // kernel.turned) if turned else 0
    narrows = int(left > turned)
    lanes = [WIDE] * wides + [NARROW] * narrows
    wide, narrow = (shape_of(dim, width) for width in (WIDE, NARROW))
    groups, few_groups = (SHAPES[number].places(dim) for number in (wide, narrow))
    wide_bytes = SHAPES[wide].table_bytes(dim)
    size = wides * wide_bytes + narrows * SHAPES[narrow].table_bytes(dim) + (turned * turned_groups << kernel.turned)
    room = np.zeros(64 + size + 63 + 4 * (WIDE * wides + NARROW), np.uint8)
    tables = address(room) + 63 & -64  # a cache line's start: registers that cross lines take two loads
    finals = tables + (size + 63 & -64)
    room[finals - address(room) :][: 4 * (WIDE * wides + NARROW)].view(np.float32)[:tokens] = query.finals
    for number, width in enumerate(lanes):
        part = slice(WIDE * number, WIDE * number + width)
        costs = _costs(query.costs[part], query.negative[part], width)
        places = groups if width == WIDE else few_groups
        kernel.fill(address(places), len(places), width, address(costs), tables + number * wide_bytes)
    if turned:
        some = turned_table(query.costs[-turned:], query.negative[-turned:], kernel.turned)
        room[tables + wides * wide_bytes - address(room) :][: some.size] = some.ravel()
    # A row that is turned takes as long as one or two look-ups of 16 tokens, and some for each token.
    lookups = wides * len(groups) + narrows * len(few_groups) + (turned > 0) + turned * turned_groups // 28
    return Tables(room, tables, finals, wides, narrows, turned, wide, narrow, wide_bytes, lookups)


def turned_table(costs: NDArray[np.uint8], negative: NDArray[np.bool_], size: int) -> NDArray[np.uint8]:
    """What every combination of the signs of `size` dims costs each query token: (tokens, groups, 2 ** size) uint8, bit
    i of an entry's number being whether dim i of the group is negative. What a last group lacks costs nothing."""
    tokens, dim = costs.shape
    lacking = ((0, 0), (0, -dim % size))
    set_ = ((np.arange(1 << size)[:, None] >> np.arange(size)) & 1).astype(np.int32)  # (2 ** size, size)
    some = (tokens, -1, 1, size)
    own = np.pad(costs, lacking).astype(np.int32).reshape(some)
    differs = np.pad(negative, lacking).reshape(some) != set_.astype(np.bool_)
    made: NDArray[np.uint8] = np.minimum(255, np.sum(own * differs, axis=3)).astype(np.uint8)
    return made


def _costs(costs: NDArray[np.uint8], negative: NDArray[np.bool_], lanes: int) -> NDArray[np.uint8]:
    """What a sign that is clear and one that is set cost: (dims in whole bytes, 2, lanes), in the order of a table.

    Bytes 2 i and 2 i + 1 of 32 are tokens i of both lines of 16: they come apart as the halves of 16-bit words.
    """
    tokens, dim = costs.shape
    both = np.zeros((lanes, -(-dim // 8) * 8, 2), np.uint8)
    both[:tokens, :dim, 0] = costs * negative
    both[:tokens, :dim, 1] = costs * ~negative
    lines = both.reshape(lanes // NARROW, NARROW, -1, 2).transpose(2, 3, 1, 0)
    return np.ascontiguousarray(lines).reshape(-1, 2, lanes)


def scores(
    kernel: "CompiledBits", query: Tables, some: Sequence[tuple[Rows, Offsets | None]], threads: int
) -> list[Floats]:
    """Scores of documents of several collections, all or at some places: (n,) float32 each, end to end in one array.
    Threads share the pieces of all of them: a job for each of fifty segments costs two threads 4 ms of a search."""
    streams = [stream_of(signs, ids) for signs, ids in some]
    ends = np.cumsum([0, *(stream.size - 1 for stream in streams)]).tolist()
    found = np.empty(ends[-1], np.float32)
    all_tokens = sum(int(stream[-1]) for stream in streams)
    wanted = 1 if threads <= 1 else min(threads * _PIECES_A_THREAD, query.lookups * all_tokens // _WORTH_A_THREAD)
    pieces: list[tuple[tuple[int, ...], int, int, int]] = []
    for (signs, ids), stream, end in zip(some, streams, ends[:-1], strict=True):
        own = (*_own(query, signs), 0 if ids is None else address(ids))
        for first, last in pairwise(split(stream, wanted * int(stream[-1]) // max(1, all_tokens))):
            pieces.append((own, first, last, address(found) + 4 * end))

    def piece(i: int) -> None:
        own, first, last, out = pieces[i]
        room = np.empty(BITS_ROOM, np.uint8)
        kernel.scan(*own, first, last, out, address(room))

    pool.run(piece, len(pieces), threads if wanted > 1 else 1)
    return [found[first:last] for first, last in pairwise(ends)]


def stream_of(signs: Rows, ids: Offsets | None) -> Offsets:
    """(n + 1,) where each document, of all or of some, begins in the stream of their tokens."""
    if ids is None:
        return signs.starts
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(signs.starts[ids + 1] - signs.starts[ids])])


def _own(query: Tables, signs: Rows) -> tuple[int, ...]:
    """What every piece passes to bits.scan_bits before the places of documents."""
    own = (query.tables, query.finals, query.wides, query.narrows, query.turned, query.wide_shape, query.narrow_shape)
    return (*own, query.wide_bytes, address(signs.rows), signs.dim, address(signs.starts))
