"""From a kernel's name and a kind of rows to two compiled functions: pack a query, scan documents."""

import functools
import hashlib
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import FunctionType
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core.registry import cpu_target

from colibri.machine import home, why_no_home
from colibri.quantised import SMALLEST
from colibri.scoring.kernel import ARGUMENTS, BITS_ARGUMENTS, WINDOW_TILES, Compiled, CompiledBits
from colibri.scoring.kernels import amx, arithmetic, bits, few, rows, scan, tile
from colibri.scoring.kernels.choice import target_features
from colibri.scoring.kernels.intrinsics import (
    finish_function,
    fold_function,
    prefetch_function,
    tile_function,
    unpack_function,
    words_function,
)
from colibri.scoring.names import FOUR, SIX, SIX_NEED, TURNED_KERNELS
from colibri.vectors import Kind

log = logging.getLogger(__name__)


def _signatures(arguments: Mapping[str, int], **results: str) -> dict[str, str]:
    return {name: f"{results.get(name, 'void')}({', '.join(['int64'] * count)})" for name, count in arguments.items()}


SIGNATURES, BITS_SIGNATURES = _signatures(ARGUMENTS, scan="int64"), _signatures(BITS_ARGUMENTS)
"""Of a kernel's functions: numbers, and addresses as numbers."""

_NIBBLE_ZERO = 8  # what is stored for 0 (colibri.quantised)
_WINDOW_BYTES = 12288  # beside a query in 32 KB: int16 of 128 dims, 10 tokens, 124 instead of 119 GOP/s (Zen 3)
_AHEAD = 768  # tokens: 200 MB at 590 instead of 450 GOP/s, one thread


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
    bits       of a stored value
    offset     what was added to each document value, to be taken off again
    zero       what is taken off each stored value of int4 when it is laid out
    window_bytes  of rows laid out at a time, at most, where fewer tiles than WINDOW_TILES are better; 0: no matter
    """

    shape: Shape
    arithmetic: arithmetic.Arithmetic
    per_word: int
    word: type
    source: type
    convert: Callable[..., None]
    pack: Callable[..., None]
    bits: int
    direct: bool = False
    offset: int = 0
    zero: int = 0
    window_bytes: int = 0


def recipe(kernel: str, kind: Kind) -> Recipe:
    """What a kernel (its name in `names.KERNELS`) does with a kind of rows."""
    width, shape = {
        "amx": (16, Shape(8, 2)),
        "avx512-vnni": (16, Shape(8, 2)),
        "avx-vnni": (8, Shape(6, 1)),
        "avx2": (8, Shape(6, 1)),
        "neon-dot": (4, Shape(4, 1)),
        "generic": (4, Shape(2, 1)),
    }[kernel]
    at_once = 1 if kernel == "generic" else 2
    if kind == "int4":
        return _nibbles(kernel, width, shape)
    if kind != "int8":
        step = arithmetic.multiply_add if kernel == "generic" else arithmetic.fused
        half = kind == "float16"
        asks = 4 if kernel == "avx2" and not half else 0
        how = arithmetic.Arithmetic(width, integer=False, scaled=False, step=step, at_once=at_once, asks_ahead=asks)
        convert = rows.convert_half if half else rows.convert_plain
        source = np.uint16 if half else np.float32
        return Recipe(shape, how, 1, np.float32, source, convert, rows.pack_float, 16 if half else 32, direct=not half)
    if kernel == "amx":
        shape = Shape(amx.TOKENS, 2)
        return Recipe(shape, amx.ARITHMETIC, 4, np.int8, np.int8, rows.convert_plain, rows.pack_integer, 8, direct=True)
    if kernel in {"avx512-vnni", "avx-vnni"}:
        how = arithmetic.Arithmetic(width, integer=True, scaled=True, step=arithmetic.vpdpbusd(width))
        return Recipe(shape, how, 4, np.int8, np.int8, rows.convert_unsigned, rows.pack_integer, 8, offset=128)
    if kernel == "neon-dot":
        how = arithmetic.Arithmetic(width, integer=True, scaled=True, step=arithmetic.sdot)
        return Recipe(shape, how, 4, np.int8, np.int8, rows.convert_plain, rows.pack_integer, 8)
    if kernel == "avx2":
        how = arithmetic.Arithmetic(width, integer=True, scaled=True, step=arithmetic.pmaddwd)
        how = replace(how, row=arithmetic.pmaddwd_row, asks_ahead=2)
        convert, pack = rows.convert_plain, rows.pack_integer
        return Recipe(shape, how, 2, np.int16, np.int8, convert, pack, 8, window_bytes=_WINDOW_BYTES)
    how = arithmetic.Arithmetic(width, integer=False, scaled=True, step=arithmetic.multiply_add, at_once=at_once)
    return Recipe(shape, how, 1, np.float32, np.int8, rows.convert_plain, rows.pack_integer, 8)


def _nibbles(kernel: str, width: int, shape: Shape) -> Recipe:
    """int4: unpacked a window at a time to what the same instructions multiply for int8, but for AVX2, whose
    vpmaddubsw multiplies twice as many of them at once."""
    unsigned = arithmetic.Arithmetic(width, integer=True, scaled=True, step=arithmetic.vpdpbusd(width))
    short = replace(unsigned, step=arithmetic.pmaddubsw, short_steps=arithmetic.SHORT_STEPS)
    plain = arithmetic.Arithmetic(width, integer=False, scaled=True, step=arithmetic.multiply_add, at_once=1)
    tiled, how, word, pack = {
        "amx": (Shape(amx.TOKENS, 2), amx.ARITHMETIC, np.int8, rows.pack_integer),
        "avx2": (shape, short, np.int8, rows.pack_short),
        "neon-dot": (shape, replace(unsigned, step=arithmetic.sdot), np.int8, rows.pack_integer),
        "generic": (shape, plain, np.float32, rows.pack_integer),
    }.get(kernel, (shape, unsigned, np.int8, rows.pack_integer))
    signed = kernel in {"amx", "neon-dot", "generic"}
    per_word, convert = 4 // np.dtype(word).itemsize, rows.convert_nibbles
    offset, zero = (0, _NIBBLE_ZERO) if signed else (_NIBBLE_ZERO, 0)
    return Recipe(tiled, how, per_word, word, np.uint8, convert, pack, 4, offset=offset, zero=zero)


def build(kernel: str, kind: Kind) -> Compiled:
    """Compile, or load from numba's cache where there is one."""
    chosen = recipe(kernel, kind)
    label = f"{kernel.replace('-', '_')}_{kind}_{_digest()}"
    texts = functions(chosen, label, numba.njit(nogil=True))
    compiled = {name: _compiled(text, SIGNATURES[name]) for name, text in texts.items()}
    (pack, _), (scanned, cached) = compiled["pack"], compiled["scan"]
    return Compiled(kernel, kind, pack, scanned, **layout(chosen), cached=cached)


