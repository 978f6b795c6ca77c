"""Documents' sign bits scored by look-ups (lookups.py, turned.py), as compiled Python: texts for the compiler, as
scan.py is. TURNED, filled in by build.py, is how many dims turned.py's instructions look up at once; 0: there are none."""

# ruff: noqa: F821 - filled in by build.py
# mypy: ignore-errors

from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from colibri.scoring.kernel import BITS_WINDOW
from colibri.scoring.kernels import lookups, turned
from colibri.scoring.kernels.intrinsics import pointer, sum_lanes
from colibri.scoring.kernels.scan import MANY
from colibri.scoring.names import NARROW, WIDE
from colibri.scoring.shapes import SHAPES, SIX, TURNED_DIMS

_I64 = types.int64


def _doubled(lanes: int) -> Any:
    """`lookups.emit_double` of (entries, count, clear, set). Returns nothing."""

    @intrinsic
    def double(_: Any, entries: Any, count: Any, clear: Any, set_: Any) -> Any:
        def generate(context: Any, b: Any, _: Any, values: Any) -> Any:
            lookups.emit_double(b, lanes, *values)
            return context.get_dummy_value()

        return types.void(*[_I64] * 4), generate

    return double


@intrinsic
def document(
    _: Any,
    shape: Any,
    add: Any,
    table: Any,
    rows: Any,
    count: Any,
    stride: Any,
    words: Any,
    tail: Any,
    finals: Any,
    total: Any,
) -> Any:
    """`lookups.emit_document` of one of SHAPES. Returns nothing."""

    def generate(context: Any, b: Any, _: Any, values: Any) -> Any:
        which, more, *others = values
        at, added = lookups.Operands(*others), b.icmp_signed("!=", more, ir.Constant(more.type, 0))
        done = b.append_basic_block("scored")
        blocks = [b.append_basic_block("shape") for _ in SHAPES]
        switch = b.switch(which, blocks[-1])
        for number, (one, block) in enumerate(zip(SHAPES, blocks, strict=True)):
            switch.add_case(ir.Constant(which.type, number), block)
            b.position_at_end(block)
            lookups.emit_document(b, one, added, at)
            b.branch(done)
        b.position_at_end(done)
        return context.get_dummy_value()

    return types.void(*[_I64] * 10), generate


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


double_narrow, double_wide = _doubled(NARROW), _doubled(WIDE)


def fill(places, count, lanes, costs, table):
    """Write a table of 16 or 32 query tokens.

    places  (count, 3) int64: a group's first dim, how many, and where its entries begin in bytes (Shape.places)
    costs   (dim, 2, lanes) uint8, what a sign that is clear or set costs each query token, in the entries' order
    """
    group = carray(pointer(places), (count, 3), np.int64)
    for g in range(count):
        first, bits, entries = group[g, 0], group[g, 1], group[g, 2]
        octets = carray(pointer(table + entries), (lanes,), np.uint8)
        for lane in range(lanes):
            octets[lane] = 0
        for bit in range(bits):
            own = costs + (first + bit) * 2 * lanes
            if lanes == WIDE:
                double_wide(table + entries, 1 << bit, own, own + lanes)
            else:
                double_narrow(table + entries, 1 << bit, own, own + lanes)


