"""The names of compiled kernels and of the kinds of rows they score, for who chooses and for who offers them."""

from typing import Literal

from colibri.vectors import Kind

KERNELS = ("amx", "avx512-vnni", "avx-vnni", "avx2", "neon-dot", "generic")
"""Names of the compiled kernels, the fastest first."""

KINDS: tuple[Kind, ...] = ("int8", "int4", "float32", "float16")

INTEGERS: tuple[Kind, ...] = ("int8", "int4")
"""Kinds whose scores are the same bits whoever computes them."""

Bits = Literal["bits"]
"""Rows of sign bits, among the kinds of rows that kernels score."""

Sixes = Literal["bits6"]
"""The same rows, by kernels that need more of a processor (shapes.SIX_NEED)."""

NARROW, WIDE = 16, 32
"""Query tokens that sign bits are scored against at once."""

FOUR, SIX, SIX_NEED = 4, 6, "avx512vbmi"
TURNED_KERNELS = {"amx": SIX, "avx512-vnni": SIX, "avx-vnni": FOUR, "avx2": FOUR}
"""Kernels that can score few query tokens the other way round (kernels/turned.py), and how many dims of sign bits they
look up at once: tables of 64 where the processor has `SIX_NEED` too, else of 16."""


def row_bytes(dim: int) -> int:
    """Bytes of one row of sign bits: a bit a value, in whole bytes, and one for the factor."""
    return -(-dim // 8) + 1
