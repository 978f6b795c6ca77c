"""The wheels of `run.py wheels`: what each holds, what its library shows and asks for, and the one that runs here."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename

from built_kernels import WHEELS, wheel_of
from colibri.scoring.library import file_name
from colibri.scoring.library import target as this_platform
from colibri_kernels import library
from colibri_kernels.symbols import signed, symbols
from colibri_kernels.targets import TARGETS
from colibri_kernels.wheels import FOLDER, MOST_BYTES

ROOT = Path(__file__).parents[2]
FUNCTIONS = {"pack", "scan"}
KINDS = {"int8", "int4", "float32", "float16"}
KERNELS = {
    "x86_64": {"amx", "avx512_vnni", "avx_vnni", "avx2", "generic"},
    "aarch64": {"neon_dot", "generic"},
}
# Beside kernels: what the library is, and what only the processor can say.
MORE = {"x86_64": {"version", "cpuid", "xgetbv"}, "aarch64": {"version"}}
SYSTEMS: dict[str, dict[str, set[str]]] = {
    "linux": {"exports": set(), "imports": set(), "libraries": set()},
    "windows": {"exports": set(), "imports": set(), "libraries": set()},
    # zig's linker adds these to every library for macOS.
    "macos": {
        "exports": {"__dso_handle", "_mh_dylib_header"},
        "imports": {"dyld_stub_binder"},
        "libraries": {"/usr/lib/libSystem.B.dylib"},
    },
}


def held(name: str) -> bytes:
    """The library that a target's wheel brings."""
    with zipfile.ZipFile(wheel_of(name)) as wheel:
        return wheel.read(f"{FOLDER}/{file_name(name)}")


@pytest.fixture(scope="module")
def pure() -> Path:
    """The wheel for any platform."""
    (found,) = WHEELS.glob("*-py3-none-any.whl")
    return found


def test_there_is_a_wheel_a_platform_and_one_for_all_others(pure: Path) -> None:
    assert {path.name for path in WHEELS.iterdir()} == {pure.name, *(wheel_of(name).name for name in TARGETS)}
    with zipfile.ZipFile(pure) as wheel:
        assert not [
            path for path in wheel.namelist() if path.endswith((".so", ".dylib", ".dll")) or "libraries" in path
        ]


@pytest.mark.parametrize("name", TARGETS)
def test_a_wheel_holds_its_library_and_what_the_pure_one_holds(name: str, pure: Path) -> None:
    path = wheel_of(name)
    with zipfile.ZipFile(path) as wheel, zipfile.ZipFile(pure) as before:
        assert wheel.testzip() is None
        names, old = wheel.namelist(), before.namelist()
        assert len(set(names)) == len(names)
        assert set(names) - set(old) == {f"{FOLDER}/{file_name(name)}", f"{FOLDER}/{name}.json"}
        assert set(old) <= set(names)
        about = next(entry for entry in names if entry.endswith("/WHEEL")).removesuffix("WHEEL")
        for entry in set(old) - {f"{about}WHEEL", f"{about}RECORD"}:
            assert wheel.read(entry) == before.read(entry)
        _, _, _, tags = parse_wheel_filename(path.name)
        said = Parser().parsestr(wheel.read(f"{about}WHEEL").decode())
        assert (
            {str(tag) for tag in tags}
            == {*said.get_all("Tag", [])}
            == {f"py3-none-{tag}" for tag in TARGETS[name].tags}
        )
        assert said["Root-Is-Purelib"] == "false"
        record = [line.rsplit(",", 2) for line in wheel.read(f"{about}RECORD").decode().splitlines()]
        assert {entry for entry, *_ in record} == set(names)
        for entry, digest, size in record:
            if entry != f"{about}RECORD":
                data = wheel.read(entry)
                assert int(size) == len(data)
                wanted = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                assert digest == f"sha256={wanted}"
        assert (
            sum(wheel.getinfo(f"{FOLDER}/{file}").file_size for file in (file_name(name), f"{name}.json")) < MOST_BYTES
        )


@pytest.mark.parametrize("name", TARGETS)
def test_a_library_shows_its_kernels_and_asks_for_nothing(name: str) -> None:
    system, _, machine = name.partition("-")
    data, known = held(name), SYSTEMS[name.partition("-")[0]]
    found = symbols(data)
    what = [f"{kind}_{f}" for kind in KINDS for f in FUNCTIONS] + ["bits_fill", "bits_scan"]
    kernels = {f"colibri_{k}_{each}" for k in KERNELS[machine] for each in what}
    # Sign bits six dims at once, where a processor has what AVX-512's first ones lack.
    kernels |= {f"colibri_{k}_bits6_{f}" for k in KERNELS[machine] & {"amx", "avx512_vnni"} for f in ("fill", "scan")}
    more = {"colibri_kernels_version" if word == "version" else f"colibri_{word}" for word in MORE[machine]}
    assert found.machine == machine
    assert found.exports == kernels | more | known["exports"]
    assert found.imports == known["imports"]
    assert set(found.libraries) == known["libraries"]
    if system == "macos":
        assert signed(data) == (machine == "aarch64")
    if system == "windows":
        head = int.from_bytes(data[0x3C:0x40], "little")
        assert data[head + 40 : head + 44] == bytes(4), "nothing runs when it is loaded"


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_said_of_a_library_is_so(name: str) -> None:
    with zipfile.ZipFile(wheel_of(name)) as wheel:
        said: dict[str, Any] = json.loads(wheel.read(f"{FOLDER}/{name}.json"))
    assert said["sha256"] == hashlib.sha256(held(name)).hexdigest()
    assert said["sources"] == library.sources(TARGETS[name]), "built from other sources"
    assert {kernel.replace("-", "_") for kernel in said["kernels"]} == KERNELS[name.partition("-")[2]]
    assert all(set(own["kinds"]) == KINDS for own in said["kernels"].values())
    needs = {kernel: own["bits6"] for kernel, own in said["kernels"].items() if "bits6" in own}
    assert needs == {kernel: ["avx512vbmi"] for kernel in {"amx", "avx512-vnni"} & said["kernels"].keys()}


def test_a_signature_of_other_bytes_is_none() -> None:
    data = bytearray(held("macos-aarch64"))
    data[5000] ^= 1
    assert not signed(bytes(data))


FROM_THE_WHEEL = """
import sys
sys.modules["numba"] = sys.modules["llvmlite"] = None
import colibri
from colibri.scoring import engine, maxsim
from scoring_cases import Ragged, stored
case = Ragged(4, [3, 2], 16)
maxsim(case.query, stored(case.packed, "int8"))
print(colibri.__file__, engine._state.ready["int8"].cached, sep="\\n")
"""


def test_the_wheel_of_this_platform_answers_from_the_first_call(tmp_path: Path) -> None:
    own = this_platform()
    if own is None:
        pytest.skip("this platform has no wheel of its own")
    path = wheel_of(own)
    assert parse_wheel_filename(path.name)[3] & set(sys_tags()), "pip would not take it here"
    with zipfile.ZipFile(path) as wheel:
        wheel.extractall(tmp_path)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLIBRI_")}
    environment = kept | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "tests")])}
    command = [sys.executable, "-P", "-c", FROM_THE_WHEEL]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    where, said = done.stdout.splitlines()
    assert where.startswith(str(tmp_path))
    assert said == f"compiled ahead: {tmp_path / FOLDER / file_name(own)}"
