"""Rows of sign bits against 16 or 32 query tokens at once, as LLVM IR: what a few signs cost is looked up.

A table has, for a few dims together, what each combination of their signs costs each query token: an entry is one
register, a byte a token. So a document row is as many saturating additions as it has groups of dims, and costs the
same for one query token as for all of a register: 11 of them for 64 dims and 32 tokens, where int8 products take 128
(AVX2). Maxima stay in two registers, the ends of documents cost nothing until they come, and rows are read where they
lie. The other way round, a register of rows that share one token's look-ups, is turned.py's: for few query tokens.

The additions are plain LLVM, of unsigned bytes that stop at 255: every instruction set has them, and order is nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from colibri.scoring.kernels.emit import F32, I8, I16, I64, Builder, Value, call, load, spread, store
from colibri.scoring.kernels.tile import LANES
from colibri.scoring.shapes import HALF, SHAPES, TURNED_DIMS, Shape, shape_of

KNOWN = TURNED_DIMS
"""Dims that rows have their own code for. What asks at each row how many words there are, and keeps what that takes
out of registers, is a third of a row's instructions: 58 of 64 dims and 16 query tokens, where 39 do the work."""


def emit_double(b: Builder, lanes: int, entries: Value, count: Value, clear: Value, set_: Value) -> None:
    """Make of `count` entries (at least one) twice as many: first those of one more sign that is clear, then set.

    clear, set_: addresses of what that costs, (lanes,) uint8
    """
    octets = ir.VectorType(I8, lanes)
    costs = [load(b, place, 0, octets) for place in (clear, set_)]
    half = b.mul(count, I64(lanes))

    def entry(offset: Value, _: list[Value]) -> list[Value]:
        place = b.add(entries, offset)
        before = load(b, place, 0, octets)
        store(b, _added(b, before, costs[1]), b.add(place, half), 0)
        store(b, _added(b, before, costs[0]), place, 0)
        return []

    loop(b, half, lanes, [], entry)


@dataclass(frozen=True)
class Operands:
    """What a document is scored from, as int64 values: addresses, and counts.

    table         of its shape
    rows          the document's first; `stride` bytes to the next
    count         of rows, at least one
    words, tail   of a row: words of 64 dims, and bytes that are left over
    finals        (lanes,) float32, what each best match counts
    total         (16,) float32
    """

    table: Value
    rows: Value
    count: Value
    stride: Value
    words: Value
    tail: Value
    finals: Value
    total: Value


