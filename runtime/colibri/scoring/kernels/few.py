"""Sign bits against few query tokens, by rows that are turned (turned.py), as compiled Python: texts for the compiler,
as scan.py is. TURNED, filled in by build.py, is how many dims are looked up at once.
"""

# ruff: noqa: F821 - filled in by build.py
# mypy: ignore-errors

from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from colibri.scoring.kernel import BITS_WINDOW
from colibri.scoring.kernels import turned
from colibri.scoring.kernels.intrinsics import pointer
from colibri.scoring.kernels.scan import MANY
from colibri.scoring.names import SIX
from colibri.scoring.shapes import TURNED_DIMS

_I64 = types.int64


@intrinsic
def turn(_: Any, dim: Any, rows: Any, nibbles: Any, factors: Any) -> Any:
    """`turned.emit_turn` of one of TURNED_DIMS. Returns nothing."""
    return types.void(*[_I64] * 4), _of_dim(turned.emit_turn)


@intrinsic
def matched(_: Any, dim: Any, table: Any, tokens: Any, nibbles: Any, factors: Any, matches: Any) -> Any:
    """`turned.emit_matches` of one of TURNED_DIMS. Returns nothing."""
    return types.void(*[_I64] * 6), _of_dim(turned.emit_matches)


@intrinsic
def sixes(_: Any, dim: Any, rows: Any, table: Any, tokens: Any, matches: Any) -> Any:
    """`turned.emit_sixes` of one of TURNED_DIMS. Returns nothing."""
    return types.void(*[_I64] * 5), _of_dim(turned.emit_sixes)


@intrinsic
def best(
    _: Any,
    tokens: Any,
    ends: Any,
    add: Any,
    matches: Any,
    count: Any,
    before: Any,
    before_step: Any,
    kept: Any,
    masks: Any,
    finals: Any,
    total: Any,
) -> Any:
    """`turned.emit_best` of the fewest of FEW that hold so many query tokens. Returns nothing."""

    def generate(context: Any, b: Any, _: Any, values: Any) -> Any:
        few, *flags = values[:3]
        ended, added = (b.icmp_signed("!=", flag, ir.Constant(flag.type, 0)) for flag in flags)
        *part, own_finals, own_total = values[3:]

        def emit(count: int) -> None:
            turned.emit_best(b, count, turned.Part(*part), ended, own_finals, own_total, added)

        _first_that(b, [(count, b.icmp_signed("<=", few, ir.Constant(few.type, count))) for count in turned.FEW], emit)
        return context.get_dummy_value()

    return types.void(*[_I64] * 11), generate


def _of_dim(emit: Any) -> Any:
    """A generator of code that branches on its first argument, one of TURNED_DIMS, and returns nothing."""

    def generate(context: Any, b: Any, _: Any, values: Any) -> Any:
        dim, *others = values
        cases = [(one, b.icmp_signed("==", dim, ir.Constant(dim.type, one))) for one in TURNED_DIMS]
        _first_that(b, cases, lambda one: emit(b, one, *others))
        return context.get_dummy_value()

    return generate


def _first_that(b: Any, cases: Any, emit: Any) -> None:
    """emit(number) for the first of (number, condition) whose condition holds; nothing where none does."""
    done = b.append_basic_block("emitted")
    for number, holds in cases:
        this, other = b.append_basic_block("this"), b.append_basic_block("other")
        b.cbranch(holds, this, other)
        b.position_at_end(this)
        emit(number)
        b.branch(done)
        b.position_at_end(other)
    b.branch(done)
    b.position_at_end(done)


