"""Tiles of 16 document tokens by 16 or 32 query tokens in AMX's registers (Intel, from Sapphire Rapids on).

tdpbssd multiplies 16 rows of 64 int8 with 16 columns of 64, signed by signed, and adds up in int32: exact, and 16 times
what one 512-bit VNNI instruction does, so the rows are read where they lie and nothing is converted. Sums leave the
registers through memory only; their scales and maxima are AVX-512's work, and take most of the time.

Registers 0 and 1 hold sums, 2 document rows and 4, 5 query words of 64 dims; 3 and 6, 7 the last dims, 64 or less,
whose shape the configuration gives. Query words stay there as long as a window of documents, up to 128 dims.
"""

from typing import Any

from llvmlite import ir

from colibri.scoring.kernels.arithmetic import Arithmetic
from colibri.scoring.kernels.emit import I8, I32, I64, Builder, Value, address_of, call, load
from colibri.scoring.kernels.tile import LANES, Operands, emit_end

TOKENS = 16
_STEPS = 16  # words of a register's row
_SUMS, _ROWS, _LAST_ROWS, _WORDS, _LAST_WORDS = 0, 2, 3, 4, 6
ARITHMETIC = Arithmetic(16, integer=True, scaled=True, step=None)


def emit_configure(b: Builder, configuration: Value) -> None:
    """Shape the registers as 64 bytes at an address say (Intel's manual, LDTILECFG; see scan.py)."""
    _call(b, "ldtilecfg", address_of(b, configuration))


def emit_release(b: Builder) -> None:
    """Give the registers up, so that no switch of threads saves them."""
    _call(b, "tilerelease")


def emit_words(b: Builder, groups: int, query: Value, stride: Value, steps: Value) -> None:
    """Load a query's words: the last ones, and the first where there is only one other register of them."""
    full = _full(b, steps)
    _load_words(b, _LAST_WORDS, groups, _after(b, query, stride, full), stride)
    with b.if_then(b.icmp_signed("==", full, I64(1))):
        _load_words(b, _WORDS, groups, query, stride)


def emit_tile(b: Builder, groups: int, fold: bool, at: Operands) -> None:
    """`tile.emit_tile` of 16 document tokens, after `emit_words`. The sums go through `room`."""
    full = _full(b, at.steps)
    for g in range(groups):  # a stride of 0: every row begins alike
        _call(b, "tileloadd64", I8(_SUMS + g), address_of(b, b.add(at.initial, I64(64 * g))), I64(0))
    with b.if_else(b.icmp_signed("<=", full, I64(1))) as (few, many):
        with few, b.if_then(b.icmp_signed("==", full, I64(1))):
            _multiply(b, groups, at.rows, at.row_stride, _ROWS, _WORDS)
        with many:
            entry, loop, done = b.block, b.append_basic_block("dims"), b.append_basic_block("last")
            b.branch(loop)
            b.position_at_end(loop)
            number = b.phi(I64)
            _load_words(b, _WORDS, groups, _after(b, at.query, at.query_stride, number), at.query_stride)
            _multiply(b, groups, b.add(at.rows, b.shl(number, I64(6))), at.row_stride, _ROWS, _WORDS)
            following = b.add(number, I64(1))
            number.add_incoming(I64(0), entry)
            number.add_incoming(following, b.block)
            b.cbranch(b.icmp_signed("<", following, full), loop, done)
            b.position_at_end(done)
    _multiply(b, groups, b.add(at.rows, b.shl(full, I64(6))), at.row_stride, _LAST_ROWS, _LAST_WORDS)
    for g in range(groups):
        place = address_of(b, b.add(at.room, I64(64 * g)))
        _call(b, "tilestored64", I8(_SUMS + g), place, I64(64 * groups))

    def row(token: int) -> list[Value]:
        kind = ir.VectorType(I32, LANES)
        return [load(b, at.room, 64 * (token * groups + g), kind) for g in range(groups)]

    emit_end(b, ARITHMETIC, TOKENS, row, fold, at)


def _full(b: Builder, steps: Value) -> Value:
    """Registers of 64 dims before the last one."""
    return b.ashr(b.sub(steps, I64(1)), I64(4))


def _after(b: Builder, query: Value, stride: Value, registers: Value) -> Value:
    return b.add(query, b.mul(registers, b.mul(stride, I64(_STEPS))))


def _load_words(b: Builder, first: int, groups: int, query: Value, stride: Value) -> None:
    for g in range(groups):
        _call(b, "tileloadd64", I8(first + g), address_of(b, b.add(query, I64(64 * g))), stride)


def _multiply(b: Builder, groups: int, rows: Value, stride: Value, into: int, words: int) -> None:
    _call(b, "tileloadd64", I8(into), address_of(b, rows), stride)
    for g in range(groups):
        _call(b, "tdpbssd", I8(_SUMS + g), I8(into), I8(words + g))


def _call(b: Builder, name: str, *operands: Any) -> None:
    call(b, f"llvm.x86.{name}", ir.VoidType(), operands)
