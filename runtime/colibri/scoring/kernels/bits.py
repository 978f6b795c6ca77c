"""Documents' sign bits scored by look-ups (lookups.py; few.py), as compiled Python: texts for the compiler, as scan.py
is. TURNED, filled in by build.py, is how many dims few.py looks up at once; 0: it does not."""

# ruff: noqa: F821 - filled in by build.py
# mypy: ignore-errors

from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from colibri.scoring.kernel import BITS_WINDOW
from colibri.scoring.kernels import lookups
from colibri.scoring.kernels.few import few
from colibri.scoring.kernels.intrinsics import pointer, sum_lanes
from colibri.scoring.kernels.scan import MANY
from colibri.scoring.names import NARROW, WIDE
from colibri.scoring.shapes import SHAPES

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
