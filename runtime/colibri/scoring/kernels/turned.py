"""Rows of sign bits against a few query tokens, as LLVM IR: registers of rows that share a token's look-ups.

lookups.py spends as much on one query token as on 16. Here rows are turned first, so that a register holds what 32 or
64 rows have in the same few dims; one instruction then looks up what those cost one query token (FastScan: Andre,
Kermarrec, Le Scouarnec, PVLDB 9(4), 2015). AVX2's takes tables of 16, four dims; AVX-512's VBMI tables of 64, six dims.
benchmarks/NOTES.md has what a row takes, and up to how many query tokens this is less than looking up row by row.

The numbers are those of lookups.py, whose sums of bytes stop at 255: order is nothing there.

Rows are read 16 bytes at a time: that much must be readable from every row of a chunk, and from each 16 bytes of it on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from colibri.scoring.kernels.emit import F32, I8, I16, I64, Builder, Value, call, emit_prefetch, load, store
from colibri.scoring.kernels.lookups import loop
from colibri.scoring.kernels.tile import LANES
from colibri.scoring.names import FOUR, SIX

CHUNK = 128
"""Rows that are scored at once. By fours, a token's table is loaded once for them: four registers."""
BUFFER = 512
"""Rows of matches that wait for the ends of their documents."""
STRIDE = 2 * BUFFER + 64
"""Bytes of a query token's matches: whole cache lines, and a register's more than there are."""
FEW = (4, 8, 10, 12)
"""Query tokens whose maxima are held in registers."""

_I32 = ir.IntType(32)
_AHEAD = 256  # rows
_ROWS, _MORE_ROWS = 32, 64  # a register of bytes, of AVX2 and of AVX-512
_OCTETS, _HALVES = ir.VectorType(I8, _ROWS), ir.VectorType(I16, LANES)
_LINE = ir.VectorType(I8, LANES)


def emit_turn(b: Builder, dim: int, rows: Value, nibbles: Value, factors: Value) -> None:
    """Turn a chunk of rows: of every four dims their signs (CHUNK,) uint8, and the factors (CHUNK,) uint16."""
    signs = dim // 8
    low = _filled(_OCTETS, 15)

    def register(at: Value, _: list[Value]) -> list[Value]:
        columns = _columns(b, _ROWS, b.add(rows, b.mul(at, I64(signs + 1))), signs + 1)
        for number, column in enumerate(columns[:-1]):
            for half, value in enumerate((column, _moved(b, column, FOUR))):
                store(b, b.and_(value, low), b.add(nibbles, at), CHUNK * (2 * number + half))
        for half, value in enumerate(_words(b, columns[-1])):
            store(b, value, b.add(factors, b.shl(at, I64(1))), _ROWS * half)
        return []

    loop(b, I64(CHUNK), _ROWS, [], register)


