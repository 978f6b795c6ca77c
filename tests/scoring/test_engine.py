"""From NumPy to a kernel: when, that nobody waits for it or notices, and what happens when it cannot be had."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

import colibri
from reference import ARTEFACTS
from rounds import rounds

needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed: there are no kernels")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
TESTS = Path(__file__).parents[1]

SETUP = """
import os, sys, threading
import numpy as np
from colibri.scoring import Signs, engine, maxsim, screened, top_k, best_tokens
from colibri.vectors import TokenVectors
from scoring_cases import Ragged, stored
case = Ragged(32, [300] * 30, 128)
rows = np.concatenate([np.roll(case.packed.rows, by, axis=1) for by in range(10)])  # drawing all takes half a second
case.packed = TokenVectors(rows, 300 * np.arange(301))  # 369 million multiply-adds
def form(kind):
    return (screened, Signs.of(case.packed)) if kind == "bits" else (maxsim, stored(case.packed, kind))
"""

TAKEOVER = """
assert "numba" not in sys.modules
for kind in sys.argv[1:]:
    score, docs = form(kind)
    first = score(case.query, docs)
    while kind not in engine._state.ended:
        assert engine.kernel(kind, 0) is None
        np.testing.assert_array_equal(score(case.query, docs), first)
    for thread in threading.enumerate():
        if thread.name.startswith("colibri-compile"):
            assert thread.daemon
            thread.join()
    assert engine.kernel(kind, 0) is not None, engine._state.failed
    then = score(case.query, docs)
    if kind != "float32":
        np.testing.assert_array_equal(then, first)
    else:
        np.testing.assert_allclose(then, first, rtol=0, atol=1e-6 * len(case.query))
"""

ONCE = """
docs = case.packed.quantize()
maxsim(case.query, docs)
assert engine._state.scored == 32 * 128 * 90_000
assert "numba" not in sys.modules and threading.active_count() == 1
"""

ONCE_BUT_MUCH = """
assert engine.WORTH_WAITING_FOR > 32 * 128 * 90_000
engine.WORTH_WAITING_FOR = 32 * 128 * 90_000
engine.NUMPY_AT_BEST = 1_000_000  # so that the call may wait for six minutes
docs = case.packed.quantize()
scores = maxsim(case.query, docs)
assert list(engine._state.ready) == ["int8"] == list(engine._state.ended)
engine._state.ready.clear()
engine.WORTH_WAITING_FOR += 1
np.testing.assert_array_equal(maxsim(case.query, docs), scores)
assert not engine._state.ready
"""

BUSY = """
engine._state.building.acquire()  # as a compilation that never ends would
docs = case.packed.quantize()
wanted = maxsim(case.query, docs)
if "forked" in sys.argv:
    import warnings
    warnings.simplefilter("ignore")
    engine._state.building.release()
    if child := os.fork():
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    engine._state.building.acquire()
for _ in range(16):  # past WORTH_COMPILING, and on
    np.testing.assert_array_equal(maxsim(case.query, docs), wanted)
assert engine._state.scored > engine.WORTH_COMPILING and list(engine._state.ended) == ["int8"]
assert engine._state.building.locked() and not engine._state.lock.locked()
assert sum(thread.name.startswith("colibri-compile") for thread in threading.enumerate()) == 1
engine.WORTH_WAITING_FOR = 32 * 128 * 90_000  # a call that may wait for its kernel, for 7 ms
np.testing.assert_array_equal(maxsim(case.query, docs), wanted)
assert not engine._state.ready and not engine._state.failed
engine._state.building.release()
assert engine._state.ended["int8"].wait(250)
assert list(engine._state.ready) == ["int8"], engine._state.failed
np.testing.assert_array_equal(maxsim(case.query, docs), wanted)
if "forked" in sys.argv:
    os._exit(0)
"""

EXIT = """
docs = case.packed.quantize()
while "int8" not in engine._state.ended:
    maxsim(case.query, docs)
while "numba" not in sys.modules or "late" in sys.argv and "llvmlite.binding" not in sys.modules:
    maxsim(case.query, docs)
"""

WITHOUT_NUMBA = """
sys.modules["numba"] = None  # as if it were not installed
docs = case.packed.quantize()
if "much" in sys.argv:
    engine.WORTH_WAITING_FOR = 32 * 128 * 90_000
for _ in range(15):
    scores = maxsim(case.query, docs)
assert "much" in sys.argv or engine._state.scored > engine.WORTH_COMPILING
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join()
assert "and no numba to compile one" in engine._state.failed["int8"]
assert top_k(case.query, docs, 1).ids[0] == scores.argmax()
np.testing.assert_array_equal(maxsim(case.query, docs), scores)
assert engine.why_numpy() == "numba is not installed"
from click.testing import CliRunner
from colibri.cli import group
said = CliRunner().invoke(group, ["doctor"]).output
assert "kernel numpy, because COLIBRI_KERNEL_LIBRARIES=" in said, said  # as tests/conftest.py says
assert " compiled ahead, and numba is not installed, cost int8 scores take about" in said, said
refused = CliRunner().invoke(group, ["warmup"])
assert refused.exit_code == 1 and "colibri-edge[numba]" in refused.output, refused.output
"""

FORK = """
import warnings
warnings.simplefilter("ignore")  # Python 3.12 warns of forks beside threads: that is what this is about
docs = case.packed.quantize()
wanted = maxsim(case.query, docs)
while "int8" not in engine._state.ended:
    maxsim(case.query, docs)
