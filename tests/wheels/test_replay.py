"""Libraries as the wheels bring them, loaded by a C program on the processors and C libraries that can run here."""

import json
import platform
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from built_kernels import folder, wheel_of
from colibri.scoring.library import file_name
from colibri.scoring.processor import arm_features
from colibri_kernels.wheels import FOLDER
from replay_cases import cases

SOURCE = Path(__file__).with_name("replay.c")
ON_X86 = platform.machine() == "x86_64"
ARM = ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu", "-cpu"]
X86 = ["qemu-x86_64-static", "-cpu"]

# Target, C compiler, what starts the program, kernels that such a processor runs, and what it says of dot products.
RUNS = {
    "glibc": ("linux-x86_64", "gcc", [], None, -1),
    "musl": ("linux-x86_64", "musl-gcc", [], None, -1),
    "x86-64 of 2003": ("linux-x86_64", "gcc", [*X86, "Opteron_G1"], ["generic"], -1),
    "x86-64 of 2013": ("linux-x86_64", "gcc", [*X86, "Haswell"], ["avx2", "generic"], -1),
    "ARM with dot products": ("linux-aarch64", "aarch64-linux-gnu-gcc", [*ARM, "max"], ["neon-dot", "generic"], 1),
    "ARM without": ("linux-aarch64", "aarch64-linux-gnu-gcc", [*ARM, "cortex-a53"], ["generic"], 0),
}
PACKAGES = "Debian's gcc, musl-tools, qemu-user-static, gcc-aarch64-linux-gnu and libc6-dev-arm64-cross"


def here() -> list[str]:
    """Kernels that this processor runs, of the library that is loaded as wheels load it."""
    from colibri.scoring import library

    found = library.look(folder())
    assert isinstance(found, library.Library), found
    return list(found.kernels)


@pytest.mark.parametrize("run", RUNS)
def test_a_c_program_gets_the_scores_of_the_definition(run: str, tmp_path: Path) -> None:
    target, compiler, starter, kernels, dot_products = RUNS[run]
    if target.endswith("x86_64") and not ON_X86:
        pytest.skip("this machine is none")
    lacking = [name for name in (compiler, *starter[:1]) if shutil.which(name) is None]
    if lacking:
        pytest.skip(f"needs {', '.join(lacking)}: {PACKAGES}")
    with zipfile.ZipFile(wheel_of(target)) as wheel:
        library = tmp_path / file_name(target)
        library.write_bytes(wheel.read(f"{FOLDER}/{library.name}"))
        said = json.loads(wheel.read(f"{FOLDER}/{target}.json"))
    program = tmp_path / "replay"
    subprocess.run([compiler, "-std=gnu11", "-O1", "-o", program, SOURCE, "-ldl"], check=True)
    for kernel in kernels or here():
        made = cases(kernel, said["kernels"][kernel]["kinds"])
        (tmp_path / "cases").write_bytes(made.file())
        command = [*starter, str(program), str(library), str(tmp_path / "cases")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (kernel, done.stderr)
        assert done.stdout == f"{len(made.calls)} calls, 0 differ, dot products {dot_products}\n"


@pytest.mark.parametrize("cpu", ["max", "cortex-a53"])
def test_a_processor_without_an_instruction_does_not_run_the_kernel_that_needs_it(cpu: str, tmp_path: Path) -> None:
    """So what the processor says of itself, which the replay above prints, is what keeps it from that kernel."""
    if any(shutil.which(name) is None for name in (ARM[0], RUNS["ARM without"][1])):
        pytest.skip(f"needs {PACKAGES}")
    with zipfile.ZipFile(wheel_of("linux-aarch64")) as wheel:
        (tmp_path / "library").write_bytes(wheel.read(f"{FOLDER}/linux-aarch64.so"))
        said = json.loads(wheel.read(f"{FOLDER}/linux-aarch64.json"))["kernels"]["neon-dot"]
    (tmp_path / "cases").write_bytes(cases("neon-dot", said["kinds"]).file())
    subprocess.run([RUNS["ARM without"][1], "-O1", "-o", tmp_path / "replay", SOURCE, "-ldl"], check=True)
    command = [*ARM, cpu, *(str(tmp_path / name) for name in ("replay", "library", "cases"))]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode == 0) == (cpu == "max")
    assert set(said["needs"]) == {"neon", "dotprod"}
    assert arm_features() >= {"neon"}


def test_a_replay_that_differs_is_told(tmp_path: Path) -> None:
    """The program can fail: wanted scores that are others are told, one by one."""
    if shutil.which("gcc") is None or not ON_X86:
        pytest.skip(f"needs {PACKAGES}")
    with zipfile.ZipFile(wheel_of("linux-x86_64")) as wheel:
        (tmp_path / "library").write_bytes(wheel.read(f"{FOLDER}/linux-x86_64.so"))
        layout = json.loads(wheel.read(f"{FOLDER}/linux-x86_64.json"))["kernels"]["generic"]["kinds"]
    made = cases("generic", {"int8": layout["int8"]})
    data = bytearray(made.file())
    data[len(data) - made.size() + made.wanted[-1]] ^= 1
    (tmp_path / "cases").write_bytes(data)
    subprocess.run(["gcc", "-std=gnu11", "-O1", "-o", tmp_path / "replay", SOURCE, "-ldl"], check=True)
    words = [tmp_path / "replay", tmp_path / "library", tmp_path / "cases"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert ", 1 differ" in done.stdout
