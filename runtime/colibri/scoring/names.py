"""The names of compiled kernels and of the kinds of rows they score, for who chooses and for who offers them."""

from colibri.vectors import Kind

KERNELS = ("amx", "avx512-vnni", "avx-vnni", "avx2", "neon-dot", "generic")
"""Names of the compiled kernels, the fastest first."""

KINDS: tuple[Kind, ...] = ("int8", "int4", "float32", "float16")

INTEGERS: tuple[Kind, ...] = ("int8", "int4")
"""Kinds whose scores are the same bits whoever computes them."""