def few(table, tokens, finals, rows, dim, starts, ids, begin, end, add, room):
    """Score a window's documents begin to end - 1 with at most FEW[-1] query tokens, by rows that are turned.

    table   (tokens, dim / 4, 16) uint8, or (tokens, dim / 6, 64) where TURNED is 6; dim is one of TURNED_DIMS
    finals  (16,) float32
    room    what `scan` has: first the documents' totals, which are added to where `add` is not 0
    others as `scan` has them.
    """
    starts_of = carray(pointer(starts), (MANY,), np.int64)
    ids_of = carray(pointer(ids), (MANY,), np.int64)
    stride = dim // 8 + 1
    matches = room + 64 * BITS_WINDOW
    nibbles = matches + turned.FEW[-1] * turned.STRIDE
    factors = nibbles + turned.CHUNK * TURNED_DIMS[-1] // 4
    kept = factors + 2 * turned.CHUNK
    masks = kept + 32 * turned.FEW[-1]
    copied = masks + 64
    words = carray(pointer(masks), (32,), np.uint16)
    for i in range(16):
        words[i], words[16 + i] = 65535, 0
    nothing = masks + 32

    # The documents' rows as a stream: `document` is the one whose `done` rows have been matched and folded, `next_` and
    # `taken` say as much of those that have been copied.
    left = 0
    if ids == 0:
        left = starts_of[end] - starts_of[begin]
    else:
        for i in range(begin, end):
            left += starts_of[ids_of[i] + 1] - starts_of[ids_of[i]]
    at = rows + starts_of[begin] * stride if ids == 0 else 0
    document, done, next_, taken = begin, 0, begin, 0
    while left > 0:
        size = min(turned.BUFFER, left)
        for first in range(0, size, turned.CHUNK):
            # Past a chunk's last row some bytes are read, which are there if a row is.
            source = at
            if ids != 0 or left - first <= turned.CHUNK:
                source = copied
                wanted = min(turned.CHUNK, left - first)
                if ids == 0:
                    copy_bytes(at, wanted * stride, copied)
                else:
                    filled = 0
                    while filled < wanted:
                        own = starts_of[ids_of[next_]]
                        length = starts_of[ids_of[next_] + 1] - own
                        count = min(length - taken, wanted - filled)
                        copy_bytes(rows + (own + taken) * stride, count * stride, copied + filled * stride)
                        filled += count
                        taken += count
                        if taken == length:
                            next_ += 1
                            taken = 0
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
            ends = 1 if done + count == length else 0
            before, step = (kept, 32) if done > 0 else (nothing, 0)
            best(
                tokens, ends, add, matches + 2 * place, count, before, step, kept, masks, finals,
                room + 64 * (document - begin),
            )  # fmt: skip
            place += count
            done += count
            if ends != 0:
                document += 1
                done = 0
        left -= size


def copy_bytes(source, count, target):
    """Copy bytes, eight at a time and what is left."""
    words, into = carray(pointer(source), (count // 8,), np.int64), carray(pointer(target), (count // 8,), np.int64)
    for i in range(count // 8):
        into[i] = words[i]
    whole = count // 8 * 8
    octets, last = carray(pointer(source), (count,), np.uint8), carray(pointer(target), (count,), np.uint8)
    for i in range(whole, count):
        last[i] = octets[i]


def scan(
    tables, finals, wides, narrows, turned_tokens, wide_shape, narrow_shape, wide_bytes, rows, dim, starts, ids, first,
    last, scores, room,
):  # fmt: skip
    """Score documents first to last - 1.

    tables         of `wides` times 32 query tokens, `wide_bytes` each, and then of 16 where `narrows` is 1, or one for
                   `few` of turned_tokens where that is not 0
    wide_shape, narrow_shape   which of shapes.SHAPES they have
    finals         (32 for each wide and 16,) float32, what each query token's best match counts
    rows           (tokens, dim / 8 + 1) uint8
    starts, ids    document i owns rows starts[p]:starts[p + 1], p being ids[i], or i where ids is 0
    scores         (n,) float32, written at the documents' places
    room           kernel.BITS_ROOM bytes to work in
    """
    starts_of = carray(pointer(starts), (MANY,), np.int64)
    ids_of = carray(pointer(ids), (MANY,), np.int64)
    score_of = carray(pointer(scores), (MANY,), np.float32)
    room = room + 63 & -64  # a cache line's start: registers that cross lines take two loads
    words, tail = dim // 64, (dim % 64 + 7) // 8
    stride = 8 * words + tail + 1
    for begin in range(first, last, BITS_WINDOW):
        end = min(begin + BITS_WINDOW, last)
        for g in range(wides + narrows):
            shape = wide_shape if g < wides else narrow_shape
            table, final = tables + g * wide_bytes, finals + g * 4 * WIDE
            for i in range(begin, end):
                place = ids_of[i] if ids != 0 else i
                own = starts_of[place]
                count, total = starts_of[place + 1] - own, room + 64 * (i - begin)
                document(shape, g, table, rows + own * stride, count, stride, words, tail, final, total)
        if TURNED and turned_tokens != 0:
            few(
                tables + wides * wide_bytes, turned_tokens, finals + wides * 4 * WIDE, rows, dim, starts, ids, begin,
                end, wides, room,
            )  # fmt: skip
        for i in range(begin, end):
            score_of[i] = sum_lanes(room + 64 * (i - begin))


HELPERS = (copy_bytes, few)
"""What is compiled before `scan` where rows can be turned."""
