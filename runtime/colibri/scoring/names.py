"""The names of compiled kernels and of the kinds of rows they score, for who chooses and for who offers them."""

from colibri.scoring.collection import Kind

KERNELS = ("amx", "avx512-vnni", "avx-vnni", "avx2", "neon-dot", "generic")
"""Names of the compiled kernels, the fastest first."""

KINDS: tuple[Kind, ...] = ("int8", "float32", "float16")
