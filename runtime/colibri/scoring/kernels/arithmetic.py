"""How sums grow by a step on each instruction set: products of words of one document token and many query tokens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from colibri.scoring.kernels.emit import F32, I8, I16, I32, Builder, Value, call


@dataclass(frozen=True)
class Arithmetic:
    """How one step multiplies and adds on one instruction set.

    width       lanes of a register: 16, 8 or 4; a group takes 16 / width registers
    integer     whether sums are int32 (else float32)
    scaled      whether a similarity is the sum times the document token's scale
    step        emits (builder, sum, document word in every lane, query words) -> sum; words are <width x i32>
                (None: whole tiles are multiplied at once, see amx.py)
    at_once     steps of a round of the loop, 1 or 2: two would need more registers than the oldest processors have
    short_steps  0, or after how many steps sums of 16 bits, two a lane, are added up in 32 (see `pmaddubsw`)
    asks_ahead  bytes of a token's step as it is stored: tiles come in runs (see tile.py, emit_run), in which each round
                asks for a line of the rows that come later. All lines of a tile at once, 48 of 128 float32, wait for
                each other (Zen 3's first cache has 24 misses open at a time), and the tile's own loads wait behind
                them: 26 instead of 66 GFLOP/s (benchmarks/NOTES.md). 0: tiles come one by one, and the scan asks
    row         `step` of all registers of a document token, where it matters in which order they are
    """

    width: int
    integer: bool
    scaled: bool
    step: Callable[[Builder, Value, Value, Value], Value] | None
    at_once: int = 2
    short_steps: int = 0
    asks_ahead: int = 0
    row: Callable[[Builder, Sequence[Value], Value, Sequence[Value]], list[Value]] | None = None

    @property
    def sums(self) -> Any:
        """Type of a register of sums."""
        if self.short_steps:
            return ir.VectorType(I16, 2 * self.width)
        return ir.VectorType(I32 if self.integer else F32, self.width)


def vpdpbusd(width: int) -> Callable[[Builder, Value, Value, Value], Value]:
    """Four u8 x s8 products a lane onto int32, exact (AVX-512 VNNI, AVX-VNNI). Document words are unsigned."""

    def step(b: Builder, total: Value, doc: Value, query: Value) -> Value:
        # Since LLVM 22 its operands are bytes; older ones take words, and both readers accept words.
        words = ir.VectorType(I32, width)
        return call(b, f"llvm.x86.avx512.vpdpbusd.{32 * width}", words, (total, doc, query))

    return step


def sdot(b: Builder, total: Value, doc: Value, query: Value) -> Value:
    """Four s8 x s8 products a lane onto int32, exact (NEON with the dot product extension)."""
    octets = ir.VectorType(I8, 16)
    operands = (total, b.bitcast(doc, octets), b.bitcast(query, octets))
    return call(b, "llvm.aarch64.neon.sdot.v4i32.v16i8", total.type, operands)


def pmaddwd(b: Builder, total: Value, doc: Value, query: Value) -> Value:
    """Two s16 x s16 products a lane onto int32 (AVX2). Cannot saturate, unlike vpmaddubsw: 2 x 128 x 128 < 2^31."""
    return b.add(total, _pair_sums(b, doc, query))


def pmaddwd_row(b: Builder, totals: Sequence[Value], doc: Value, query: Sequence[Value]) -> list[Value]:
    """`pmaddwd` of a document token's two registers: both products, then both additions. An addition right behind its
    product, as a compiler that knows no processor orders them, gives 1.38 instead of 1.46 pairs a cycle (Zen 3)."""
    products = [_pair_sums(b, doc, word) for word in query]
    kind = products[0].type
    both = ir.FunctionType(ir.LiteralStructType([kind] * 2), [kind] * 2)
    found = b.asm(both, "", "=x,=x,0,1,~{memory}", products, True)  # no instruction, but nothing is moved across it
    return [b.add(total, b.extract_value(found, i)) for i, total in enumerate(totals)]


def _pair_sums(b: Builder, doc: Value, query: Value) -> Value:
    halves = ir.VectorType(I16, 16)
    operands = (b.bitcast(doc, halves), b.bitcast(query, halves))
    return call(b, "llvm.x86.avx2.pmadd.wd", doc.type, operands)


SHORT_STEPS = 16
"""Steps whose sums of nibbles less 8 fit 16 bits, two products a step: 16 x 2 x 8 x 127 = 32,512. On the way a sum may
pass 2^15, since it begins at -8 times the query's: it wraps, and comes back."""


def pmaddubsw(b: Builder, total: Value, doc: Value, query: Value) -> Value:
    """Two u8 x s8 products twice a lane onto two int16 (AVX2), of nibbles: 2 x 15 x 127 = 3,810 cannot saturate."""
    octets = ir.VectorType(I8, 32)
    operands = (b.bitcast(doc, octets), b.bitcast(query, octets))
    return b.add(total, call(b, "llvm.x86.avx2.pmadd.ub.sw", total.type, operands))


def added_up(b: Builder, total: Value, width: int) -> Value:
    """Both int16 of a lane as one int32."""
    ones = ir.Constant(total.type, [1] * total.type.count)
    return call(b, "llvm.x86.avx2.pmadd.wd", ir.VectorType(I32, width), (total, ones))


def fused(b: Builder, total: Value, doc: Value, query: Value) -> Value:
    """One float32 product a lane, rounded once with the sum."""
    name = f"llvm.fma.v{total.type.count}f32"
    return call(b, name, total.type, (b.bitcast(doc, total.type), b.bitcast(query, total.type), total))


def multiply_add(b: Builder, total: Value, doc: Value, query: Value) -> Value:
    """One float32 product a lane, rounded before the sum: any processor. Exact for integers below 2^24."""
    return b.fadd(total, b.fmul(b.bitcast(doc, total.type), b.bitcast(query, total.type)))
