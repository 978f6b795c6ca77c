"""Register tiles compiled for processors that need not be here: which instructions they are, and what they compute."""

import re
import shutil
import struct
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from colibri.scoring import meaning
from colibri.vectors import Kind
from scoring_cases import Ragged, stored

if find_spec("numba") is None:
    pytest.skip("numba is not installed: there are no kernels", allow_module_level=True)

import llvmlite.binding as llvm
from llvmlite import ir

from colibri.scoring.kernels import amx, ends, tile
from colibri.scoring.kernels.build import Recipe, recipe

QEMU = shutil.which("qemu-aarch64-static")
ARM = ("aarch64-unknown-linux-gnu", "generic", "+neon,+dotprod")
V3 = ("x86_64-unknown-linux-gnu", "x86-64-v3")
V4 = ("x86_64-unknown-linux-gnu", "x86-64-v4")
I64, I8 = ir.IntType(64), ir.IntType(8)

# Kernel, kind, target -> the instruction of a step, and what must not be there: registers of another width or encoding.
TILES: dict[str, tuple[str, Kind, tuple[str, str, str], str, str]] = {
    "AVX-512 VNNI": ("avx512-vnni", "int8", (*V4, "+avx512vnni"), "vpdpbusd\t%zmm", "vpmaddubsw"),
    "AVX-VNNI in VEX": ("avx-vnni", "int8", (*V3, "+avxvnni"), "{vex}\tvpdpbusd\t%ymm", "zmm"),
    "AVX-VNNI in EVEX": ("avx-vnni", "int8", (*V4, "+avx512vnni,+avx512vl"), "vpdpbusd\t%ymm", "{vex}"),
    "AVX2": ("avx2", "int8", (*V3, ""), "vpmaddwd\t", "vpmaddubsw"),  # the latter saturates
    "AVX2, nibbles": ("avx2", "int4", (*V3, ""), "vpmaddubsw\t", "vpmaddwd"),
    "AVX-512 VNNI, nibbles": ("avx512-vnni", "int4", (*V4, "+avx512vnni"), "vpdpbusd\t%zmm", "vpmaddubsw"),
    "NEON": ("neon-dot", "int8", ARM, "sdot\tv", "bl\t"),
    "generic": ("generic", "int8", (V3[0], "x86-64", ""), "mulps\t", "ymm"),
    "AVX-512, float": ("avx512-vnni", "float32", (*V4, ""), "vfmadd231ps\t", "vmulps"),
    "AVX2, float": ("avx2", "float32", (*V3, ""), "vfmadd231ps\t", "vmulps"),
    "NEON, float": ("neon-dot", "float32", ARM, "fmla\tv", "bl\t"),
}


def compiled(name: str, arguments: int, emit: Callable[[Any, Any], None], target: tuple[str, str, str]) -> Any:
    """A module with one function of addresses, optimised for a target, and the machine that writes it out."""
    module = ir.Module("tile")
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [I64] * arguments), name)
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    emit(builder, function.args)
    builder.ret_void()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    triple, cpu, features = target
    machine = llvm.Target.from_triple(triple).create_target_machine(
        cpu=cpu, features=features, opt=3, reloc="static", codemodel="small"
    )
    parsed = llvm.parse_assembly(str(module))
    parsed.triple, parsed.data_layout = triple, str(machine.target_data)
    parsed.verify()
    return parsed, machine


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("name", TILES)
def test_a_step_is_one_instruction_a_register(name: str, fold: bool) -> None:
    kernel, kind, target, wanted, unwanted = TILES[name]
    how = recipe(kernel, kind)
    tokens, groups = how.shape.tokens, how.shape.groups

    def emit(b: Any, arguments: Any) -> None:
        tile.emit_tile(b, how.arithmetic, tokens, groups, fold, tile.Operands(*arguments))

    parsed, machine = compiled("tile", 11, emit, target)
    assembly = machine.emit_assembly(parsed)
    loop = _loop(assembly, wanted)
    steps = how.arithmetic.at_once
    assert loop.count(wanted) == steps * tokens * groups * tile.LANES // how.arithmetic.width, loop
    assert unwanted not in loop
    assert loop.count("prefetch") == bool(how.arithmetic.asks_ahead), "a line a round, where a tile asks for later rows"
    assert not re.search(r"mm\d.*sp\)|sp\).*mm\d|[qv]\d.*\[sp", loop), "sums have left the registers"


