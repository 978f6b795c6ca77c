"""LLVM IR that every kernel is made of: loads and stores by address, lanes, calls of the target's own instructions.

Addresses are int64 values, and all loads allow any alignment: rows may be a view into a file.
"""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir

Value = Any  # llvmlite has no types
Builder = Any

I8, I16, I32, I64, F32 = ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64), ir.FloatType()


def emit_flip(b: Builder, source: Value, target: Value, lines: Value) -> None:
    """Copy so many times 256 bytes, at least once, 128 added to each: as many as fit a register at a time."""
    octets = ir.VectorType(I8, 64)
    entry, loop, done = b.block, b.append_basic_block("line"), b.append_basic_block("flipped")
    b.branch(loop)
    b.position_at_end(loop)
    offset = b.phi(I64)
    end = b.add(offset, I64(256))
    for part in range(0, 256, 64):
        value = load(b, b.add(source, offset), part, octets)
        store(b, b.xor(value, ir.Constant(octets, [128] * 64)), b.add(target, offset), part)
    offset.add_incoming(I64(0), entry)
    offset.add_incoming(end, loop)
    b.cbranch(b.icmp_signed("<", end, b.shl(lines, I64(8))), loop, done)
    b.position_at_end(done)


def emit_unpack(b: Builder, source: Value, half: Value, target: Value, stride: Value, count: Value, zero: int) -> None:
    """Spread `count` rows of nibbles, at least one, over bytes: the lower ones to a row's first half, the upper ones to
    its second, `zero` taken off each. half: bytes of a row, a multiple of 16."""
    with b.if_else(b.icmp_signed("==", b.and_(half, I64(31)), I64(0))) as (wide, narrow):
        with wide:
            _emit_unpack(b, 32, source, half, target, stride, count, zero)
        with narrow:
            _emit_unpack(b, 16, source, half, target, stride, count, zero)


def _emit_unpack(
    b: Builder, width: int, source: Value, half: Value, target: Value, stride: Value, count: Value, zero: int
) -> None:
    octets = ir.VectorType(I8, width)
    mask, four, less = (ir.Constant(octets, [value] * width) for value in (15, 4, zero))
    entry, row, part, last = b.block, *(b.append_basic_block(name) for name in ("row", "part", "last"))
    done = b.append_basic_block("unpacked")
    b.branch(row)
    b.position_at_end(row)
    number, place, out = (b.phi(I64) for _ in range(3))
    b.branch(part)
    b.position_at_end(part)
    offset = b.phi(I64)
    both = load(b, b.add(place, offset), 0, octets)
    at = b.add(out, offset)
    store(b, b.sub(b.and_(both, mask), less), at, 0)
    store(b, b.sub(b.lshr(both, four), less), b.add(at, half), 0)
    end = b.add(offset, I64(width))
    offset.add_incoming(I64(0), row)
    offset.add_incoming(end, part)
    b.cbranch(b.icmp_signed("<", end, half), part, last)
    b.position_at_end(last)
    following = b.add(number, I64(1))
    for phi, first, then in (
        (number, I64(0), following),
        (place, source, b.add(place, half)),
        (out, target, b.add(out, stride)),
    ):
        phi.add_incoming(first, entry)
        phi.add_incoming(then, last)
    b.cbranch(b.icmp_signed("<", following, count), row, done)
    b.position_at_end(done)


def emit_prefetch(b: Builder, address: Value, locality: int) -> None:
    """Ask for a cache line, for reading. locality 3: into every cache, 2: not into the first. Never faults."""
    pointer = address_of(b, address)
    # The name is that of typed pointers; newer LLVM reads it as its own.
    call(b, "llvm.prefetch.p0i8", ir.VoidType(), (pointer, I32(0), I32(locality), I32(1)))


def larger(b: Builder, value: Value, best: Value) -> Value:
    return b.select(b.fcmp_ordered(">", value, best), value, best)


def spread(b: Builder, word: Value, width: int) -> Value:
    empty = ir.Constant(ir.VectorType(word.type, width), ir.Undefined)
    return lanes(b, b.insert_element(empty, word, I32(0)), [0] * width)


def lanes(b: Builder, value: Value, which: Sequence[int]) -> Value:
    order = ir.Constant(ir.VectorType(I32, len(which)), list(which))
    return b.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), order)


def address_of(b: Builder, address: Value) -> Value:
    """An int64 as a pointer to bytes."""
    return b.inttoptr(address, I8.as_pointer())


def load(b: Builder, address: Value, offset: int, kind: Any) -> Value:
    return b.load(b.inttoptr(b.add(address, I64(offset)), kind.as_pointer()), align=1)


def store(b: Builder, value: Value, address: Value, offset: int) -> None:
    b.store(value, b.inttoptr(b.add(address, I64(offset)), value.type.as_pointer()), align=1)


def call(b: Builder, name: str, result: Any, operands: Sequence[Value]) -> Value:
    known = b.module.globals.get(name)
    if known is None:
        known = ir.Function(b.module, ir.FunctionType(result, [operand.type for operand in operands]), name)
    return b.call(known, operands)
