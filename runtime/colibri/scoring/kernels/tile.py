"""Register tiles as LLVM IR: a few document tokens by 16 or 32 query tokens, and the maximum over tokens.

Every tile works in steps of four bytes: it spreads one word of a document token over all lanes, loads one word a query
token, and multiplies and adds. What the word holds is the arithmetic's matter (four int8, two int16, one float32). So
one emitter serves every instruction set, and the same text is compiled for a processor that is not here (NEON's test).

Query words lie [step][query token], document words [token][step]; a query is padded to a multiple of 16 tokens.
Addresses are int64 values, and all loads allow any alignment: rows may be a view into a file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llvmlite import ir

from colibri.scoring.kernels import emit
from colibri.scoring.kernels.arithmetic import Arithmetic, added_up
from colibri.scoring.kernels.emit import F32, I32, I64, Builder, Value, call, larger, load, spread, store

LANES = 16  # query tokens of one group

FLOAT_BITS = 0x4B000000
"""2^23 as a float32. An integer sum S, |S| < 2^23, added to these bits is the float 2^23 + S, or 2^23 + S / 2 below
zero, where floats are twice as close. So one fused multiply-add, (that float) x scale - 2^23 x scale, gives S x scale
rounded once, and half of it below zero: a conversion less for each sum. Halving keeps the order, so maxima are taken
first and doubled at the document's end (`ends.emit_finish`). It needs scales that are not negative, and far from
underflow.
"""


@dataclass(frozen=True)
class Operands:
    """What a tile reads and writes, as int64 values: addresses, and strides in bytes.

    query    first step's words of this tile's query tokens; stride to the next step
    initial  what the sums begin with, four bytes a query token; of sums of 16 bits, as many for each block of steps
    rows     the first document token; stride to the next one
    steps    how many, at least one
    scales   (tokens,) float32
    biases   (tokens,) float32, -2^23 times the scales where integer sums begin with FLOAT_BITS (see there); else 0
    room     (tokens, LANES x groups) for what an instruction set cannot keep in registers
    out      the largest similarities so far (LANES x groups) when folding, else room for (tokens, LANES x groups)
    ahead    as many bytes as this tile's rows as they are stored, to be in the cache soon, where the tile asks for them
    """

    query: Value
    query_stride: Value
    initial: Value
    rows: Value
    row_stride: Value
    steps: Value
    scales: Value
    biases: Value
    room: Value
    out: Value
    ahead: Value


def emit_tile(b: Builder, how: Arithmetic, tokens: int, groups: int, fold: bool, at: Operands) -> None:
    """Similarities of `tokens` document tokens with `groups` x 16 query tokens.

    fold True raises the maxima at `out`; False stores the similarities there, for tiles that hold a document's end.
    """
    if how.short_steps:
        _short_sums(b, how, tokens, groups, at)
        count, kind = groups * LANES // how.width, ir.VectorType(I32, how.width)

        def row(token: int) -> list[Value]:
            return [load(b, at.room, 4 * how.width * (token * count + r), kind) for r in range(count)]

        emit_end(b, how, tokens, row, fold, at)
        return
    sums = _sums(b, how, tokens, groups, at)
    emit_end(b, how, tokens, sums.__getitem__, fold, at)


def emit_run(b: Builder, how: Arithmetic, tokens: int, groups: int, at: Operands, tiles: Value) -> None:
    """So many tiles, at least one, that all fold: a run sets the next up in some 25 instructions, the scan in 90."""
    entry, loop, done = b.block, b.append_basic_block("tile"), b.append_basic_block("run")
    ahead_bytes = b.mul(at.steps, I64(how.asks_ahead * tokens))
    bias_bytes = b.select(b.icmp_signed("!=", at.biases, I64(0)), I64(4 * tokens), I64(0))
    row_bytes = b.mul(at.row_stride, I64(tokens))
    b.branch(loop)
    b.position_at_end(loop)
    left, rows, scales, biases, ahead = (b.phi(I64) for _ in range(5))
    this = replace(at, rows=rows, scales=scales, biases=biases, ahead=ahead)
    emit_tile(b, how, tokens, groups, True, this)
    following = b.sub(left, I64(1))
    for phi, first, then in (
        (left, tiles, following),
        (rows, at.rows, b.add(rows, row_bytes)),
        (scales, at.scales, b.add(scales, I64(4 * tokens))),
        (biases, at.biases, b.add(biases, bias_bytes)),
        (ahead, at.ahead, b.add(ahead, ahead_bytes)),
    ):
        phi.add_incoming(first, entry)
        phi.add_incoming(then, b.block)
    b.cbranch(b.icmp_signed(">", following, I64(0)), loop, done)
    b.position_at_end(done)


def emit_end(
    b: Builder, how: Arithmetic, tokens: int, row: Callable[[int], Sequence[Value]], fold: bool, at: Operands
) -> None:
    """From sums to similarities, and these to where `emit_tile` says. row: a token's registers of sums."""
    if not how.integer:
        _end(b, how, tokens, row, fold, at, biased=False)
        return
    with b.if_else(b.icmp_signed("!=", at.biases, I64(0))) as (then, otherwise):
        with then:
            _end(b, how, tokens, row, fold, at, biased=True)
        with otherwise:
            _end(b, how, tokens, row, fold, at, biased=False)