def test_avx2_adds_behind_both_products() -> None:
    """Whatever the compiler knows of the processor: a product and its sum in turns are 6 % slower."""
    how = recipe("avx2", "int8")

    def emit(b: Any, arguments: Any) -> None:
        tile.emit_tile(b, how.arithmetic, how.shape.tokens, 1, True, tile.Operands(*arguments))

    parsed, machine = compiled("tile", 11, emit, (*V3, ""))
    loop = _loop(machine.emit_assembly(parsed), "vpmaddwd")
    together = re.findall(r"vpmaddwd\t.*\n\tvpmaddwd\t", loop)
    assert len(together) == how.arithmetic.at_once * how.shape.tokens, loop


@pytest.mark.parametrize("kind", ["int8", "float32"])
def test_avx2_asks_for_every_line_of_later_rows(kind: Kind) -> None:
    """A round's share is at most the line that it asks for, and a run's share what its tiles' rows are as stored."""
    how = recipe("avx2", kind)
    share = how.arithmetic.asks_ahead * how.arithmetic.at_once * how.shape.tokens
    assert 0 < share <= 64
    assert how.arithmetic.asks_ahead == how.per_word * np.dtype(how.source).itemsize


@pytest.mark.parametrize("fold", [True, False])
def test_amx_multiplies_whole_tiles(fold: bool) -> None:
    """Two groups of query tokens by the first 64 dims, by each 64 of many, and by the last; sums leave once."""

    def emit(b: Any, arguments: Any) -> None:
        amx.emit_tile(b, 2, fold, tile.Operands(*arguments))

    parsed, machine = compiled("tile", 11, emit, (*V4, "+amx-tile,+amx-int8"))
    assembly = machine.emit_assembly(parsed)
    assert assembly.count("tdpbssd\t%tmm") == 2 * 3
    assert assembly.count("tilestored\t%tmm") == 2
    assert assembly.count("vfmadd") == amx.TOKENS * 2, "one multiplication a sum, where sums began as floats"
    assert assembly.count("vcvtdq2ps") == amx.TOKENS * 2, "and a conversion where they did not"
    assert "rsp)" not in assembly.replace("(%rsp), %r", ""), "similarities have left the registers"


def _loop(assembly: str, wanted: str) -> str:
    """The shortest text from a label that is jumped back to, until the jump, with an instruction in it."""
    lines, loops = assembly.splitlines(), []
    for first, line in enumerate(lines):
        label = line.split(":")[0]
        if line.startswith(".LBB"):
            ends = (last for last in range(first + 1, len(lines)) if lines[last].split()[-1:] == [label])
            loops += ["\n".join(lines[first : last + 1]) for last in ends]
    return min((loop for loop in loops if wanted in loop), key=len, default=f"no loop in {assembly}")


CODE, DATA = 0x400000, 0x10000000


def _start(function: int, at: int, output: int, size: int) -> bytes:
    """Machine code at `at` that calls the function, writes so many bytes from `output` to stdout, and ends."""
    movz, movk, high, svc = 0xD2800000, 0xF2800000, 0x00200000, 0xD4000001
    call = 0x94000000 | (function - at) // 4 & 0x3FFFFFF
    write = [movz | 1 << 5, movz | high | output >> 16 << 5 | 1, movk | (output & 0xFFFF) << 5 | 1]
    write += [movz | size << 5 | 2, movz | 64 << 5 | 8, svc]
    return struct.pack("<10I", call, *write, movz, movz | 94 << 5 | 8, svc)