def layout(chosen: Recipe) -> dict[str, int]:
    """What scoring must know of a kernel besides its functions: see Compiled."""
    return {
        "per_word": chosen.per_word,
        "float_bits": tile.FLOAT_BITS if chosen.arithmetic.integer else 0,
        "short_steps": chosen.arithmetic.short_steps,
        "tokens": chosen.shape.tokens,
        "wide": chosen.shape.groups,
    }


def functions(chosen: Recipe, label: str, callee: Callable[[Callable[..., Any]], Any]) -> dict[str, Callable[..., Any]]:
    """The Python functions that make up a kernel, by their names in SIGNATURES. label: ends the names they get.

    callee  makes of a function what compiled functions can call
    """
    names = _names(chosen)
    if chosen.pack is rows.pack_short:
        names["pack_integer_words"] = callee(_copy(rows.pack_integer, names, f"pack_words_{label}"))
    pack = _copy(chosen.pack, names, f"pack_{label}")
    for helper in (chosen.convert, *scan.HELPERS):
        name = "convert" if helper is chosen.convert else helper.__name__
        names[name] = callee(_copy(helper, names, f"{name}_{label}"))
    return {"pack": pack, "scan": _copy(scan.scan, names, f"scan_{label}")}


def build_bits(kernel: str) -> CompiledBits:
    """The kernel for sign bits, compiled or loaded as `build` does."""
    turned = TURNED_KERNELS.get(kernel, 0)
    if turned == SIX and SIX_NEED not in target_features():
        turned = FOUR
    texts = bits_functions(turned, f"bits_{_digest()}", numba.njit(nogil=True))
    (fill, _), (scanned, cached) = (_compiled(texts[name], BITS_SIGNATURES[name]) for name in ("fill", "scan"))
    return CompiledBits(kernel, turned, fill, scanned, cached)