def _sums(b: Builder, how: Arithmetic, tokens: int, groups: int, at: Operands) -> list[list[Value]]:
    """Registers of sums, [token][register]: one step if they are odd, then `at_once` a round."""
    initial = [[load(b, at.initial, 4 * how.width * r, how.sums) for r in range(groups * LANES // how.width)]] * tokens
    places = _places(b, tokens, at.row_stride)
    multiply = how.step
    assert multiply is not None

    def step(sums: Sequence[Sequence[Value]], query: Value, row: Value, offset: int) -> list[list[Value]]:
        words = ir.VectorType(I32, how.width)
        query_words = [load(b, query, 4 * how.width * r, words) for r in range(len(sums[0]))]
        if how.row:
            words_of = (spread(b, load(b, b.add(row, place), offset, I32), how.width) for place in places)
            return [how.row(b, totals, doc, query_words) for totals, doc in zip(sums, words_of, strict=True)]
        docs = [spread(b, load(b, b.add(row, place), offset, I32), how.width) for place in places]
        return [
            [multiply(b, total, doc, word) for total, word in zip(totals, query_words, strict=True)]
            for totals, doc in zip(sums, docs, strict=True)
        ]

    odd, even = b.and_(at.steps, I64(how.at_once - 1)), b.and_(at.steps, I64(-how.at_once))
    query, row = b.add(at.query, b.mul(odd, at.query_stride)), b.add(at.rows, b.mul(odd, I64(4)))
    entry = b.block
    one, rest, rounds, done = (b.append_basic_block(name) for name in ("one", "rest", "rounds", "done"))
    b.cbranch(b.icmp_signed("!=", odd, I64(0)), one, rest)
    b.position_at_end(one)
    single = step(initial, at.query, at.rows, 0)
    b.branch(rest)
    b.position_at_end(rest)
    begun = _merged(b, (entry, initial), (one, single))
    b.cbranch(b.icmp_signed(">", even, I64(0)), rounds, done)
    b.position_at_end(rounds)
    left, query_at, row_at, ahead_at = (b.phi(I64) for _ in range(4))
    sums = _merged(b, (rest, begun))
    if how.asks_ahead:
        emit.emit_prefetch(b, ahead_at, locality=3)
    grown, query_end = sums, query_at
    for number in range(how.at_once):
        grown = step(grown, query_end, row_at, 4 * number)
        query_end = b.add(query_end, at.query_stride)
    following = b.sub(left, I64(how.at_once))
    for phi, first, then in (
        (left, even, following),
        (query_at, query, query_end),
        (row_at, row, b.add(row_at, I64(4 * how.at_once))),
        (ahead_at, at.ahead, b.add(ahead_at, I64(how.asks_ahead * how.at_once * tokens))),
        *((s, None, g) for before, after in zip(sums, grown, strict=True) for s, g in zip(before, after, strict=True)),
    ):
        if first is not None:
            phi.add_incoming(first, rest)
        phi.add_incoming(then, rounds)
    b.cbranch(b.icmp_signed(">", following, I64(0)), rounds, done)
    b.position_at_end(done)
    return _merged(b, (rest, begun), (rounds, grown))


def _short_sums(b: Builder, how: Arithmetic, tokens: int, groups: int, at: Operands) -> None:
    """Sums of 32 bits, to `room`: a block of `short_steps` steps at a time in 16 bits, which begins as its own line of
    `initial` says (one a block, `query_stride` apart)."""
    kind = ir.VectorType(I32, how.width)
    entry, block, done = b.block, b.append_basic_block("block"), b.append_basic_block("added")
    b.branch(block)
    b.position_at_end(block)
    left, query, initial, rows = (b.phi(I64) for _ in range(4))
    most = I64(how.short_steps)
    steps = b.select(b.icmp_signed("<", left, most), left, most)
    sums = _sums(b, how, tokens, groups, replace(at, query=query, initial=initial, rows=rows, steps=steps))
    first = b.icmp_signed("==", left, at.steps)
    for t, row in enumerate(sums):
        for r, total in enumerate(row):
            place = 4 * how.width * (t * len(row) + r)
            grown = added_up(b, total, how.width)
            before = b.select(first, ir.Constant(kind, None), load(b, at.room, place, kind))
            store(b, b.add(before, grown), at.room, place)
    following = b.sub(left, most)
    for phi, begin, then in (
        (left, at.steps, following),
        (query, at.query, b.add(query, b.mul(most, at.query_stride))),
        (initial, at.initial, b.add(initial, at.query_stride)),
        (rows, at.rows, b.add(rows, b.mul(most, I64(4)))),
    ):
        phi.add_incoming(begin, entry)
        phi.add_incoming(then, b.block)
    b.cbranch(b.icmp_signed(">", following, I64(0)), block, done)
    b.position_at_end(done)


def _places(b: Builder, tokens: int, stride: Value) -> list[Value]:
    """Where tokens lie beside the first: 2^k x (an odd multiple of the stride), which a load adds up by itself.

    The compiler would rather add strides one to the other, seven additions a step that take their share of the ports:
    so it may not know what these are (306 instead of 320 cycles a tile of 8 x 32 at 128 dims).
    """
    kind = ir.FunctionType(I64, [I64])
    odd = {t: b.asm(kind, "", "=r,0", [b.mul(I64(t), stride)], False) for t in range(1, tokens, 2)}
    places = [I64(0)]
    for t in range(1, tokens):
        twos = (t & -t).bit_length() - 1
        places.append(b.shl(odd[t >> twos], I64(twos)))
    return places


def _merged(b: Builder, *incoming: tuple[Any, Sequence[Sequence[Value]]]) -> list[list[Value]]:
    """Registers that come from one of several blocks."""
    merged = [[b.phi(value.type) for value in row] for row in incoming[0][1]]
    for block, rows in incoming:
        for phis, values in zip(merged, rows, strict=True):
            for phi, value in zip(phis, values, strict=True):
                phi.add_incoming(value, block)
    return merged


def _end(
    b: Builder,
    how: Arithmetic,
    tokens: int,
    row: Callable[[int], Sequence[Value]],
    fold: bool,
    at: Operands,
    *,
    biased: bool,
) -> None:
    nbytes = 4 * how.width
    # Maxima of 2^i rows each, like the digits of a binary number: a chain of all would be the longest wait of a tile.
    maxima: list[list[Value] | None] = []
    for t in range(tokens):
        similarities = _similarities(b, how, row(t), at, t, biased=biased)
        if not fold:
            for r, similarity in enumerate(similarities):
                store(b, similarity, at.out, (t * len(similarities) + r) * nbytes)
            continue
        if t == 0:
            # The best so far comes first: last, it would be stored under a mask, from which no load is served.
            similarities = _raised(b, at, how.width, similarities)
        for i, other in enumerate(maxima):
            if other is None:
                maxima[i] = similarities
                break
            similarities = [larger(b, *pair) for pair in zip(similarities, other, strict=True)]
            maxima[i] = None
        else:
            maxima.append(similarities)
    found = [some for some in maxima if some is not None]
    for r in range(len(found[0]) if fold else 0):
        best = found[0][r]
        for other in found[1:]:
            best = larger(b, best, other[r])
        store(b, best, at.out, r * nbytes)


def _raised(b: Builder, at: Operands, width: int, similarities: Sequence[Value]) -> list[Value]:
    kind = ir.VectorType(F32, width)
    return [larger(b, value, load(b, at.out, 4 * width * r, kind)) for r, value in enumerate(similarities)]


def _similarities(
    b: Builder, how: Arithmetic, sums: Sequence[Value], at: Operands, token: int, *, biased: bool
) -> list[Value]:
    kind = ir.VectorType(F32, how.width)
    if not how.scaled:
        return list(sums)
    scale = spread(b, load(b, at.scales, 4 * token, F32), how.width)
    if biased:
        bias = spread(b, load(b, at.biases, 4 * token, F32), how.width)
        name = f"llvm.fma.v{how.width}f32"
        if how.short_steps:  # sums of 16 bits had no room for it
            sums = [b.add(total, ir.Constant(total.type, [FLOAT_BITS] * how.width)) for total in sums]
        return [call(b, name, kind, (b.bitcast(total, kind), scale, bias)) for total in sums]
    return [b.fmul(b.sitofp(total, kind) if how.integer else total, scale) for total in sums]