def emit_document(b: Builder, shape: Shape, add: Value, at: Operands) -> None:
    """total = (total if add else 0) + the rows' best matches x finals, line by line of 16 query tokens.

    A table's byte j of 16 lanes is query token j; of 32, byte 2 i + l is token i of line l.
    """
    kind, floats = ir.VectorType(I16, LANES), ir.VectorType(F32, LANES)
    eight, others = ir.Constant(kind, [8] * LANES), _unknown(b, I64(~(((1 << shape.bits[0]) - 1) << shape.shift)))
    zeros = [ir.Constant(kind, None)] * (shape.lanes // LANES)

    def rows(stride: Value, left_of: Callable[[Value], Value]) -> list[Value]:
        def row(offset: Value, best: list[Value]) -> list[Value]:
            place = b.add(at.rows, offset)
            left = left_of(place)
            # The factor is a row's last byte, the upper half of a word that is spread.
            last = b.add(place, stride)
            factor = b.lshr(spread(b, load(b, last, -2, I16), LANES), eight)
            matches = [b.mul(part, factor) for part in _lines(b, left, kind)]
            return [
                b.select(b.icmp_unsigned(">", match, before), match, before)
                for match, before in zip(matches, best, strict=True)
            ]

        return loop(b, b.mul(at.count, stride), stride, zeros, row)

    def of(dim: int) -> tuple[Value, Callable[[], list[Value]]]:
        words, tail = dim // 64, dim % 64 // 8
        both = [b.icmp_signed("==", found, I64(wanted)) for found, wanted in ((at.words, words), (at.tail, tail))]
        stride = I64(8 * words + tail + 1)
        return b.and_(*both), lambda: rows(stride, lambda place: _left_of(b, shape, place, others, at, words, tail))

    known = [of(dim) for dim in KNOWN if SHAPES[shape_of(dim, shape.lanes)] == shape]
    best = _first_of(b, known, lambda: rows(at.stride, lambda place: _left(b, shape, place, others, at)))
    before = load(b, at.total, 0, floats)
    for line, value in enumerate(best):
        part = b.fmul(b.uitofp(value, floats), load(b, at.finals, 64 * line, floats))
        before = b.fadd(before, part) if line else b.select(add, b.fadd(before, part), part)
    store(b, before, at.total, 0)


def _left_of(b: Builder, shape: Shape, row: Value, others: Value, at: Operands, words: int, tail: int) -> Value:
    """`_left` of so many words and bytes, known when this is compiled."""
    left: Value = ir.Constant(ir.VectorType(I8, shape.lanes), [255] * shape.lanes)
    for word in range(words):
        signs = load(b, row, 8 * word, I64)
        left = _word(b, shape, signs, b.add(at.table, I64(word * shape.word_bytes)), others, left)
    for byte in range(tail):
        table = b.add(at.table, I64(words * shape.word_bytes + byte * 2 * (shape.lanes << HALF)))
        left = _byte(b, shape, b.zext(load(b, row, 8 * words + byte, I8), I64), table, left)
    return left


def _left(b: Builder, shape: Shape, row: Value, others: Value, at: Operands) -> Value:
    """255 less what a row's signs cost each query token, at least 0. others: see `_word`."""
    octets = ir.VectorType(I8, shape.lanes)
    full = ir.Constant(octets, [255] * shape.lanes)
    tail_row, tail_table = (
        b.add(base, b.mul(at.words, I64(size))) for base, size in ((row, 8), (at.table, shape.word_bytes))
    )

    def word(offset: Value, left: list[Value]) -> list[Value]:
        table = b.add(at.table, b.mul(b.lshr(offset, I64(3)), I64(shape.word_bytes)))
        return [_word(b, shape, load(b, b.add(row, offset), 0, I64), table, others, left[0])]

    def byte(offset: Value, left: list[Value]) -> list[Value]:
        signs = b.zext(load(b, b.add(tail_row, offset), 0, I8), I64)
        return [_byte(b, shape, signs, b.add(tail_table, b.mul(offset, I64(2 * (shape.lanes << HALF)))), left[0])]

    # The first word by itself: most rows have one or two, and a loop's own instructions are a tenth of a word's.
    first = _where(b, at.words, full, lambda: word(I64(0), [full])[0])
    end = b.shl(at.words, I64(3))
    rest = _where(b, b.sub(at.words, I64(1)), first, lambda: loop(b, end, 8, [first], word, 8)[0])
    return _where(b, at.tail, rest, lambda: loop(b, at.tail, 1, [rest], byte)[0])


def _where(b: Builder, count: Value, before: Value, body: Callable[[], Value]) -> Value:
    """What body() gives where count is above 0, else `before`."""
    entry = b.block
    with b.if_then(b.icmp_signed(">", count, I64(0))):
        after, last = body(), b.block
    merged = b.phi(before.type)
    merged.add_incoming(before, entry)
    merged.add_incoming(after, last)
    return merged


def _first_of(
    b: Builder, cases: list[tuple[Value, Callable[[], list[Value]]]], otherwise: Callable[[], list[Value]]
) -> list[Value]:
    """What the first of (whether, body) gives that holds; where none does, what `otherwise` gives."""
    done, found = b.append_basic_block("known"), []
    for holds, body in cases:
        this, other = b.append_basic_block("case"), b.append_basic_block("other")
        b.cbranch(holds, this, other)
        b.position_at_end(this)
        found.append((body(), b.block))
        b.branch(done)
        b.position_at_end(other)
    found.append((otherwise(), b.block))
    b.branch(done)
    b.position_at_end(done)
    merged = [b.phi(value.type) for value in found[0][0]]
    for values, block in found:
        for phi, value in zip(merged, values, strict=True):
            phi.add_incoming(value, block)
    return merged


def _byte(b: Builder, shape: Shape, signs: Value, table: Value, left: Value) -> Value:
    """What is left when both halves of a byte of the tail have been looked up."""
    low = _taken(b, left, table, b.shl(b.and_(signs, I64(15)), I64(shape.shift)))
    return _taken(b, low, table, b.shl(b.and_(signs, I64(240)), I64(shape.shift - HALF)), shape.lanes << HALF)


def _word(b: Builder, shape: Shape, signs: Value, table: Value, others: Value, left: Value) -> Value:
    """What is left when a word's groups have been looked up.

    The word moves on from group to group in its own register, and one instruction (andn) makes of it and `others`, the
    bits that are no group's, a group's place in the table. The compiler, when it sees this, copies and shifts the word
    anew for each: four instructions a group instead of three, where a processor's width is what limits.
    """
    size, first, entries, moved = shape.bits[0], 0, 0, None
    others = _unknown(b, others, here=True)
    for bits in shape.bits:
        place = first - shape.shift
        if place < 0:
            offset = b.shl(b.and_(signs, I64(((1 << bits) - 1) << first)), I64(-place))
        else:
            moved = _unknown(b, b.lshr(signs, I64(place)) if moved is None else b.lshr(moved, I64(size)))
            # The last group has no neighbour above it, and may be larger.
            offset = b.and_(moved, b.not_(others) if bits <= size else I64(-1 << shape.shift))
        left = _taken(b, left, table, offset, entries)
        first += bits
        entries += shape.lanes << bits
    return left


def _lines(b: Builder, left: Value, kind: Any) -> list[Value]:
    """Bytes as lines of 16 bits: those of even and of odd places, which takes no shuffle."""
    if left.type.count == LANES:
        return [b.zext(left, kind)]
    pairs, eight = b.bitcast(left, kind), ir.Constant(kind, [8] * LANES)
    return [b.and_(pairs, ir.Constant(kind, [255] * LANES)), b.lshr(pairs, eight)]


def _taken(b: Builder, left: Value, table: Value, offset: Value, entries: int = 0) -> Value:
    cost = load(b, b.add(table, offset), entries, left.type)
    return call(b, f"llvm.usub.sat.v{left.type.count}i8", left.type, (left, cost))


def _unknown(b: Builder, value: Value, *, here: bool = False) -> Value:
    """A number of which the compiler may not know what it is; here: nor what becomes of it, before it gets here."""
    return b.asm(ir.FunctionType(I64, [I64]), "", "=r,0", [value], here)


def _added(b: Builder, one: Value, other: Value) -> Value:
    return call(b, f"llvm.uadd.sat.v{one.type.count}i8", one.type, (one, other))


def loop(
    b: Builder,
    end: Value,
    step: int | Value,
    begun: list[Value],
    body: Callable[[Value, list[Value]], list[Value]],
    begin: int = 0,
) -> list[Value]:
    """body(offset, values) -> values, for offsets begin, begin + step, ... below end, of which there is one at least.

    Returns the last values.
    """
    entry, loop, done = b.block, b.append_basic_block("loop"), b.append_basic_block("done")
    b.branch(loop)
    b.position_at_end(loop)
    offset, phis = b.phi(I64), [b.phi(value.type) for value in begun]
    values = body(offset, phis)
    following = b.add(offset, I64(step) if isinstance(step, int) else step)
    for phi, first, then in zip((offset, *phis), (I64(begin), *begun), (following, *values), strict=True):
        phi.add_incoming(first, entry)
        phi.add_incoming(then, b.block)
    b.cbranch(b.icmp_signed("<", following, end), loop, done)
    b.position_at_end(done)
    return values
