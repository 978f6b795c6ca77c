"""Register tiles as LLVM IR: a few document tokens by 16 or 32 query tokens, and the maximum over tokens.

Every tile works in steps of four bytes: it spreads one word of a document token over all lanes, loads one word a query
token, and multiplies and adds. What the word holds is the arithmetic's matter (four int8, two int16, one float32). So
one emitter serves every instruction set, and the same text is compiled for a processor that is not here (NEON's test).

Query words lie [step][query token], document words [token][step]; a query is padded to a multiple of 16 tokens.
Addresses are int64 values, and all loads allow any alignment: rows may be a view into a file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

LANES = 16  # query tokens of one group

Value = Any  # llvmlite has no types
Builder = Any

_I8, _I16, _I32, _I64, _F32 = ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64), ir.FloatType()


@dataclass(frozen=True)
class Arithmetic:
    """How one step multiplies and adds on one instruction set.

    width       lanes of a register: 16, 8 or 4; a group takes 16 / width registers
    integer     whether sums are int32 (else float32)
    scaled      whether a similarity is the sum times the document token's scale
    step        emits (builder, sum, document word in every lane, query words) -> sum; words are <width x i32>
    """

    width: int
    integer: bool
    scaled: bool
    step: Callable[[Builder, Value, Value, Value], Value]

    @property
    def sums(self) -> Any:
        """Type of a register of sums."""
        return ir.VectorType(_I32 if self.integer else _F32, self.width)


def vpdpbusd(width: int) -> Callable[[Builder, Value, Value, Value], Value]:
    """Four u8 x s8 products a lane onto int32, exact (AVX-512 VNNI, AVX-VNNI). Document words are unsigned."""

    def step(b: Builder, total: Value, doc: Value, query: Value) -> Value:
        # Since LLVM 22 its operands are bytes; older ones take words, and both readers accept words.
        words = ir.VectorType(_I32, width)
        return _call(b, f"llvm.x86.avx512.vpdpbusd.{32 * width}", words, (total, doc, query))

    return step


def sdot(b: Builder, total: Value, doc: Value, query: Value) -> Value:
    """Four s8 x s8 products a lane onto int32, exact (NEON with the dot product extension)."""
    octets = ir.VectorType(_I8, 16)
    operands = (total, b.bitcast(doc, octets), b.bitcast(query, octets))
    return _call(b, "llvm.aarch64.neon.sdot.v4i32.v16i8", total.type, operands)


def pmaddwd(b: Builder, total: Value, doc: Value, query: Value) -> Value:
    """Two s16 x s16 products a lane onto int32 (AVX2). Cannot saturate, unlike vpmaddubsw: 2 x 128 x 128 < 2^31."""
    halves = ir.VectorType(_I16, 16)
    operands = (b.bitcast(doc, halves), b.bitcast(query, halves))
    return b.add(total, _call(b, "llvm.x86.avx2.pmadd.wd", total.type, operands))


def fused(b: Builder, total: Value, doc: Value, query: Value) -> Value:
    """One float32 product a lane, rounded once with the sum."""
    name = f"llvm.fma.v{total.type.count}f32"
    return _call(b, name, total.type, (b.bitcast(doc, total.type), b.bitcast(query, total.type), total))


def multiply_add(b: Builder, total: Value, doc: Value, query: Value) -> Value:
    """One float32 product a lane, rounded before the sum: any processor. Exact for integers below 2^24."""
    return b.fadd(total, b.fmul(b.bitcast(doc, total.type), b.bitcast(query, total.type)))


@dataclass(frozen=True)
class Operands:
    """What a tile reads and writes, as int64 values: addresses, and strides in bytes.

    query    first step's words of this tile's query tokens; stride to the next step
    initial  what the sums begin with, one a query token
    rows     the first document token; stride to the next one
    steps    how many, at least one
    scales   (tokens,) float32
    out      the largest similarities so far (LANES x groups) when folding, else room for (tokens, LANES x groups)
    """

    query: Value
    query_stride: Value
    initial: Value
    rows: Value
    row_stride: Value
    steps: Value
    scales: Value
    out: Value


def emit_tile(b: Builder, how: Arithmetic, tokens: int, groups: int, fold: bool, at: Operands) -> None:
    """Similarities of `tokens` document tokens with `groups` x 16 query tokens.

    fold True raises the maxima at `out`; False stores the similarities there, for tiles that hold a document's end.
    """
    registers = groups * LANES // how.width
    nbytes = 4 * how.width
    pointers = [b.add(at.rows, b.mul(_I64(t), at.row_stride)) for t in range(tokens)]
    initial = [_load(b, at.initial, r * nbytes, how.sums) for r in range(registers)]

    entry, loop, done = b.block, b.append_basic_block("step"), b.append_basic_block("done")
    b.branch(loop)
    b.position_at_end(loop)
    step, query, offset = b.phi(_I64), b.phi(_I64), b.phi(_I64)
    sums = [[b.phi(how.sums) for _ in range(registers)] for _ in range(tokens)]
    words = ir.VectorType(_I32, how.width)
    query_words = [_load(b, query, r * nbytes, words) for r in range(registers)]
    grown = []
    for t in range(tokens):
        doc = _spread(b, _load(b, b.add(pointers[t], offset), 0, _I32), how.width)
        grown.append([how.step(b, sums[t][r], doc, query_words[r]) for r in range(registers)])
    following = b.add(step, _I64(1))
    for phi, first, then in (
        (step, _I64(0), following),
        (query, at.query, b.add(query, at.query_stride)),
        (offset, _I64(0), b.add(offset, _I64(4))),
        *((sums[t][r], initial[r], grown[t][r]) for t in range(tokens) for r in range(registers)),
    ):
        phi.add_incoming(first, entry)
        phi.add_incoming(then, loop)
    b.cbranch(b.icmp_signed("<", following, at.steps), loop, done)
    b.position_at_end(done)

    similarities = [_similarities(b, how, row, b.add(at.scales, _I64(4 * t))) for t, row in enumerate(grown)]
    if fold:
        for r in range(registers):
            values = [row[r] for row in similarities]
            while len(values) > 1:  # in pairs: a chain of eight would be the longest wait of a tile
                halves = [_larger(b, first, second) for first, second in zip(values[::2], values[1::2], strict=False)]
                values = halves + values[2 * len(halves) :]
            best = _load(b, at.out, r * nbytes, ir.VectorType(_F32, how.width))
            _store(b, _larger(b, values[0], best), at.out, r * nbytes)
    else:
        for t, row in enumerate(similarities):
            for r, similarity in enumerate(row):
                _store(b, similarity, at.out, (t * registers + r) * nbytes)


def emit_fold(b: Builder, width: int, groups: int, similarities: Value, tokens: Value, best: Value) -> None:
    """Raise the maxima at `best` by `tokens` (at least one) stored rows of similarities."""
    registers, nbytes, kind = groups * LANES // width, 4 * width, ir.VectorType(_F32, width)
    before = [_load(b, best, r * nbytes, kind) for r in range(registers)]
    entry, loop, done = b.block, b.append_basic_block("token"), b.append_basic_block("folded")
    b.branch(loop)
    b.position_at_end(loop)
    token, row = b.phi(_I64), b.phi(_I64)
    maxima = [b.phi(kind) for _ in range(registers)]
    raised = [_larger(b, _load(b, row, r * nbytes, kind), maxima[r]) for r in range(registers)]
    following = b.add(token, _I64(1))
    for phi, first, then in (
        (token, _I64(0), following),
        (row, similarities, b.add(row, _I64(registers * nbytes))),
        *zip(maxima, before, raised, strict=True),
    ):
        phi.add_incoming(first, entry)
        phi.add_incoming(then, loop)
    b.cbranch(b.icmp_signed("<", following, tokens), loop, done)
    b.position_at_end(done)
    for r, value in enumerate(raised):
        _store(b, value, best, r * nbytes)


def emit_finish(b: Builder, groups: int, best: Value, finals: Value, total: Value, add: Value) -> None:
    """A document's end: total (16 lanes) = (total if add else 0) + best x finals, group by group; best = -inf."""
    kind = ir.VectorType(_F32, LANES)
    before = _load(b, total, 0, kind)
    for g in range(groups):
        part = b.fmul(_load(b, best, 64 * g, kind), _load(b, finals, 64 * g, kind))
        _store(b, ir.Constant(kind, [float("-inf")] * LANES), best, 64 * g)
        before = b.fadd(before, part) if g else b.select(add, b.fadd(before, part), part)
    _store(b, before, total, 0)


