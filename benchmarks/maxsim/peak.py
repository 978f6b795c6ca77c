"""What a core can multiply and add at best: a loop over registers only, of the steps that the kernels are made of."""

import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from colibri.scoring.kernels import amx, emit
from colibri.scoring.kernels.arithmetic import Arithmetic
from colibri.scoring.kernels.build import recipe
from colibri.vectors import Kind

_SUMS = {16: (24,), 8: (12, 10, 8), 4: (12, 10, 8)}
"""Independent sums by width: enough to hide latency, few enough to stay in registers. Where a product is an instruction
of its own it needs a register too, and how many of them are best differs: the fastest loop is the limit."""


def register_loop(kernel: str, kind: Kind, clock: Callable[[], float] = time.perf_counter) -> Callable[[], float]:
    """A function that runs a few milliseconds and returns multiply-adds a second by `clock`, which tells seconds."""
    chosen = recipe(kernel, kind)
    if chosen.arithmetic.step is None:
        return _amx_loop(clock)
    how = chosen.arithmetic
    loops = [vector_loop(how, chosen.per_word, count, clock=clock) for count in _SUMS[how.width]]
    return lambda: max(loop() for loop in loops)


def vector_loop(
    how: Arithmetic,
    per_word: int,
    count: int,
    dispatchers: list[Any] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Callable[[], float]:
    """The loop with so many sums. What was compiled is appended to `dispatchers`, for who wants to read its code."""
    step = how.step
    assert step is not None
    words = ir.VectorType(ir.IntType(32), how.width)
    same = ir.FunctionType(words, [words])

    def emit(b: Any, rounds: Any, address: Any) -> None:
        pointer = b.inttoptr(address, words.as_pointer())
        doc, query = b.load(pointer, align=1), b.load(b.gep(pointer, [ir.IntType(64)(1)]), align=1)
        entry, loop, done = b.block, b.append_basic_block("round"), b.append_basic_block("done")
        b.branch(loop)
        b.position_at_end(loop)
        number = b.phi(ir.IntType(64))
        sums = [b.phi(how.sums) for _ in range(count)]
        word = b.phi(words)
        grown, other = [], word
        for total in sums:
            grown.append(step(b, total, other, query))
            # No instruction, but a word that the compiler does not know: the same product for all sums would leave one
            # multiplication in the loop, or none, and 440 to 610 GOP/s where AVX2 can do 155.
            other = b.asm(same, "", "=x,0", [other], True)
        following = b.add(number, ir.IntType(64)(1))
        zero = ir.Constant(how.sums, None)
        for phi, first, then in (
            (number, ir.IntType(64)(0), following),
            (word, doc, other),
            *((total, zero, after) for total, after in zip(sums, grown, strict=True)),
        ):
            phi.add_incoming(first, entry)
            phi.add_incoming(then, loop)
        b.cbranch(b.icmp_signed("<", following, rounds), loop, done)
        b.position_at_end(done)
        for i, total in enumerate(grown):
            place = b.gep(b.bitcast(pointer, how.sums.as_pointer()), [ir.IntType(64)(i)])
            b.store(total, place, align=1)

    @intrinsic
    def spin(_: Any, rounds: Any, address: Any) -> Any:
        def generate(context: Any, b: Any, __: Any, values: Any) -> Any:
            emit(b, *values)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    @numba.njit("void(int64, int64)", nogil=True)
    def run(rounds: int, address: int) -> None:
        spin(rounds, address)  # type: ignore[call-arg]  # numba passes the first, a typing context

    if dispatchers is not None:
        dispatchers.append(run)
    room = np.zeros((count, how.width), np.int32)  # zeros: no float leaves the ordinary range
    multiply_adds = 100_000 * count * how.width * per_word

    def once() -> float:
        began = clock()
        run(100_000, room.ctypes.data)
        return multiply_adds / (clock() - began)

    once()
    return once


def _amx_loop(clock: Callable[[], float]) -> Callable[[], float]:
    """The same of AMX's registers: all four of sums by two of rows and two of columns, which is how it goes fastest."""

    @intrinsic
    def spin(_: Any, rounds: Any, configuration: Any) -> Any:
        def generate(context: Any, b: Any, __: Any, values: Any) -> Any:
            amx.emit_configure(b, values[1])
            entry, loop, done = b.block, b.append_basic_block("round"), b.append_basic_block("done")
            b.branch(loop)
            b.position_at_end(loop)
            number = b.phi(emit.I64)
            for i in range(4):
                registers = (emit.I8(i), emit.I8(4 + i % 2), emit.I8(6 + i // 2))
                emit.call(b, "llvm.x86.tdpbssd", ir.VoidType(), registers)
            following = b.add(number, emit.I64(1))
            number.add_incoming(emit.I64(0), entry)
            number.add_incoming(following, loop)
            b.cbranch(b.icmp_signed("<", following, values[0]), loop, done)
            b.position_at_end(done)
            amx.emit_release(b)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    @numba.njit("void(int64, int64)", nogil=True)
    def run(rounds: int, address: int) -> None:
        spin(rounds, address)  # type: ignore[call-arg]

    configuration = np.zeros(64, np.uint8)
    configuration[0], configuration[16:32:2], configuration[48:56] = 1, 64, 16
    multiply_adds = 10_000 * 4 * 16 * 16 * 64

    def once() -> float:
        began = clock()
        run(10_000, configuration.ctypes.data)
        return multiply_adds / (clock() - began)

    once()
    return once
