"""Look-ups of sign bits compiled for processors that need not be here: their instructions, and what they compute."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from colibri.scoring import bits, sign_rows
from colibri.scoring.shapes import SHAPES, Shape, shape_of
from scoring_cases import Ragged

if find_spec("numba") is None:
    pytest.skip("numba is not installed: there are no kernels", allow_module_level=True)

from llvmlite import ir

from colibri.scoring.kernels import lookups
from emitted import instructions

I64 = ir.IntType(64)
V3, ARM = ("x86_64-unknown-linux-gnu", "x86-64-v3", ""), ("aarch64-unknown-linux-gnu", "generic", "+neon")
TOOLS = ("qemu-aarch64-static", "aarch64-linux-gnu-as", "aarch64-linux-gnu-ld")

PROGRAM = """
    .text
    .globl _start
_start:
    sub sp, sp, #16
    ldr x0, =data
    ldr x1, =data + {rows}
    ldr x2, ={count}
    ldr x3, ={stride}
    ldr x4, ={words}
    ldr x5, ={tail}
    ldr x6, =data + {finals}
    ldr x7, =out
    bl document
    mov x0, #1
    ldr x1, =out
    mov x2, #64
    mov x8, #64
    svc #0
    mov x0, #0
    mov x8, #94
    svc #0
    .data
    .align 6
data: .incbin "{data}"
    .bss
    .align 6
out: .skip 64
"""


def assembly(shape: Shape, target: tuple[str, str, str]) -> str:
    """A function `document` of a table, rows, count, stride, words, tail, finals and total, for a target."""
    module = ir.Module("lookups")
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [I64] * 8), "document")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    lookups.emit_document(builder, shape, ir.IntType(1)(0), lookups.Operands(*function.args))
    builder.ret_void()
    return instructions(module, *target)


def table(shape: Shape, query: bits.Asked, dim: int) -> bytes:
    """What every combination of a group's signs costs, in plain loops."""
    lines = shape.lanes // 16
    made = np.zeros(shape.table_bytes(dim), np.uint8)
    for first, count, entries in shape.places(dim).tolist():
        for number in range(1 << count):
            for token in range(len(query.costs)):
                loss = 0
                for bit in range(count):
                    j = first + bit
                    if j < dim and bool(number >> bit & 1) != bool(query.negative[token, j]):
                        loss += int(query.costs[token, j])
                made[entries + number * shape.lanes + token % 16 * lines + token // 16] = min(255, loss)
    return made.tobytes()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dim", [1, 8, 63, 64, 72, 96, 128, 300])
def test_groups_are_the_dims_of_a_row_one_after_the_other(shape: Shape, dim: int) -> None:
    places = shape.places(dim)
    assert places[:, 0].tolist() == [0, *np.cumsum(places[:, 1])[:-1]]
    assert places[:, 1].sum() == -(-dim // 8) * 8
    assert len(places) == shape.groups * (dim // 64) + 2 * ((dim % 64 + 7) // 8)
    assert places[:, 2].tolist() == [0, *np.cumsum(shape.lanes << places[:, 1])[:-1]]


def test_the_fewest_groups_are_taken_whose_table_stays_in_a_cache() -> None:
    chosen = {dim: [SHAPES[shape_of(dim, lanes)].groups for lanes in (16, 32)] for dim in (32, 64, 96, 128, 256, 768)}
    assert chosen == {32: [9, 11], 64: [9, 11], 96: [9, 11], 128: [11, 13], 256: [13, 16], 768: [13, 16]}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_look_up_is_three_instructions(shape: Shape) -> None:
    """Shift, take off, subtract; the first group, which may lie too low to be shifted, has others."""
    text = assembly(shape, V3)
    words = text.count("vpsubusb")
    assert len(re.findall(r"andnq\t%", text)) >= 2 * (shape.groups - 3), "one a group, in the first word and in others"
    assert words >= 2 * (shape.groups - 1)
    assert not re.search(r"mm\d.*sp\)|sp\).*mm\d", text), "what is left has left the registers"


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason="needs qemu-user-static and binutils-aarch64-linux-gnu")
@pytest.mark.parametrize("dim", [64, 77, 136])
@pytest.mark.parametrize("shape", [SHAPES[0], SHAPES[3]], ids=str)
def test_a_document_scores_the_same_bits_on_arm(shape: Shape, dim: int, tmp_path: Path) -> None:
    case = Ragged(shape.lanes - 3, [23], dim)
    rows, query = sign_rows(case.packed), bits.asked(case.query, case.weights)
    finals = np.zeros(shape.lanes, np.float32)
    finals[: len(query.finals)] = query.finals
    parts = [table(shape, query, dim), rows.tobytes(), finals.tobytes()]
    padded = [part.ljust(-(-len(part) // 64) * 64, b"\0") for part in parts]
    (tmp_path / "data").write_bytes(b"".join(padded))
    (tmp_path / "document.s").write_text(assembly(shape, ARM))
    facts: dict[str, Any] = {"rows": len(padded[0]), "finals": len(padded[0]) + len(padded[1]), "count": len(rows)}
    facts |= {"stride": rows.shape[1], "words": dim // 64, "tail": (dim % 64 + 7) // 8}
    (tmp_path / "start.s").write_text(PROGRAM.format(data=tmp_path / "data", **facts))
    for name in ("document", "start"):
        run("aarch64-linux-gnu-as", "-o", tmp_path / f"{name}.o", tmp_path / f"{name}.s")
    run("aarch64-linux-gnu-ld", "-o", tmp_path / "program", tmp_path / "document.o", tmp_path / "start.o")
    lanes = np.frombuffer(run("qemu-aarch64-static", tmp_path / "program"), np.float32)
    while len(lanes) > 1:
        lanes = lanes[: len(lanes) // 2] + lanes[len(lanes) // 2 :]
    assert lanes.tobytes() == bits.meant(query, rows, case.packed.starts).tobytes()


def run(*command: object) -> bytes:
    """A command's output; its errors, where it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr.decode()[-3000:])
    return done.stdout