def emit_sum(b: Builder, total: Value) -> Value:
    """16 lanes to one number: the upper half onto the lower, four times. This order is part of the score's meaning."""
    value, count = _load(b, total, 0, ir.VectorType(_F32, LANES)), LANES
    while count > 1:
        count //= 2
        value = b.fadd(_lanes(b, value, range(count)), _lanes(b, value, range(count, 2 * count)))
    return b.extract_element(value, _I32(0))


def emit_prefetch(b: Builder, address: Value) -> None:
    """Ask for a cache line, for reading, into every cache. Never faults."""
    pointer = b.inttoptr(address, _I8.as_pointer())
    # The name is that of typed pointers; newer LLVM reads it as its own.
    _call(b, "llvm.prefetch.p0i8", ir.VoidType(), (pointer, _I32(0), _I32(3), _I32(1)))


def _similarities(b: Builder, how: Arithmetic, sums: Sequence[Value], scale: Value) -> list[Value]:
    kind = ir.VectorType(_F32, how.width)
    values = [b.sitofp(total, kind) if how.integer else total for total in sums]
    if not how.scaled:
        return values
    spread = _spread(b, _load(b, scale, 0, _F32), how.width)
    return [b.fmul(value, spread) for value in values]


def _larger(b: Builder, value: Value, best: Value) -> Value:
    return b.select(b.fcmp_ordered(">", value, best), value, best)


def _spread(b: Builder, word: Value, width: int) -> Value:
    empty = ir.Constant(ir.VectorType(word.type, width), ir.Undefined)
    return _lanes(b, b.insert_element(empty, word, _I32(0)), [0] * width)


def _lanes(b: Builder, value: Value, lanes: Sequence[int]) -> Value:
    order = ir.Constant(ir.VectorType(_I32, len(lanes)), list(lanes))
    return b.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), order)


def _load(b: Builder, address: Value, offset: int, kind: Any) -> Value:
    return b.load(b.inttoptr(b.add(address, _I64(offset)), kind.as_pointer()), align=1)


def _store(b: Builder, value: Value, address: Value, offset: int) -> None:
    b.store(value, b.inttoptr(b.add(address, _I64(offset)), value.type.as_pointer()), align=1)


def _call(b: Builder, name: str, result: Any, operands: Sequence[Value]) -> Value:
    known = b.module.globals.get(name)
    if known is None:
        known = ir.Function(b.module, ir.FunctionType(result, [operand.type for operand in operands]), name)
    return b.call(known, operands)