while not engine._state.building.locked() and "int8" not in engine._state.ready:
    maxsim(case.query, docs)
child = os.fork()
if child == 0:
    assert engine._state.ready or "forked" in engine.why_numpy()
    np.testing.assert_array_equal(maxsim(case.query, docs), wanted)
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""

READY = """
kind = sys.argv[1]
score, docs = form(kind)
kernel = engine.compile_now(kind)
print(kernel.cached)
engine._state.ready.clear()
os.environ["COLIBRI_KERNEL"] = "numpy"
wanted = score(case.query, docs)
assert not engine._state.ready
engine._state.ready[kind] = kernel
np.testing.assert_array_equal(score(case.query, docs), wanted)
"""


DAMAGE = """
from pathlib import Path
cache = Path(os.environ["NUMBA_CACHE_DIR"])
indexes = [*cache.rglob("*.pack*.nbi"), *cache.rglob("*.fill*.nbi")]
compilations = list(cache.rglob("*.scan*.nbc"))
assert indexes and compilations
for path in indexes:
    path.write_bytes(path.read_bytes()[:40])
for path in compilations:
    path.write_bytes(b"")
engine._state = engine._State()
del os.environ["COLIBRI_KERNEL"]
"""


def child(code: str, *arguments: str, before: Sequence[str] = (), **environment: str) -> str:
    """Output of a fresh interpreter in which nothing has been said about kernels."""
    kept = {name: value for name, value in os.environ.items() if name != "COLIBRI_KERNEL"}
    kept |= {"PYTHONPATH": str(TESTS), "OPENBLAS_NUM_THREADS": "1"} | environment
    command = [*before, sys.executable, "-c", SETUP + code, *arguments]
    done = subprocess.run(command, env=kept, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# What may go wrong with a cache is the same whatever is compiled: of sign bits in a fourth of the time.
ANY_KIND = rounds("bits", "int8")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list["subprocess.CompletedProcess[str]"]]:
    """A cache that several processes at once have filled with this machine's best kernel for int8, and what they said:
    compiled once, for those who need not see it compiled."""
    cache = tmp_path_factory.mktemp("compiled")
    processes = [
        subprocess.Popen(WARMUP, env=warm(cache), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(rounds(2, 8))
    ]
    said = [process.communicate(timeout=300) for process in processes]
    done = zip(processes, said, strict=True)
    return cache, [subprocess.CompletedProcess(WARMUP, process.returncode, *words) for process, words in done]


WARMUP = [sys.executable, "-m", "colibri", "warmup", "--kind", "int8"]


def warm(cache: Path) -> dict[str, str]:
    """The environment of those who fill a cache."""
    return {name: value for name, value in os.environ.items() if name != "COLIBRI_KERNEL"} | {
        "NUMBA_CACHE_DIR": str(cache)
    }


@pytest.fixture(scope="module")
def compiled(filled: tuple[Path, list["subprocess.CompletedProcess[str]"]]) -> Path:
    """The cache alone."""
    assert list(filled[0].rglob("scan.scan*.nbc"))
    return filled[0]


@needs_numba
def test_a_kernel_takes_over_and_nobody_notices(compiled: Path, tmp_path: Path) -> None:
    """One that is loaded, and others that are compiled meanwhile."""
    cache = shutil.copytree(compiled, tmp_path / "cache")
    child(TAKEOVER, "int8", *rounds(["bits"], ["bits", "float32"]), NUMBA_CACHE_DIR=str(cache))


def test_a_process_that_scores_once_loads_no_compiler_and_starts_no_thread() -> None:
    child(ONCE)


@needs_numba
def test_a_call_that_numpy_would_need_longer_for_waits_for_its_kernel(compiled: Path) -> None:
    child(ONCE_BUT_MUCH, NUMBA_CACHE_DIR=str(compiled))


@needs_numba
@pytest.mark.parametrize("where", ["here", *rounds([], ["read-only cache"]), pytest.param("forked", marks=needs_fork)])
def test_no_search_waits_for_the_compiler(where: str, compiled: Path, tmp_path: Path) -> None:
    """Counted by who holds which lock: the compiler's is held throughout, and every search is answered."""
    cache = compiled
    if where == "read-only cache":
        cache = tmp_path / "cache"
        cache.mkdir(mode=0o500)
    child(BUSY, where, NUMBA_CACHE_DIR=str(cache))


@needs_numba
@pytest.mark.parametrize("when", ["early", "late"])
def test_the_end_of_a_process_waits_for_no_compilation(when: str, tmp_path: Path) -> None:
    child(EXIT, when, NUMBA_CACHE_DIR=str(tmp_path))
    assert not list(tmp_path.rglob("scan.scan_*.nbi")), "what was being compiled has been finished"


@pytest.mark.parametrize("work", ["little", "much"])
def test_everything_works_without_numba(work: str) -> None:
    child(WITHOUT_NUMBA, work)


@needs_numba
@needs_fork
def test_a_child_forked_while_a_kernel_is_compiled_has_numpy(tmp_path: Path) -> None:
    child(FORK, NUMBA_CACHE_DIR=str(tmp_path))


@needs_numba
@pytest.mark.skipif(os.name == "nt", reason="folders are closed to writing otherwise there")
def test_a_read_only_installation_without_a_home_compiles_uncached(tmp_path: Path) -> None:
    package = Path(colibri.__file__).parent
    copy = shutil.copytree(package, tmp_path / "colibri", ignore=shutil.ignore_patterns("__pycache__", "artefacts"))
    folders = [copy, *(path for path in copy.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    (tmp_path / "file").touch()  # no folder can be made below, not even by root
    # Root may write anywhere; without these capabilities it may not, like anybody else.
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all"]
    before = drop if os.geteuid() == 0 else []
    paths = os.pathsep.join([str(tmp_path), str(TESTS)])
    where = {"PYTHONPATH": paths, "XDG_CACHE_HOME": str(tmp_path / "file" / "cache"), "HOME": str(tmp_path / "file")}
    try:
        said = child(READY, ANY_KIND, before=before, **where)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert said.startswith("not cached: ")
    assert not list(tmp_path.rglob("*.nb?"))


@needs_numba
def test_a_damaged_cache_is_no_error(tmp_path: Path) -> None:
    said = child(READY + DAMAGE + READY, ANY_KIND, NUMBA_CACHE_DIR=str(tmp_path)).splitlines()
    assert [line.startswith("not cached: ") for line in said] == [False, True]


@needs_numba
def test_several_processes_fill_one_cache_at_once(
    filled: tuple[Path, list["subprocess.CompletedProcess[str]"]], tmp_path: Path
) -> None:
    cache = Path(shutil.copytree(filled[0], tmp_path / "cache"))
    for done in filled[1]:
        assert (done.returncode, done.stderr) == (0, "")
        assert str(filled[0]) in done.stdout
    files = {path: path.stat().st_mtime_ns for path in cache.rglob("*.nb?")}
    assert {path.name.split("_")[0] for path in files} == {"rows.pack", "scan.scan"}
    subprocess.run(WARMUP, env=warm(cache), check=True, capture_output=True)
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.nb?")} == files, "compiled again"


def test_reranking_from_a_shell_never_imports_numba() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "colibri", "rerank", "a bird", "a house", "a bird"]
    environment = {name: value for name, value in os.environ.items() if name != "COLIBRI_KERNEL"}
    command += ["--model", str(ARTEFACTS / "tiny-random-bert")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "colibri.scoring.search" in done.stderr
    assert "numba" not in done.stderr
    assert "llvmlite" not in done.stderr


@needs_numba
def test_doctor_and_warmup_name_the_kernel(compiled: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "COLIBRI_KERNEL"}
    command = [sys.executable, "-m", "colibri", "doctor", "--json"]
    found = json.loads(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    usable = found["scoring"]["usable"]
    assert usable[0] == "numpy"
    assert usable[-1] == "generic"
    assert found["scoring"]["kernel"] == usable[1]
    environment |= {"NUMBA_CACHE_DIR": str(compiled), "COLIBRI_KERNEL": usable[1]}
    said = subprocess.run(WARMUP, env=environment, capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"int8     {usable[1]}, ")
    assert str(compiled) in said


@needs_numba
def test_where_numba_is_told_not_to_compile_numpy_answers_and_doctor_says_why() -> None:
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    environment.pop("COLIBRI_KERNEL", None)
    code = (
        SETUP
        + """
from colibri.scoring import why_numpy
docs = stored(case.packed, "int8")
engine._state.scored = engine.WORTH_COMPILING  # and one call that is worth waiting for
assert engine.kernel("int8", engine.WORTH_WAITING_FOR) is None
assert engine.kernel("int8", 1) is None
assert maxsim(case.query, docs).shape == (300,)
assert not engine._state.ended, "nothing was tried"
print(why_numpy())
"""
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment, cwd=TESTS
    )
    assert (done.returncode, done.stdout.strip()) == (0, "NUMBA_DISABLE_JIT turns numba's compiler off"), done.stderr
    doctor = [sys.executable, "-m", "colibri", "doctor"]
    told = subprocess.run(doctor, capture_output=True, text=True, check=False, env=environment).stdout
    assert " compiled ahead, and NUMBA_DISABLE_JIT turns numba's compiler off, cost" in told
    asked = [sys.executable, "-m", "colibri", "warmup"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: NUMBA_DISABLE_JIT turns numba's compiler off")
