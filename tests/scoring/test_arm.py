"""A whole scan on ARM: numba's code of `scan` for the NEON kernel, compiled for aarch64 and run by qemu.

numba compiles for the machine it runs on. So its LLVM code is taken before it becomes machine code, given to LLVM's
aarch64 target, assembled and linked with a program that calls it and writes out what it wrote.
"""

import functools
import re
import shutil
import subprocess
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from colibri.scoring import meaning
from colibri.scoring.collection import collection
from colibri.scoring.kernel import ARGUMENTS
from colibri.scoring.names import INTEGERS
from colibri.vectors import Kind
from rounds import rounds
from scoring_cases import KINDS, Ragged, stored

if find_spec("numba") is None:
    pytest.skip("numba is not installed: there are no kernels", allow_module_level=True)

import llvmlite.binding as llvm

from colibri.scoring.kernels import build, scan, tile

numba: Any = import_module("numba")
core: Any = import_module("numba.core")

TOOLS = ("qemu-aarch64-static", "aarch64-linux-gnu-as", "aarch64-linux-gnu-ld")
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, TOOLS)), reason="needs Debian's qemu-user-static and binutils-aarch64-linux-gnu"
)

K = 5
PROGRAM = """
    .text
    .globl _start
_start:
    sub sp, sp, #112
{calls}
    mov x0, #1
    ldr x1, =out
    ldr x2, ={size}
    mov x8, #64
    svc #0
    mov x0, #0
    mov x8, #94
    svc #0
    .globl NRT_decref
NRT_decref:
    ret
    .globl memset
memset:
    mov x3, x0
1:  cbz x2, 2f
    strb w1, [x3], #1
    sub x2, x2, #1
    b 1b
2:  ret
    .data
    .align 6
data: .incbin "{data}"
    .bss
    .align 6
out: .skip {size}
result: .skip 64
room: .skip 4194304
"""


@functools.cache
def code_of(kind: Kind) -> tuple[str, str]:
    """aarch64's assembly of `scan` and of all it calls, and its name."""
    chosen = build.recipe("neon-dot", kind)
    names = build._names(chosen)
    for helper in (chosen.convert, *scan.HELPERS):  # inlined: numba would make machine code of a callee
        name = "convert" if helper is chosen.convert else helper.__name__
        names[name] = numba.njit(nogil=True, inline="always")(build._copy(helper, names, f"{name}_arm"))
    flags = core.compiler.Flags()
    flags.no_compile = flags.nrt = True
    target = core.registry.cpu_target
    arguments = (core.types.int64,) * ARGUMENTS["scan"]
    function = build._copy(scan.scan, names, "scan_arm")
    typing, context = target.typing_context, target.target_context
    typing.refresh()
    context.refresh()
    library = core.compiler.compile_extra(typing, context, function, arguments, core.types.int64, flags, {}).library
    module = llvm.parse_assembly(library.get_llvm_str())
    linked: set[str] = set()
    for other in library._linking_libraries:
        text = other.get_llvm_str()
        if other.name != "nrt" and text not in linked:
            linked.add(text)
            module.link_in(llvm.parse_assembly(text))
    text = str(module)
    found = re.search(r"^define[^@\n]*@(_ZN7colibri\S*?scan_arm\w*)\(", text, re.MULTILINE)
    assert found
    return assembly_of(text), found[1]


def assembly_of(code: str) -> str:
    """aarch64's, from LLVM code."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    triple = "aarch64-unknown-linux-gnu"
    machine = llvm.Target.from_triple(triple).create_target_machine(
        cpu="generic", features="+neon,+dotprod", opt=3, reloc="static", codemodel="small"
    )
    module = llvm.parse_assembly(re.sub(r"^target .*$", "", code, flags=re.MULTILINE))
    module.triple, module.data_layout = triple, str(machine.target_data)
    module.verify()
    assembly: str = machine.emit_assembly(module)
    return assembly


def call(function: str, arguments: list[str]) -> str:
    """Instructions that call a function of numba's: where its result goes, where an exception would, its arguments."""
    lines = []
    for i, value in enumerate(["result", "result + 8", *arguments]):
        register = f"x{i}" if i < 8 else "x9"
        lines.append(f"    ldr {register}, ={value}")
        if i >= 8:
            lines.append(f"    str x9, [sp, #{8 * (i - 8)}]")
    return "\n".join([*lines, f"    bl {function}"])