def few(table, tokens, finals, rows, dim, starts, ids, begin, end, add, room):
    """Score a window's documents begin to end - 1 with at most FEW[-1] query tokens.

    table   (tokens, dim / 4, 16) uint8, or (tokens, dim / 6, 64) where TURNED is 6; dim is one of TURNED_DIMS
    finals  (16,) float32
    room    what `bits.scan` has: first the documents' totals, which are added to where `add` is not 0
    others as `bits.scan` has them.
    """
    starts_of, ids_of = carray(pointer(starts), (MANY,), np.int64), carray(pointer(ids), (MANY,), np.int64)
    stride = dim // 8 + 1
    matches = room + 64 * BITS_WINDOW
    nibbles = matches + turned.FEW[-1] * turned.STRIDE
    factors = nibbles + turned.CHUNK * TURNED_DIMS[-1] // 4
    kept = factors + 2 * turned.CHUNK
    masks = kept + 32 * turned.FEW[-1]
    nothing, copied = masks + 32, masks + 64
    words = carray(pointer(masks), (32,), np.uint16)
    for i in range(16):
        words[i], words[16 + i] = 65535, 0

    # The documents' rows are a stream. `done` rows of `document` have been looked at; where documents lie anywhere,
    # `taken` rows of `following` have been copied.
    document, done, following, taken = begin, 0, begin, 0
    at = rows + starts_of[begin] * stride if ids == 0 else 0
    left = rows_of(starts, ids, begin, end)
    while left > 0:
        size = min(turned.BUFFER, left)
        for first in range(0, size, turned.CHUNK):
            source, wanted = at, min(turned.CHUNK, left - first)
            if ids != 0:
                source = copied
                following, taken = gathered(rows, stride, starts, ids, following, taken, wanted, copied)
            elif left - first <= turned.CHUNK:  # behind the last row may be nothing, where 16 bytes are read
                source = copied
                copy_bytes(at, wanted * stride, copied)
            at += turned.CHUNK * stride
            if TURNED == SIX:
                sixes(dim, source, table, tokens, matches + 2 * first)
            else:
                turn(dim, source, nibbles, factors)
                matched(dim, table, tokens, nibbles, factors, matches + 2 * first)
        place = 0
        while place < size:
            own = ids_of[document] if ids != 0 else document
            length = starts_of[own + 1] - starts_of[own]
            count = min(length - done, size - place)
            before, step = (kept, 32) if done > 0 else (nothing, 0)
            done += count
            total = room + 64 * (document - begin)
            ends = 1 if done == length else 0
            best(tokens, ends, add, matches + 2 * place, count, before, step, kept, masks, finals, total)
            place += count
            if ends != 0:
                document, done = document + 1, 0
        left -= size


def rows_of(starts, ids, begin, end):
    """How many rows documents begin to end - 1 own."""
    starts_of, ids_of = carray(pointer(starts), (MANY,), np.int64), carray(pointer(ids), (MANY,), np.int64)
    if ids == 0:
        return starts_of[end] - starts_of[begin]
    count = 0
    for i in range(begin, end):
        count += starts_of[ids_of[i] + 1] - starts_of[ids_of[i]]
    return count


def gathered(rows, stride, starts, ids, document, taken, wanted, target):
    """Copy so many rows of documents that lie anywhere, end to end, from row `taken` of a document on. Returns the
    document and the row in it that come next."""
    starts_of, ids_of = carray(pointer(starts), (MANY,), np.int64), carray(pointer(ids), (MANY,), np.int64)
    while wanted > 0:
        own = starts_of[ids_of[document]]
        length = starts_of[ids_of[document] + 1] - own
        count = min(length - taken, wanted)
        copy_bytes(rows + (own + taken) * stride, count * stride, target)
        target += count * stride
        wanted -= count
        taken += count
        if taken == length:
            document, taken = document + 1, 0
    return document, taken


def copy_bytes(source, count, target):
    """Copy bytes, eight at a time and what is left."""
    words, into = carray(pointer(source), (count // 8,), np.int64), carray(pointer(target), (count // 8,), np.int64)
    for i in range(count // 8):
        into[i] = words[i]
    octets, last = carray(pointer(source), (count,), np.uint8), carray(pointer(target), (count,), np.uint8)
    for i in range(count // 8 * 8, count):
        last[i] = octets[i]


HELPERS = (copy_bytes, rows_of, gathered, few)
"""What is compiled before `bits.scan` where rows can be turned."""