def bits_functions(
    turned: int, label: str, callee: Callable[[Callable[..., Any]], Any]
) -> dict[str, Callable[..., Any]]:
    """As `functions`, of the kernel for sign bits, by their names in BITS_SIGNATURES. LLVM fits its code to whatever
    processor, but for what turns rows: `turned` as CompiledBits has it."""
    names: dict[str, Any] = {"TURNED": turned}
    label = f"turned_{turned}_{label}"
    for helper in few.HELPERS if turned else ():
        names[helper.__name__] = callee(_copy(helper, names, f"{helper.__name__}_{label}"))
    return {name: _copy(text, names, f"{name}_{label}") for name, text in (("fill", bits.fill), ("scan", bits.scan))}


def _names(chosen: Recipe) -> dict[str, Any]:
    """What scan.py and rows.py leave open."""
    tokens, groups = chosen.shape.tokens, chosen.shape.groups
    how = chosen.arithmetic
    return {
        "TOKENS": tokens,
        "WIDE": groups,
        "WINDOW": tokens * WINDOW_TILES,
        "DIRECT": chosen.direct,
        "TILED": how.step is None,
        "PER_WORD": chosen.per_word,
        "WORD": chosen.word,
        "SOURCE": chosen.source,
        "SOURCE_BYTES": np.dtype(chosen.source).itemsize,
        "SOURCE_BITS": chosen.bits,
        "OFFSET": chosen.offset,
        "ZERO": chosen.zero,
        "SHORT_STEPS": how.short_steps,
        "unpack": unpack_function(chosen.zero),
        "SMALLEST": SMALLEST,
        "tile_fold": tile_function(how, tokens, groups, True),
        "tile_store": tile_function(how, tokens, groups, False),
        "fold": fold_function(how, groups),
        "finish": finish_function(groups),
        "RUNS": how.asks_ahead != 0,
        "WINDOW_BYTES": chosen.window_bytes,
        "prefetch": prefetch_function(locality=2),
        "AHEAD": _AHEAD if how.step is None else 0,
        "load_words": words_function(groups),
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
    why = _no_place()
    if why is not None:
        _say(why)
        return numba.njit(signature, nogil=True)(function), f"not cached: {why}"
    try:
        kernel = numba.njit(signature, nogil=True, cache=True)(function)
    # A read-only installation without a home folder has no place for a cache (RuntimeError); a full or broken one
    # fails in many ways. Compiling without is always possible.
    except Exception as error:
        return numba.njit(signature, nogil=True)(function), f"not cached: {error}"
    return kernel, str(kernel.stats.cache_path)


def _no_place() -> str | None:
    """Why numba must not be asked to keep anything: without a home folder it makes one that is named "~"."""
    said = numba.config.CACHE_DIR or os.environ.get("XDG_CACHE_HOME")  # type: ignore[attr-defined]
    if said or home() is not None:
        return None
    beside = Path(__file__).with_name("__pycache__")
    if os.access(beside if beside.exists() else beside.parent, os.W_OK | os.X_OK):
        return None
    return f"{why_no_home()}; NUMBA_CACHE_DIR or XDG_CACHE_HOME says where to keep compiled kernels"


@functools.cache
def _say(why: str) -> None:
    """Once a process, whatever it compiles."""
    log.warning("compiled kernels are not kept: %s", why)


def _digest() -> str:
    """Of all that compiled code depends on: our texts, numba, LLVM, and the processor it is made for."""
    folder = Path(__file__).parent
    files = [*sorted(folder.glob("*.py")), *(folder.parent / name for name in ("kernel.py", "names.py", "shapes.py"))]
    parts = [path.read_bytes() for path in files]
    target = cpu_target.target_context.codegen().magic_tuple()
    parts.append(repr((numba.__version__, llvmlite.__version__, target)).encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
