"""From a kernel's name and a kind of rows to two compiled functions: pack a query, scan documents."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core.registry import cpu_target

from colibri.scoring.collection import Kind
from colibri.scoring.kernels import rows, scan, tile
from colibri.scoring.kernels.intrinsics import finish_function, fold_function, tile_function
from colibri.vectors import SMALLEST

_PACK = "void(" + ", ".join(["int64"] * 8) + ")"
_SCAN = "int64(" + ", ".join(["int64"] * 16) + ")"
_WINDOW_TILES = 16


@dataclass(frozen=True)
class Shape:
    """Register tiles of one instruction set: document tokens, and groups of 16 query tokens."""

    tokens: int
    groups: int


@dataclass(frozen=True)
class Recipe:
    """How one kind of rows is scored on one instruction set.

    per_word   values in a word of four bytes; `word` is their type
    direct     whether rows can be read where they lie
    offset     what was added to each document value, to be taken off again
    """

    shape: Shape
    arithmetic: tile.Arithmetic
    per_word: int
    word: type
    source: type
    convert: Callable[..., None]
    pack: Callable[..., None]
    direct: bool = False
    offset: int = 0


def recipe(kernel: str, kind: Kind) -> Recipe:
    """What a kernel (its name in `choice.KERNELS`) does with a kind of rows."""
    width, shape = {
        "avx512-vnni": (16, Shape(8, 2)),
        "avx-vnni": (8, Shape(6, 1)),
        "avx2": (8, Shape(6, 1)),
        "neon-dot": (4, Shape(4, 1)),
        "generic": (4, Shape(2, 1)),
    }[kernel]
    if kind != "int8":
        step = tile.multiply_add if kernel == "generic" else tile.fused
        arithmetic = tile.Arithmetic(width, integer=False, scaled=False, step=step)
        half = kind == "float16"
        convert = rows.convert_half if half else rows.convert_plain
        source = np.uint16 if half else np.float32
        return Recipe(shape, arithmetic, 1, np.float32, source, convert, rows.pack_float, direct=not half)
    if kernel in {"avx512-vnni", "avx-vnni"}:
        arithmetic = tile.Arithmetic(width, integer=True, scaled=True, step=tile.vpdpbusd(width))
        return Recipe(shape, arithmetic, 4, np.int8, np.int8, rows.convert_unsigned, rows.pack_integer, offset=128)
    if kernel == "neon-dot":
        arithmetic = tile.Arithmetic(width, integer=True, scaled=True, step=tile.sdot)
        return Recipe(shape, arithmetic, 4, np.int8, np.int8, rows.convert_plain, rows.pack_integer)
    if kernel == "avx2":
        arithmetic = tile.Arithmetic(width, integer=True, scaled=True, step=tile.pmaddwd)
        return Recipe(shape, arithmetic, 2, np.int16, np.int8, rows.convert_plain, rows.pack_integer)
    arithmetic = tile.Arithmetic(width, integer=False, scaled=True, step=tile.multiply_add)
    return Recipe(shape, arithmetic, 1, np.float32, np.int8, rows.convert_plain, rows.pack_integer)


@dataclass(frozen=True)
class Compiled:
    """A kernel for one kind of rows. Both functions take addresses (see rows.pack_* and scan.scan).

    cached  where the compiled code lies on disk, or why it does not
    """

    kernel: str
    kind: Kind
    pack: Callable[..., None]
    scan: Callable[..., int]
    per_word: int
    cached: str


def build(kernel: str, kind: Kind) -> Compiled:
    """Compile, or load from numba's cache where there is one."""
    chosen = recipe(kernel, kind)
    names = _names(chosen)
    label = f"{kernel.replace('-', '_')}_{kind}_{_digest()}"
    pack, _ = _compiled(_copy(chosen.pack, names, f"pack_{label}"), _PACK)
    for helper in (chosen.convert, scan.copy_scales, scan.gather, scan.keep, scan.score_window):  # callees first
        name = "convert" if helper is chosen.convert else helper.__name__
        names[name] = numba.njit(nogil=True)(_copy(helper, names, f"{name}_{label}"))
    scanned, cached = _compiled(_copy(scan.scan, names, f"scan_{label}"), _SCAN)
    return Compiled(kernel, kind, pack, scanned, chosen.per_word, cached)


def _names(chosen: Recipe) -> dict[str, Any]:
    """What scan.py and rows.py leave open."""
    tokens, groups = chosen.shape.tokens, chosen.shape.groups
    how = chosen.arithmetic
    return {
        "TOKENS": tokens,
        "WIDE": groups,
        "WINDOW": tokens * _WINDOW_TILES,
        "DIRECT": chosen.direct,
        "PER_WORD": chosen.per_word,
        "WORD": chosen.word,
        "SOURCE": chosen.source,
        "SOURCE_BYTES": np.dtype(chosen.source).itemsize,
        "OFFSET": chosen.offset,
        "SMALLEST": SMALLEST,
        "tile_fold": tile_function(how, tokens, groups, True),
        "tile_store": tile_function(how, tokens, groups, False),
        "fold": fold_function(how, groups),
        "finish": finish_function(groups),
    }


def _copy(text: Callable[..., Any], names: dict[str, Any], name: str) -> Callable[..., Any]:
    """The same function with more names in reach, and a name of its own.

    numba names cache files after functions. One signature a name, and in the name all that the code depends on, keeps
    processes that fill a cache at once, or differ in processor or version, out of each other's files.
    """
    assert isinstance(text, FunctionType)
    made = FunctionType(text.__code__, {**text.__globals__, **names}, name)
    made.__qualname__ = name
    made.__module__ = text.__module__
    return made


def _compiled(function: Callable[..., Any], signature: str) -> tuple[Callable[..., Any], str]:
    try:
        kernel = numba.njit(signature, nogil=True, cache=True)(function)
    # A read-only installation without a home folder has no place for a cache (RuntimeError); a full or broken one
    # fails in many ways. Compiling without is always possible.
    except Exception as error:
        return numba.njit(signature, nogil=True)(function), f"not cached: {error}"
    return kernel, str(kernel.stats.cache_path)


def _digest() -> str:
    """Of all that compiled code depends on: our texts, numba, LLVM, and the processor it is made for."""
    folder = Path(__file__).parent
    parts = [path.read_bytes() for path in sorted(folder.glob("*.py"))]
    target = cpu_target.target_context.codegen().magic_tuple()
    parts.append(repr((numba.__version__, llvmlite.__version__, target)).encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