def packed(kind: Kind, query: Any, weights: Any, biased: bool) -> tuple[Any, Any, Any]:
    """A query's words, finals and initial sums, by the kernel's own code."""
    chosen = build.recipe("neon-dot", kind)
    pack = numba.njit(build.SIGNATURES["pack"])(build._copy(chosen.pack, build._names(chosen), "pack_arm"))
    tokens, dim = query.shape
    groups = -(-tokens // 16)
    words = np.zeros(-(-dim // chosen.per_word) * groups * 64, np.uint8)
    finals, initial = np.zeros(16 * groups, np.float32), np.zeros(16 * groups, np.int32)
    places = (words.ctypes.data, finals.ctypes.data, initial.ctypes.data)
    pack(query.ctypes.data, tokens, dim, weights.ctypes.data, *places, groups, tile.FLOAT_BITS if biased else 0)
    return words, finals, initial


# Rows of int4 have an even width: with 7 they are int8's, whose code takes as long to compile as all of the rest.
SOME: list[tuple[Kind, int]] = [("int4", 96), ("int4", 10), ("float16", 96), ("float16", 7)]  # the others: test_tile.py


@pytest.mark.parametrize(("kind", "dim"), rounds(SOME, [*product(KINDS, (96, 7)), ("int4", 10)]))
def test_a_scan_on_arm_scores_subsets_and_keeps_the_best(kind: Kind, dim: int, tmp_path: Path) -> None:
    case = Ragged(35, [1, 3, 70, 1, 4, 5, 2, 130, 9, 1, 16], dim)
    docs = stored(case.packed, kind)
    found = collection(docs)
    ids = np.array([7, 0, 2, 2, 10])
    kind = docs.kind
    count, biased = len(docs), kind in INTEGERS
    stream = np.concatenate([[0], np.cumsum(np.diff(docs.starts)[ids])])
    words, finals, initial = packed(kind, case.query, case.weights, biased)

    parts = [words, finals, initial, found.rows, found.scales, found.starts, stream, ids]
    data, at = b"", []
    for part in parts:
        at.append(f"data + {len(data)}")
        data += part.tobytes().ljust(-(-part.nbytes // 64) * 64 + 64, b"\0")
    query, final, start, rows, scales, starts, some, places = at
    common = [query, final, start, "3", str(int(biased)), rows, str(dim), scales, str(found.scale_stride)]
    text, name = code_of(kind)
    calls = [
        call(name, [*common, starts, starts, "0", "0", str(count), "out", "0", "0", "room"]),
        call(name, [*common, some, starts, places, "0", str(len(ids)), "out + 64", "0", "0", "room"]),
        call(name, [*common, starts, starts, "0", "0", str(count), "0", str(K), "out + 128", "room"]),
    ]
    (tmp_path / "data").write_bytes(data)
    (tmp_path / "scan.s").write_text(text)
    program = PROGRAM.format(calls="\n".join(calls), size=256, data=tmp_path / "data")
    (tmp_path / "start.s").write_text(program)
    for part in ("scan", "start"):
        run("aarch64-linux-gnu-as", "-march=armv8.2-a+dotprod", "-o", tmp_path / f"{part}.o", tmp_path / f"{part}.s")
    # What numba made for Python to call needs Python; nothing here calls it.
    objects = [tmp_path / "scan.o", tmp_path / "start.o"]
    run("aarch64-linux-gnu-ld", "--unresolved-symbols=ignore-all", "-o", tmp_path / "program", *objects)
    written = run("qemu-aarch64-static", tmp_path / "program")

    meant = meaning.prepare(case.query, case.weights, integer=biased)
    wanted = meaning.scores(meant, found.rows, found.scales, found.starts)
    scores, subset = np.frombuffer(written, np.float32, count), np.frombuffer(written, np.float32, len(ids), 64)
    best, best_places = np.frombuffer(written, np.float64, K, 128), np.frombuffer(written, np.int64, K, 128 + 8 * K)
    tolerance = 0 if biased else case.tolerance()
    np.testing.assert_allclose(scores, wanted, rtol=0, atol=tolerance)
    assert subset.tolist() == scores[ids].tolist(), "a document's score does not depend on what is scored with it"
    order = np.argsort(-scores, kind="stable")[:K]
    kept = np.lexsort((best_places, -best))
    assert best_places[kept].tolist() == order.tolist()
    assert best[kept].tolist() == scores[order].tolist()


def run(*command: object) -> bytes:
    """A command's output; its errors, where it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr.decode()[-3000:])
    return done.stdout