def _program(code: bytes, data: bytes, output: int, size: int) -> bytes:
    """A static ELF file for Linux on aarch64: the code at CODE, the data at DATA with more room behind it."""
    head = 64 + 2 * 56
    begin = CODE + head + len(code)
    code += _start(CODE + head, begin, output, size)
    file = b"\x7fELF\x02\x01\x01" + bytes(9)
    file += struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, begin, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    length, at = head + len(code), -(-(head + len(code)) // 4096) * 4096
    file += struct.pack("<IIQQQQQQ", 1, 5, 0, CODE, CODE, length, length, 4096)
    file += struct.pack("<IIQQQQQQ", 1, 6, at, DATA, DATA, len(data), len(data) + 65536, 4096)
    return (file + code).ljust(at, b"\0") + data


def _packed(how: Recipe, query: Any, rows: Any) -> tuple[bytes, bytes]:
    """Words of 16 query tokens, and of document tokens; dims are a multiple of a word's."""
    steps = query.shape[1] // how.per_word
    words = query.astype(how.word).reshape(16, steps, how.per_word).swapaxes(0, 1)
    return np.ascontiguousarray(words).tobytes(), np.ascontiguousarray(rows.astype(how.word)).tobytes()


@pytest.mark.skipif(QEMU is None, reason="qemu-aarch64-static is not installed (Debian: qemu-user-static)")
@pytest.mark.parametrize(("kind", "biased"), [("int8", True), ("int8", False), ("float32", False)])
def test_neon_computes_the_score(kind: Kind, biased: bool, tmp_path: Path) -> None:
    """One document as long as a tile: scored through stored similarities and through folded ones, then summed."""
    assert QEMU is not None
    how = recipe("neon-dot", kind)
    tokens = how.shape.tokens
    case = Ragged(16, [tokens], 96)
    docs = stored(case.packed, kind)
    meant = meaning.prepare(case.query, case.weights, integer=kind == "int8")
    scales = np.ones(tokens, np.float32) if docs.scales is None else docs.scales

    words, rows = _packed(how, meant.rows, docs.rows)
    lowest = np.full(16, -np.inf, np.float32).tobytes()
    initial = np.full(16, tile.FLOAT_BITS if biased else 0, np.int32).tobytes()
    offs = (scales * np.float32(-(2.0**23))).tobytes()
    parts = [words, rows, scales.tobytes(), offs, meant.finals.tobytes(), initial, lowest, lowest, lowest]
    starts = DATA + np.cumsum([0, *(-(-len(part) // 64) * 64 for part in parts)])
    query, doc, scale, off, finals, begun, stored_best, folded_best, best, totals = (int(start) for start in starts)
    score, similarities = totals + 64, totals + 128

    def emit(b: Any, _: Any) -> None:
        steps = case.packed.dim // how.per_word
        for fold, out in ((False, similarities), (True, folded_best), (True, best)):
            places = (query, 64, begun, doc, 4 * steps, steps, scale, off if biased else 0, 0, out, 0)
            tile.emit_tile(b, how.arithmetic, tokens, 1, fold, tile.Operands(*(I64(place) for place in places)))
        ends.emit_fold(b, how.arithmetic.width, 1, I64(similarities), I64(tokens), I64(stored_best))
        flags = (ir.IntType(1)(0), ir.IntType(1)(biased))
        ends.emit_finish(b, 1, I64(best), I64(finals), I64(totals), *flags)
        b.store(ends.emit_sum(b, I64(totals)), b.inttoptr(I64(score), ir.FloatType().as_pointer()))

    parsed, machine = compiled("score", 0, emit, ARM)
    sections = {s.name(): s.data() for s in llvm.ObjectFileRef.from_data(machine.emit_object(parsed)).sections()}
    assert b".rela.text" not in sections, "the code would need a linker"
    data = b"".join(part.ljust(-(-len(part) // 64) * 64, b"\0") for part in parts)
    path = tmp_path / "program"
    path.write_bytes(_program(sections[b".text"], data, stored_best, score + 4 - stored_best))
    path.chmod(0o755)
    done = subprocess.run([QEMU, str(path)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    written = np.frombuffer(done.stdout, np.float32)
    stored_maxima, folded_maxima, found = written[:16], written[16:32], written[64:]
    assert stored_maxima.tolist() == folded_maxima.tolist()
    similar = meaning.similarities(meant, docs.rows, scales).max(axis=1)
    if biased:
        similar = np.where(similar < 0, similar / 2, similar)
    wanted = meaning.scores(meant, docs.rows, scales, docs.starts)
    if kind == "int8":
        assert folded_maxima.tolist() == similar.tolist()
        assert found.tolist() == wanted.tolist()
    else:
        np.testing.assert_allclose(folded_maxima, similar, rtol=0, atol=1e-6)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=case.tolerance())
