"""Every kernel that this machine can run passes all tests of scores, in a process of its own."""

import functools
import json
import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from colibri.machine.cores import available_cores
from colibri.scoring.names import KERNELS

pytestmark = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed: there are no kernels")

HERE = Path(__file__).parent
FILES = [str(HERE / name) for name in ("test_search.py", "test_collection.py", "test_bits.py")]

# What numba compiles for may be less than the processor has. The 256-bit VNNI instruction has two encodings; each is
# allowed alone, and `test_tile.py` looks at the bytes.
LIMITS = {
    "avx-vnni, VEX": ("avx-vnni", "x86-64-v3", "+avx2,+fma,+avxvnni"),
    "avx-vnni, EVEX": ("avx-vnni", "x86-64-v4", "+avx2,+fma,+avx512f,+avx512vl,+avx512vnni"),
    "avx2 of a processor with no more": ("avx2", "x86-64-v3", "+avx2,+fma"),
    "generic of a processor with no more": ("generic", "x86-64", "+sse2"),
}
# With exactly these features the libraries are compiled ahead that test_library.py runs: here in soak alone, as each
# compiles all kernels anew (40 s).
AHEAD = {"avx2 of a processor with no more", "generic of a processor with no more"}
SOAK = settings.default.max_examples >= 500  # type: ignore[union-attr]
RUNS = [*KERNELS, *(run for run in LIMITS if SOAK or run not in AHEAD)]


def environment(run: str) -> dict[str, str]:
    """Of a process in which a kernel answers from the first call on."""
    kernel, name, features = LIMITS.get(run, (run, "", ""))
    limits = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features} if name else {}
    return {**os.environ, **limits, "COLIBRI_KERNEL": f"numba:{kernel}", "OPENBLAS_NUM_THREADS": "1"}


@functools.cache
def told(limit: str | None) -> dict[str, Any]:
    """What doctor says of scores on this machine, or under one of LIMITS."""
    given = environment(limit or KERNELS[0])
    without = {name: value for name, value in given.items() if name != "COLIBRI_KERNEL"}
    command = [sys.executable, "-m", "colibri", "doctor", "--json"]
    found = subprocess.run(command, env=without, capture_output=True, text=True, check=True)
    scoring: dict[str, Any] = json.loads(found.stdout)["scoring"]
    return scoring


def usable(run: str) -> bool:
    """Whether this machine can run it."""
    return LIMITS.get(run, (run,))[0] in told(run if run in LIMITS else None)["usable"]


# What numba compiles for changes the code and not its meaning: of a limited processor a part of the tests is enough,
# outside of soak, where each takes as long as those of a kernel do. So it is of all but this machine's fastest kernel:
# test_library.py runs all tests of scores on each of them as they are compiled ahead of the same text.
PART = "who_answers or to_the_bit or equals_the_definition or any_width or whatever_the_scales or a_subset_is"


def outcome_of(run: str) -> "subprocess.CompletedProcess[str] | None":
    """The tests' output; None where the kernel cannot run."""
    if not usable(run):
        return None
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis"]
    command += ["--hypothesis-profile=few", *FILES]
    command += ["-k", PART] if run != told(None)["usable"][1] and not SOAK else []
    return subprocess.run(
        command, env=environment(run), capture_output=True, text=True, check=False, cwd=HERE.parents[1]
    )


@pytest.fixture(scope="module")
def outcomes() -> "dict[str, Future[subprocess.CompletedProcess[str] | None]]":
    """Of all kernels, on all cores."""
    with ThreadPoolExecutor(available_cores()) as pool:
        return {run: pool.submit(outcome_of, run) for run in RUNS}


@pytest.mark.parametrize("run", RUNS)
def test_a_kernel_passes_all_tests_of_scores(
    run: str, outcomes: "dict[str, Future[subprocess.CompletedProcess[str] | None]]"
) -> None:
    done = outcomes[run].result()
    if done is None:
        pytest.skip(f"this processor has no {run}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_a_limited_processor_gets_the_kernel_it_can_run() -> None:
    for run, (kernel, *_) in LIMITS.items():
        if usable(run):
            assert told(run)["kernel"] == kernel


SMALL_STACK = """
import ctypes
class Stack(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]
room = ctypes.create_string_buffer(4096)
assert ctypes.CDLL(None).sigaltstack(ctypes.byref(Stack(ctypes.addressof(room), 0, 4096)), None) == 0
from colibri.scoring.kernels.choice import usable_kernels
print(*usable_kernels())
"""


def test_amx_is_left_alone_where_the_system_does_not_grant_it() -> None:
    """Linux refuses to a process whose stack for signals has no room for AMX's 8 KB of registers."""
    if not usable("amx"):
        pytest.skip("this processor has no amx")
    done = subprocess.run([sys.executable, "-c", SMALL_STACK], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "avx512-vnni"


@pytest.mark.parametrize("name", ["avx3", "AVX2", "neon-dot" if sys.platform != "darwin" else "avx2"])
def test_a_kernel_that_cannot_run_is_refused(name: str) -> None:
    if usable(name) if name in KERNELS else False:
        pytest.skip(f"{name} can run here")
    command = [sys.executable, "-m", "colibri", "warmup"]
    for word in (name, f"numba:{name}"):
        environment = {**os.environ, "COLIBRI_KERNEL": word}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith(f"Error: COLIBRI_KERNEL={word}")
    assert "generic" in done.stderr, "says what there is"
