"""Turned rows of sign bits compiled for processors that need not be here: their instructions."""

import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest

if find_spec("numba") is None:
    pytest.skip("numba is not installed: there are no kernels", allow_module_level=True)

from llvmlite import ir

from colibri.scoring.kernels import turned
from emitted import instructions

I64 = ir.IntType(64)
V3, V4_VBMI = ("x86-64-v3", ""), ("x86-64-v4", "+avx512vbmi")


def assembly(emit: Callable[..., None], count: int, target: tuple[str, str]) -> str:
    """A function of so many numbers, as a processor's instructions."""
    module = ir.Module("turned")
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [I64] * count), "emitted")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    emit(builder, *function.args)
    builder.ret_void()
    return instructions(module, "x86_64-unknown-linux-gnu", *target)


def on_the_stack(text: str) -> list[str]:
    return re.findall(r"mm\d.*sp\)|sp\).*mm\d", text)


@pytest.mark.parametrize("dim", [64, 96, 128])
def test_four_dims_of_32_rows_are_two_instructions(dim: int) -> None:
    def emit(b: Any, *values: Any) -> None:
        turned.emit_matches(b, dim, *values)

    text = assembly(emit, 5, V3)
    groups, registers = dim // 4, turned.CHUNK // 32
    assert len(re.findall(r"vpshufb\t\d*\(%r.*ymm", text)) == groups * registers, "their places are read by it"
    # The first group's are taken from what is full, which is a complement.
    assert text.count("vpsubusb") == (groups - 1) * registers
    assert text.count("vbroadcasti128") == groups, "a table is read once for all rows of a chunk"
    assert not on_the_stack(text)


@pytest.mark.parametrize("dim", [64, 96, 128])
def test_six_dims_of_64_rows_are_two_instructions(dim: int) -> None:
    def emit(b: Any, *values: Any) -> None:
        turned.emit_sixes(b, dim, *values)

    text = assembly(emit, 4, V4_VBMI)
    groups = -(-dim // 6)
    assert len(re.findall(r"vpermb\t\d*\(%r.*zmm", text)) == groups, "tables are read by it"
    assert text.count("vpsubusb") == groups - 1


@pytest.mark.parametrize("tokens", turned.FEW)
def test_maxima_of_few_tokens_stay_in_registers(tokens: int) -> None:
    def emit(b: Any, *values: Any) -> None:
        flags = [b.icmp_signed("!=", flag, I64(0)) for flag in values[:2]]
        turned.emit_best(b, tokens, turned.Part(*values[2:8]), flags[0], values[8], values[9], flags[1])

    text = assembly(emit, 10, V3)
    loops = re.findall(r"(?s)\n(\.LBB0_\d+):[^\n]*\n((?:(?!\.LBB).)*?)\tj\w+\t\1\n", text)
    assert [body.count("vpmaxuw") for _, body in loops] == [tokens], "16 rows of a token are one instruction"
    assert not on_the_stack(loops[0][1])
