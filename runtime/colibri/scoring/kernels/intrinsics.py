"""The tiles as functions that compiled Python can call. All take and return int64 unless said otherwise."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from colibri.scoring.kernels import tile

_I64 = types.int64


def tile_function(how: tile.Arithmetic, tokens: int, groups: int, fold: bool) -> Any:
    """`tile.emit_tile` of (wide, query, query_stride, initial, rows, row_stride, steps, scales, out).

    wide: `groups` groups of query tokens where it is not 0, else one.
    """

    def emit(b: Any, count: int, *values: Any) -> None:
        tile.emit_tile(b, how, tokens, count, fold, tile.Operands(*values))

    @intrinsic
    def score_tile(_: Any, wide: Any, q: Any, qs: Any, i: Any, r: Any, rs: Any, s: Any, scales: Any, out: Any) -> Any:
        return types.void(*[_I64] * 9), _wide_or_one(groups, emit)

    return score_tile


def fold_function(how: tile.Arithmetic, groups: int) -> Any:
    """`tile.emit_fold` of (wide, similarities, tokens, best)."""

    def emit(b: Any, count: int, *values: Any) -> None:
        tile.emit_fold(b, how.width, count, *values)

    @intrinsic
    def fold(_: Any, wide: Any, similarities: Any, tokens: Any, best: Any) -> Any:
        return types.void(*[_I64] * 4), _wide_or_one(groups, emit)

    return fold


def finish_function(groups: int) -> Any:
    """`tile.emit_finish` of (wide, best, finals, total, add)."""

    def emit(b: Any, count: int, best: Any, finals: Any, total: Any, add: Any) -> None:
        tile.emit_finish(b, count, best, finals, total, b.icmp_signed("!=", add, ir.Constant(add.type, 0)))

    @intrinsic
    def finish(_: Any, wide: Any, best: Any, finals: Any, total: Any, add: Any) -> Any:
        return types.void(*[_I64] * 5), _wide_or_one(groups, emit)

    return finish


@intrinsic
def sum_lanes(_: Any, a: Any) -> Any:
    """`tile.emit_sum` of an address: float32."""

    def generate(_: Any, b: Any, __: Any, values: Any) -> Any:
        return tile.emit_sum(b, *values)

    return types.float32(_I64), generate


@intrinsic
def pointer(_: Any, a: Any) -> Any:
    """An address as numba.carray takes it."""

    def generate(_: Any, b: Any, __: Any, values: Any) -> Any:
        return b.inttoptr(values[0], ir.IntType(8).as_pointer())

    return types.voidptr(_I64), generate


@intrinsic
def prefetch(_: Any, a: Any) -> Any:
    """Ask for the cache line at an address, which may lie anywhere. Returns nothing."""

    def generate(context: Any, b: Any, _: Any, values: Any) -> Any:
        tile.emit_prefetch(b, *values)
        return context.get_dummy_value()

    return types.void(_I64), generate


def _wide_or_one(groups: int, emit: Callable[..., None]) -> Callable[..., Any]:
    """A generator of code that branches on the first argument, and returns nothing."""

    def generate(context: Any, b: Any, _: Any, values: Any) -> Any:
        wide, *others = values
        if groups == 1:
            emit(b, 1, *others)
        else:
            with b.if_else(b.icmp_signed("!=", wide, ir.Constant(wide.type, 0))) as (then, otherwise):
                with then:
                    emit(b, groups, *others)
                with otherwise:
                    emit(b, 1, *others)
        return context.get_dummy_value()

    return generate
