"""What a core's AMX tiles can multiply and add at best, in int8 (Linux on x86-64)."""

import ctypes
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_ARCH_PRCTL, _REQUEST, _TILE_DATA = 158, 0x1023, 18  # Linux: a process asks before it may use tiles
_SUMS = 6  # tiles of sums; two more hold the factors
_ROUNDS = 10_000
_MULTIPLY_ADDS = 16 * 16 * 64  # of one instruction: 16 x 64 times 64 x 16

_LOOP = "\n".join(
    [
        "ldtilecfg ($0)",
        *(f"tilezero %tmm{i}" for i in range(_SUMS + 2)),
        "mov $1, %rcx",
        "1:",
        *(f"tdpbusd %tmm7, %tmm6, %tmm{i}" for i in range(_SUMS)),
        "dec %rcx",
        "jnz 1b",
        "tilerelease",
    ]
)


def amx_loop() -> Callable[[], float] | None:
    """A function that runs a millisecond or so and returns multiply-adds a second; None where there are no tiles."""
    cpuinfo = Path("/proc/cpuinfo")
    if sys.platform != "linux" or "amx_int8" not in cpuinfo.read_text(encoding="utf-8").split():
        return None
    if ctypes.CDLL(None).syscall(_ARCH_PRCTL, _REQUEST, _TILE_DATA) != 0:
        return None
    llvm.initialize_native_asmparser()

    @intrinsic
    def spin(_: Any, shapes: Any, rounds: Any) -> Any:
        def generate(context: Any, b: Any, __: Any, values: Any) -> Any:
            kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64), ir.IntType(64)])
            b.asm(kind, _LOOP, "r,r,~{rcx},~{memory}", values, True)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    @numba.njit("void(int64, int64)", nogil=True)
    def run(shapes: int, rounds: int) -> None:
        spin(shapes, rounds)  # type: ignore[call-arg]  # numba passes the first, a typing context

    tiles = np.zeros(64, np.uint8)  # palette 1: every tile 16 rows of 64 bytes
    tiles[0] = 1
    tiles[16:32].view(np.uint16)[:] = 64
    tiles[48:56] = 16

    def once() -> float:
        began = time.perf_counter()
        run(tiles.ctypes.data, _ROUNDS)
        return _ROUNDS * _SUMS * _MULTIPLY_ADDS / (time.perf_counter() - began)

    once()
    return once