def _columns(b: Builder, count: int, rows: Value, size: int) -> list[Value]:
    """The first `size` bytes of `count` rows of as many bytes, a register each, in the order that `_words` undoes: even
    places have the first half of the rows, odd ones the second."""
    # All of them are wanted at once, and what is waited for here nothing hides: a fifth of a row's time.
    for line in range(0, count * size, 64):
        emit_prefetch(b, b.add(rows, I64(_AHEAD * size + line)), locality=3)
    # Whatever the register, 32 rows at a time: what puts four parts of 16 bytes together takes longer than the rest.
    parts = [
        _half_columns(b, b.add(rows, I64(first * size)), count // 2, size) for first in range(0, count // 2, LANES)
    ]
    return [_joined(b, list(column)) for column in zip(*parts, strict=True)]


def _half_columns(b: Builder, rows: Value, further: int, size: int) -> list[Value]:
    """The same of 16 rows and those that lie `further` rows behind them."""
    columns: list[Value] = []
    for piece in range(0, size, LANES):
        some = []
        for row in range(LANES):
            number = row // 2 + row % 2 * further
            lines = [load(b, rows, (number + 8 * lane) * size + piece, _LINE) for lane in range(2)]
            some.append(_joined(b, lines))
        for _ in range(4):  # each time, what was eight rows apart becomes neighbours
            pairs = [(some[i], some[i + 8]) for i in range(8)]
            some = [_interleaved(b, *pair, upper) for pair in pairs for upper in (False, True)]
        columns += some[: size - piece]
    return columns


def _joined(b: Builder, parts: list[Value]) -> Value:
    """Vectors of one length, 2 or 4 of them, as one."""
    while len(parts) > 1:
        order = ir.Constant(ir.VectorType(_I32, 2 * parts[0].type.count), list(range(2 * parts[0].type.count)))
        parts = [b.shuffle_vector(parts[i], parts[i + 1], order) for i in range(0, len(parts), 2)]
    return parts[0]


def _interleaved(b: Builder, one: Value, other: Value, upper: bool) -> Value:
    """The lower or upper halves of each 16 bytes of two registers, in turns: vpunpcklbw and its like."""
    count = one.type.count
    of = 16 // (one.type.element.width // 8)
    order = [
        place + side
        for first in range(0, count, of)
        for place in range(first + of // 2 * upper, first + of // 2 * (upper + 1))
        for side in (0, count)
    ]
    return b.shuffle_vector(one, other, ir.Constant(ir.VectorType(_I32, count), order))


def _words(b: Builder, octets: Value) -> list[Value]:
    """Bytes as 16 bits, those of the first half of the rows and of the second, each in order. This takes no shuffle, of
    which processors do fewest."""
    words = ir.VectorType(I16, octets.type.count // 2)
    pairs = b.bitcast(octets, words)
    return [b.and_(pairs, _filled(words, 255)), b.lshr(pairs, _filled(words, 8))]


def _moved(b: Builder, octets: Value, bits: int) -> Value:
    """Bytes moved so many bits down, or up where that is below 0; what comes in is their neighbours'."""
    words = ir.VectorType(I16, octets.type.count // 2)
    value, by = b.bitcast(octets, words), _filled(words, abs(bits))
    return b.bitcast(b.lshr(value, by) if bits >= 0 else b.shl(value, by), octets.type)


def _filled(kind: Any, value: int) -> Value:
    return ir.Constant(kind, [value] * kind.count)


def emit_sixes(b: Builder, dim: int, rows: Value, table: Value, tokens: Value, matches: Value) -> None:
    """A chunk's matches as `emit_matches` makes them, by tables (tokens, dim / 6 rounded up, 64) uint8: their places
    stay in registers meanwhile. What lies beside a row's last dims costs nothing in these."""
    signs = dim // 8
    octets, words = ir.VectorType(I8, _MORE_ROWS), ir.VectorType(I16, _MORE_ROWS // 2)

    def register(at: Value, _: list[Value]) -> list[Value]:
        columns = _columns(b, _MORE_ROWS, b.add(rows, b.mul(at, I64(signs + 1))), signs + 1)
        places = [_six(b, columns[:-1], first) for first in range(0, dim, SIX)]
        factors = _words(b, columns[-1])
        out = b.add(matches, b.shl(at, I64(1)))

        def token(entries: Value, outs: list[Value]) -> list[Value]:
            left: Value = _filled(octets, 255)
            for number, place in enumerate(places):
                costs = load(b, b.add(table, entries), _MORE_ROWS * number, octets)
                cost = call(b, "llvm.x86.avx512.permvar.qi.512", octets, (costs, place))
                left = call(b, f"llvm.usub.sat.v{_MORE_ROWS}i8", octets, (left, cost))
            for half, (match, factor) in enumerate(zip(_words(b, left), factors, strict=True)):
                assert match.type == words
                store(b, b.mul(match, factor), outs[0], _MORE_ROWS * half)
            return [b.add(outs[0], I64(STRIDE))]

        size = _MORE_ROWS * len(places)
        loop(b, b.mul(tokens, I64(size)), size, [out], token)
        return []

    loop(b, I64(CHUNK), _MORE_ROWS, [], register)


def _six(b: Builder, columns: Sequence[Value], first: int) -> Value:
    """Bytes whose lower six bits are the signs of six dims, or of those that there are; what is above them is not
    looked at."""
    column, bit = divmod(first, 8)
    low = _moved(b, columns[column], bit) if bit else columns[column]
    if bit <= 8 - SIX or column + 1 == len(columns):
        return low
    mask = (1 << (8 - bit)) - 1
    own, others = _filled(low.type, mask), _filled(low.type, 255 - mask)
    return b.or_(b.and_(low, own), b.and_(_moved(b, columns[column + 1], bit - 8), others))


def emit_matches(
    b: Builder, dim: int, table: Value, tokens: Value, nibbles: Value, factors: Value, matches: Value
) -> None:
    """A chunk's matches with `tokens` query tokens, at least one: (CHUNK,) uint16 each, STRIDE bytes apart.

    table: (tokens, dim / 4, 16) uint8, what the signs of four dims cost
    """
    groups, registers = dim // FOUR, CHUNK // _ROWS
    full = _filled(_OCTETS, 255)
    twice = ir.Constant(ir.VectorType(_I32, _ROWS), [*range(LANES)] * 2)

    def token(at: Value, places: list[Value]) -> list[Value]:
        (out,) = places
        left: list[Value] = [full] * registers
        for group in range(groups):
            line = load(b, b.add(table, at), LANES * group, _LINE)
            costs = b.shuffle_vector(line, ir.Constant(_LINE, ir.Undefined), twice)
            for k in range(registers):
                signs = load(b, nibbles, CHUNK * group + _ROWS * k, _OCTETS)
                cost = call(b, "llvm.x86.avx2.pshuf.b", _OCTETS, (costs, signs))
                left[k] = call(b, f"llvm.usub.sat.v{_ROWS}i8", _OCTETS, (left[k], cost))
            left = _done(b, left)
        for k, octets in enumerate(left):
            for half, words in enumerate(_words(b, octets)):
                place = 2 * (_ROWS * k + LANES * half)
                store(b, b.mul(words, load(b, factors, place, _HALVES)), out, place)
        return [b.add(out, I64(STRIDE))]

    loop(b, b.mul(tokens, I64(LANES * groups)), LANES * groups, [matches], token)


def _done(b: Builder, values: list[Value]) -> list[Value]:
    """The same, before anything that comes later. The compiler looks a token's groups up far ahead of what it subtracts
    them from, and keeps what has no register on the stack."""
    kinds = [value.type for value in values]
    names = ",".join(["=x"] * len(values) + [str(i) for i in range(len(values))])
    found = b.asm(ir.FunctionType(ir.LiteralStructType(kinds), kinds), "", names, values, True)
    return [b.extract_value(found, i) for i in range(len(values))]


@dataclass(frozen=True)
class Part:
    """What of a document lies in the buffer, as int64 values: addresses, and counts.

    matches       of its first row there
    count         of its rows there, at least one
    before        (tokens, 16) uint16 maxima of its rows before them, `before_step` bytes apart: those of none are 0
    kept          where such maxima go if it is not at its end
    masks         (32,) uint16, of which the first 16 have all bits set and the others none
    """

    matches: Value
    count: Value
    before: Value
    before_step: Value
    kept: Value
    masks: Value


def emit_best(b: Builder, tokens: int, at: Part, ends: Value, finals: Value, total: Value, add: Value) -> None:
    """A part's maxima for so many query tokens (of FEW); where the document ends, total (16,) float32 =
    (total if add else 0) + maxima x finals (16,)."""
    where = [b.add(at.matches, I64(STRIDE * token)) for token in range(tokens)]
    before = [load(b, b.add(at.before, b.mul(at.before_step, I64(token))), 0, _HALVES) for token in range(tokens)]

    def larger(offset: Value, best: Sequence[Value]) -> list[Value]:
        some = [load(b, b.add(place, offset), 0, _HALVES) for place in where]
        return [_larger(b, *both) for both in zip(some, best, strict=True)]

    many, few, done = (b.append_basic_block(name) for name in ("many", "few", "maxima"))
    b.cbranch(b.icmp_signed(">=", at.count, I64(LANES)), many, few)
    b.position_at_end(many)
    last = b.shl(b.sub(at.count, I64(LANES)), I64(1))  # overlaps the one before: a maximum does not mind
    from_many = larger(last, loop(b, last, 2 * LANES, before, larger))
    many = b.block
    b.branch(done)
    b.position_at_end(few)
    mask = load(b, b.sub(at.masks, b.shl(at.count, I64(1))), 2 * LANES, _HALVES)
    masked = [b.and_(load(b, place, 0, _HALVES), mask) for place in where]
    from_few = [_larger(b, *both) for both in zip(masked, before, strict=True)]
    b.branch(done)
    b.position_at_end(done)
    best = []
    for one, other in zip(from_many, from_few, strict=True):
        merged = b.phi(_HALVES)
        merged.add_incoming(one, many)
        merged.add_incoming(other, few)
        best.append(merged)
    with b.if_else(ends) as (then, otherwise):
        with then:
            _emit_total(b, _across(b, best), finals, total, add)
        with otherwise:
            for token, one in enumerate(best):
                store(b, one, at.kept, 2 * LANES * token)


def _emit_total(b: Builder, best: Value, finals: Value, total: Value, add: Value) -> None:
    floats = ir.VectorType(F32, LANES)
    before = load(b, total, 0, floats)
    part = b.fmul(b.uitofp(best, floats), load(b, finals, 0, floats))
    store(b, b.select(add, b.fadd(before, part), part), total, 0)


def _across(b: Builder, best: Sequence[Value]) -> Value:
    """The largest of each register: (16,) uint16, zeros after the last."""
    halves = [[_taken(b, one, range(first, first + 8)) for first in (0, 8)] for one in best]
    octets = ir.VectorType(I16, 8)
    some = [_larger(b, *both) for both in halves]
    lines = []
    for first in (0, 8):
        part = some[first : first + 8]
        part += [ir.Constant(octets, None)] * (8 - len(part))
        while len(part) > 1:  # each lane is in the end the maximum of what was one register's
            apart = len(part) // 2
            pairs = [(part[i], part[i + apart]) for i in range(apart)]
            part = [_larger(b, *(_interleaved(b, *pair, upper) for upper in (False, True))) for pair in pairs]
        lines.append(part[0])
    order = ir.Constant(ir.VectorType(_I32, LANES), list(range(LANES)))
    return b.shuffle_vector(*lines, order)


def _taken(b: Builder, value: Value, which: Sequence[int]) -> Value:
    order = ir.Constant(ir.VectorType(_I32, len(which)), list(which))
    return b.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), order)


def _larger(b: Builder, one: Value, other: Value) -> Any:
    return b.select(b.icmp_unsigned(">", one, other), one, other)
