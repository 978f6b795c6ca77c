"""The tiles as functions that compiled Python can call. All take and return int64 unless said otherwise."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from colibri.scoring.kernels import amx, arithmetic, emit, ends, tile

_I64 = types.int64


def tile_function(how: arithmetic.Arithmetic, tokens: int, groups: int, fold: bool) -> Any:
    """`emit_tile` of (wide, tiles, query, query_stride, initial, rows, row_stride, steps, scales, biases, room, out,
    ahead).

    wide: `groups` groups of query tokens where it is not 0, else one.
    tiles: how many, one after the other, where they come in runs and fold; else there is one.
    """

    def emit(b: Any, count: int, tiles: Any, *values: Any) -> None:
        at = tile.Operands(*values)
        if how.step is None:
            amx.emit_tile(b, count, fold, at)
        elif how.asks_ahead and fold:
            tile.emit_run(b, how, tokens, count, at, tiles)
        else:
            tile.emit_tile(b, how, tokens, count, fold, at)

    @intrinsic
    def score_tile(
        _: Any,
        wide: Any,
        tiles: Any,
        query: Any,
        query_stride: Any,
        initial: Any,
        rows: Any,
        row_stride: Any,
        steps: Any,
        scales: Any,
        biases: Any,
        room: Any,
        out: Any,
        ahead: Any,
    ) -> Any:
        return types.void(*[_I64] * 13), _wide_or_one(groups, emit)

    return score_tile


def words_function(groups: int) -> Any:
    """`amx.emit_words` of (wide, query, query_stride, steps)."""

    @intrinsic
    def load_words(_: Any, wide: Any, query: Any, query_stride: Any, steps: Any) -> Any:
        return types.void(*[_I64] * 4), _wide_or_one(groups, amx.emit_words)

    return load_words


@intrinsic
def configure(_: Any, configuration: Any) -> Any:
    """`amx.emit_configure` of an address. Returns nothing."""

    def generate(context: Any, b: Any, _: Any, values: Any) -> Any:
        amx.emit_configure(b, *values)
        return context.get_dummy_value()

    return types.void(_I64), generate


@intrinsic
def release(_: Any) -> Any:
    """`amx.emit_release`. Returns nothing."""

    def generate(context: Any, b: Any, _: Any, __: Any) -> Any:
        amx.emit_release(b)
        return context.get_dummy_value()

    return types.void(), generate


def fold_function(how: arithmetic.Arithmetic, groups: int) -> Any:
    """`ends.emit_fold` of (wide, similarities, tokens, best)."""

    def emit(b: Any, count: int, *values: Any) -> None:
        ends.emit_fold(b, how.width, count, *values)

    @intrinsic
    def fold(_: Any, wide: Any, similarities: Any, tokens: Any, best: Any) -> Any:
        return types.void(*[_I64] * 4), _wide_or_one(groups, emit)

    return fold


def finish_function(groups: int) -> Any:
    """`ends.emit_finish` of (wide, best, finals, total, add, halved)."""

    def emit(b: Any, count: int, best: Any, finals: Any, total: Any, *flags: Any) -> None:
        add, halved = (b.icmp_signed("!=", flag, ir.Constant(flag.type, 0)) for flag in flags)
        ends.emit_finish(b, count, best, finals, total, add, halved)

    @intrinsic
    def finish(_: Any, wide: Any, best: Any, finals: Any, total: Any, add: Any, halved: Any) -> Any:
        return types.void(*[_I64] * 6), _wide_or_one(groups, emit)

    return finish


@intrinsic
def sum_lanes(_: Any, a: Any) -> Any:
    """`ends.emit_sum` of an address: float32."""

    def generate(_: Any, b: Any, __: Any, values: Any) -> Any:
        return ends.emit_sum(b, *values)

    return types.float32(_I64), generate


@intrinsic
def flip_lines(_: Any, source: Any, target: Any, lines: Any) -> Any:
    """`emit.emit_flip` of (source, target, lines). Returns nothing."""

    def generate(context: Any, b: Any, _: Any, values: Any) -> Any:
        emit.emit_flip(b, *values)
        return context.get_dummy_value()

    return types.void(_I64, _I64, _I64), generate


def unpack_function(zero: int) -> Any:
    """`emit.emit_unpack` of (source, half, target, stride, count), with `zero` taken off. Returns nothing."""

    @intrinsic
    def unpack(_: Any, source: Any, half: Any, target: Any, stride: Any, count: Any) -> Any:
        def generate(context: Any, b: Any, _: Any, values: Any) -> Any:
            source_at, half_bytes, target_at, row_stride, rows = values
            emit.emit_unpack(b, source_at, half_bytes, target_at, row_stride, rows, zero)
            return context.get_dummy_value()

        return types.void(*[_I64] * 5), generate

    return unpack


@intrinsic
def pointer(_: Any, a: Any) -> Any:
    """An address as numba.carray takes it."""

    def generate(_: Any, b: Any, __: Any, values: Any) -> Any:
        return b.inttoptr(values[0], ir.IntType(8).as_pointer())

    return types.voidptr(_I64), generate


def prefetch_function(locality: int) -> Any:
    """`emit.emit_prefetch` of an address, which may lie anywhere."""

    @intrinsic
    def prefetch(_: Any, address: Any) -> Any:
        def generate(context: Any, b: Any, _: Any, values: Any) -> Any:
            emit.emit_prefetch(b, values[0], locality)
            return context.get_dummy_value()

        return types.void(_I64), generate

    return prefetch


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
