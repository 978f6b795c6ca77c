"""Kernels compiled ahead: the bits of those that numba compiles, without numba, and refused when they are not whole."""

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import built_kernels
from colibri.scoring import compiled, library
from colibri.scoring.collection import collection
from colibri.scoring.kernel import ARGUMENTS, Compiled
from colibri.scoring.library import Library
from colibri.scoring.names import KERNELS
from rounds import rounds
from scoring_cases import KINDS, Ragged, lengths, stored

HERE = Path(__file__).parent
TARGET = library.target() or "none"
LENGTHS = [1, 3, 70, 1, 4, 5, 2, 130, 9, 1, 16]

# Runs pytest with its arguments where numba and LLVM cannot be imported.
BLOCKED = """
import sys
sys.modules["numba"] = sys.modules["llvmlite"] = None
import pytest
raise SystemExit(pytest.main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def loaded() -> Library:
    """The library of this platform."""
    found = library.look(built_kernels.folder())
    assert isinstance(found, Library), found
    return found


def run(code: str, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A fresh interpreter that finds the library."""
    given = built_kernels.environment(PYTHONPATH=str(HERE.parent), **environment)
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        env=given,
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE.parents[1],
    )


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_passes_all_tests_of_scores_without_numba(kernel: str, loaded: Library) -> None:
    if kernel not in loaded.kernels:
        pytest.skip(f"this processor, or the library, has no {kernel}")
    files = [str(HERE / name) for name in ("test_search.py", "test_collection.py", "test_bits.py")]
    words = ["-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", "--hypothesis-profile=few"]
    done = run(BLOCKED, *words, *files, COLIBRI_KERNEL=kernel)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed: there is nothing to compare with")
@pytest.mark.parametrize("kind", rounds(["int8", "float32"], list(KINDS)))
def test_a_kernel_gives_the_bits_that_numbas_gives(kind: Any, loaded: Library) -> None:
    from colibri.scoring.kernels.build import build

    kernels = list(loaded.kernels)
    for kernel in rounds(kernels[:1], kernels):
        ahead, numbas = loaded.kernels[kernel][kind], build(kernel, kind)
        assert not ahead.cached.startswith(numbas.cached)
        for dim in (128, 96, 64, 33, 7, 2, 1):
            for tokens in (1, 16, 35):
                case = Ragged(tokens, LENGTHS, dim)
                docs = collection(stored(case.packed, kind))
                if docs.kind == kind:
                    assert [x.tobytes() for x in everything(ahead, case, docs)] == [
                        x.tobytes() for x in everything(numbas, case, docs)
                    ], (kernel, kind, dim, tokens)


def everything(kernel: Compiled, case: Ragged, docs: Any) -> list[Any]:
    """A query as it is laid out, scores of all documents and of some, and the best."""
    query = compiled.pack(kernel, case.query, case.weights, docs)
    ids = np.array([7, 0, 2, 2, 10])
    skip = query.words - query.room.ctypes.data
    return [
        query.room[skip : skip + query.initial - query.words + 64 * query.groups * kernel.initials(docs.dim)],
        compiled.scores(kernel, query, docs, compiled.Stream(docs.starts), 2),
        compiled.scores(kernel, query, docs, compiled.Stream.of(docs, ids), 1),
        *compiled.top([compiled.Part(kernel, query, docs, 0)], 4, 1),
    ]


@given(st.sampled_from(KINDS), lengths, st.integers(1, 40), st.integers(1, 300), st.booleans(), st.integers(0, 63))
def test_a_kernel_stays_in_its_room(kind: Any, several: list[int], tokens: int, dim: int, some: bool, off: int) -> None:
    found = library.look(built_kernels.folder())
    assert isinstance(found, Library)
    case = Ragged(tokens, several, dim)
    docs = collection(stored(case.packed, kind))
    stream = compiled.Stream.of(docs, np.arange(len(several))[::-1].copy()) if some else compiled.Stream(docs.starts)
    for kinds in found.kernels.values():
        kernel = kinds[docs.kind]
        query = compiled.pack(kernel, case.query, None, docs)
        out = np.zeros(len(several), np.float32)
        size = kernel.room_bytes(docs.dim, query.groups)
        room = np.full(64 + size + 4096, 0xA5, np.uint8)  # at any place, and what lies behind it
        arguments = compiled._arguments(query, docs, stream)
        kernel.scan(*arguments, 0, len(several), out.ctypes.data, 0, 0, room.ctypes.data + off)
        assert (room[:off] == 0xA5).all()
        assert (room[off + size :] == 0xA5).all()


def damaged(tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the library and of what is said of it, to be damaged. One that was loaded may not be written over."""
    own = Path(tempfile.mkdtemp(dir=tmp_path))
    for name in (library.file_name(TARGET), f"{TARGET}.json"):
        shutil.copy(built_kernels.folder() / name, own)
    return own / library.file_name(TARGET), own / f"{TARGET}.json"


def refused(folder: Path, caplog: pytest.LogCaptureFixture, *words: str) -> None:
    """One line in the log says why, and NumPy or numba answers."""
    caplog.clear()
    with caplog.at_level(logging.INFO):
        found = library.look(folder)
    assert isinstance(found, str)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.records[0].getMessage() == f"kernels compiled ahead are not used: {found}"
    for word in words:
        assert word in found


def test_a_truncated_library_is_not_loaded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file, facts = damaged(tmp_path)
    whole = file.read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:size])
        refused(facts.parent, caplog, "is damaged: its SHA-256 is", str(file))
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    file.write_bytes(changed)
    refused(facts.parent, caplog, "is damaged")
    file.unlink()
    refused(facts.parent, caplog, str(file))


def rewritten(facts: Path, **changes: Any) -> None:
    facts.write_text(json.dumps(json.loads(facts.read_text()) | changes), encoding="utf-8")


def test_a_library_of_another_version_is_not_loaded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, facts = damaged(tmp_path)
    rewritten(facts, version="colibri 0.0.9 kernels 1")
    refused(facts.parent, caplog, "is of colibri 0.0.9 kernels 1, this is colibri")
    # The library says so too, should what lies beside it be another's.
    _, facts = damaged(tmp_path)
    monkeypatch.setattr(library, "INTERFACE", library.INTERFACE + 1)
    rewritten(facts, version=library.version())
    refused(facts.parent, caplog, "says that it is of colibri")


def test_a_library_for_another_processor_is_not_loaded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _, facts = damaged(tmp_path)
    said = json.loads(facts.read_text())["kernels"]
    rewritten(facts, kernels={name: own | {"needs": ["levitation"]} for name, own in said.items()})
    refused(facts.parent, caplog, "this processor can run none of")
    # One for another kind of processor altogether, with the hash that is said.
    file, facts = damaged(tmp_path)
    data = bytearray(file.read_bytes())
    if data[:4] == b"\x7fELF":
        data[18:20] = (8).to_bytes(2, "little")  # MIPS
        file.write_bytes(data)
        import hashlib

        rewritten(facts, sha256=hashlib.sha256(data).hexdigest())
        refused(facts.parent, caplog, str(file), "cannot be loaded, and may be one for another processor")


def test_a_library_of_which_nothing_is_said_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file, facts = damaged(tmp_path)
    facts.unlink()
    refused(facts.parent, caplog, str(file), f"{facts.name}, which says what it is, is not beside it")
    facts.write_text("{", encoding="utf-8")
    refused(facts.parent, caplog, str(file), f"{facts.name} cannot be read (")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 1}', "null", "\x00", json.dumps({"version": library.version()})]
)
def test_what_is_said_of_a_library_may_be_anything(text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _, facts = damaged(tmp_path)
    facts.write_text(text, encoding="utf-8")
    refused(facts.parent, caplog)


def test_where_none_is_installed_nobody_is_bothered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert library.look(tmp_path) == f"no kernels compiled ahead for {TARGET} are installed"
    assert not caplog.records


@pytest.mark.skipif(TARGET == "none", reason="no kernels are compiled ahead for this platform")
@pytest.mark.parametrize("found", ["is not there", "is no folder", "holds none", "holds amiga-68k.json, notes.so"])
def test_a_folder_that_was_named_and_has_none_is_told_once(
    found: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "named"
    if found == "is no folder":
        folder.write_text("")
    elif found != "is not there":
        folder.mkdir()
    for name in found.removeprefix("holds ").split(", ") if "," in found else []:
        (folder / name).write_text("{}")
    monkeypatch.setenv("COLIBRI_KERNEL_LIBRARIES", str(folder))
    library.library.cache_clear()
    try:
        said = [library.library() for _ in range(3)]
    finally:
        library.library.cache_clear()
    wanted = f"wanted {TARGET}.json and {library.file_name(TARGET)}"
    assert said == [f"COLIBRI_KERNEL_LIBRARIES={folder} {found}, {wanted}"] * 3
    assert [record.getMessage() for record in caplog.records] == [f"kernels compiled ahead are not used: {said[0]}"]


@pytest.mark.skipif(TARGET == "none", reason="no kernels are compiled ahead for this platform")
def test_a_folder_that_cannot_be_looked_into_is_told_and_numpy_answers(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "target", lambda: "linux-x86_64")
    refused(Path("x" * 5000), caplog, "name too long")


def test_doctor_says_what_the_folder_that_was_named_holds(tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "colibri", "doctor"]
    kept = {name: value for name, value in os.environ.items() if name != "COLIBRI_KERNEL"}

    def told(folder: Path | str) -> str:
        given = kept | {"COLIBRI_KERNEL_LIBRARIES": str(folder)}
        return subprocess.run(asked, env=given, capture_output=True, text=True, check=True).stdout

    if TARGET != "none":
        assert f"COLIBRI_KERNEL_LIBRARIES={tmp_path} holds none, wanted {TARGET}.json" in told(tmp_path)
        assert f"COLIBRI_KERNEL_LIBRARIES={os.devnull} asks for none" in told(os.devnull)


@pytest.mark.skipif(TARGET == "none", reason="no kernels are compiled ahead for this platform")
@pytest.mark.parametrize("state", ["whole", "cut off", "gone", "not wanted"])
def test_doctor_calls_a_library_that_is_not_used_a_problem(state: str, tmp_path: Path) -> None:
    file, facts = damaged(tmp_path)
    if state == "cut off":
        file.write_bytes(file.read_bytes()[:1000])
    elif state == "gone":
        facts.unlink()
    kept = {name: value for name, value in os.environ.items() if name != "COLIBRI_KERNEL"}
    given = kept | {"COLIBRI_KERNEL_LIBRARIES": os.devnull if state == "not wanted" else str(file.parent)}
    for more in [], ["--json"]:
        asked = [sys.executable, "-m", "colibri", "doctor", *more]
        done = subprocess.run(asked, env=given, capture_output=True, text=True, check=True)  # the model runs
        problems = (
            json.loads(done.stdout)["problems"]
            if more
            else [line.split(maxsplit=1)[1] for line in done.stdout.splitlines() if line.startswith("problem ")]
        )
        wanted = "kernels compiled ahead are not used: "
        assert [one.startswith(wanted) for one in problems] == [True] * (state in {"cut off", "gone"})
        assert more or done.stdout.endswith("1 problem(s)\n" if problems else "all well\n")


FIRST_CALL = """
import sys, threading
import numpy as np
from colibri.scoring import engine, maxsim
from scoring_cases import Ragged, stored
case = Ragged(4, [3, 2], 16)
for kind in ("int8", "int4", "float32", "float16"):
    scores = maxsim(case.query, stored(case.packed, kind))
    assert engine._state.ready[kind].cached.startswith("compiled ahead: ")
assert engine._state.scored == 0 and not engine._state.ended
assert not {"numba", "llvmlite"} & set(sys.modules)
assert threading.active_count() == 1
assert engine.answering()["kernel"] == engine.compile_now("int8").kernel
"""


def test_the_first_call_has_the_kernel_and_no_compiler(loaded: Library) -> None:
    done = run(FIRST_CALL)
    assert (done.returncode, done.stderr) == (0, "")


BROKEN = """
import logging, sys
logging.basicConfig(format="%(name)s %(message)s", stream=sys.stdout)
from colibri.scoring import engine, maxsim, why_numpy
from scoring_cases import Ragged, stored
sys.modules["numba"] = None
case = Ragged(4, [3, 2], 16)
for _ in range(3):
    assert maxsim(case.query, stored(case.packed, "int8")).shape == (2,)
assert not engine._state.ready
print(engine.answering()["because"])
"""


def test_where_the_library_is_damaged_numpy_answers_and_one_line_says_why(tmp_path: Path) -> None:
    file, _ = damaged(tmp_path)
    file.write_bytes(file.read_bytes()[:1000])
    done = run(BROKEN, COLIBRI_KERNEL_LIBRARIES=str(file.parent))
    assert done.returncode == 0, done.stderr
    told, because = done.stdout.splitlines()
    assert told.startswith(f"colibri.scoring.library kernels compiled ahead are not used: {file}: is damaged")
    assert because.startswith(f"{file}: is damaged")
    assert because.endswith(", and numba is not installed")


def test_doctor_says_who_answers_and_warmup_has_nothing_to_do(loaded: Library) -> None:
    def said(*words: str, **more: str) -> str:
        command = [sys.executable, "-m", "colibri", *words]
        done = subprocess.run(
            command, env=built_kernels.environment(**more), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    fastest = next(iter(loaded.kernels))
    told = json.loads(said("doctor", "--json"))["scoring"]
    assert told["kernel"] == fastest
    assert told["by"] == str(loaded.file)
    assert told["because"] == "this processor's fastest of those compiled ahead"
    assert told["usable"] == ["numpy", *loaded.kernels]
    told = json.loads(said("doctor", "--json", COLIBRI_KERNEL="generic"))["scoring"]
    assert (told["kernel"], told["because"]) == ("generic", "COLIBRI_KERNEL=generic")
    lines = said("warmup").splitlines()
    assert [line.split()[:2] for line in lines] == [
        [kind, f"{fastest},"] for kind in ("int8", "int4", "float32", "float16")
    ]
    assert all(line.endswith(f"compiled ahead: {loaded.file}") for line in lines)
    if find_spec("numba") is not None:
        told = json.loads(said("doctor", "--json", COLIBRI_KERNEL="numba:generic"))["scoring"]
        assert (told["kernel"], told["by"], told["because"]) == ("generic", "numba", "COLIBRI_KERNEL=numba:generic")


def test_the_interface_is_what_its_number_says() -> None:
    """Whoever changes what these functions take, or what it means, gives the interface another number."""
    if find_spec("numba") is None:
        pytest.skip("numba is not installed: there are no texts to compare with")
    from colibri.scoring.kernels import rows, scan

    taken = {"pack": rows.pack_integer, "scan": scan.scan}
    assert {name: text.__code__.co_argcount for name, text in taken.items()} == ARGUMENTS
    names = " ".join(scan.scan.__code__.co_varnames[: ARGUMENTS["scan"]])
    query, place = "query finals initial groups biased", "rows dim scales scale_stride stream starts ids first last"
    assert (library.INTERFACE, names) == (3, f"{query} {place} scores k top room")


def test_six_dims_are_looked_up_only_where_the_processor_can(loaded: Library, tmp_path: Path) -> None:
    """AVX-512 without VBMI (Cascade Lake) has kernels of its own for everything else."""
    facts = json.loads(loaded.file.with_suffix(".json").read_bytes())
    with_six = {name for name, own in facts["kernels"].items() if "bits6" in own}
    assert with_six == {"amx", "avx512-vnni"} & facts["kernels"].keys()
    for name in with_six:
        assert facts["kernels"][name]["bits6"] == ["avx512vbmi"]
        facts["kernels"][name]["bits6"] = ["what-no-processor-has"]
    shutil.copy(loaded.file, tmp_path)
    (tmp_path / f"{TARGET}.json").write_text(json.dumps(facts))
    without = library.look(tmp_path)
    assert isinstance(without, Library)
    for name, kinds in without.kernels.items():
        assert kinds["bits"].turned == (4 if name in {"amx", "avx512-vnni", "avx-vnni", "avx2"} else 0)
        assert loaded.kernels[name]["bits"].turned in ({4, 6} if name in with_six else {kinds["bits"].turned})


def test_a_platform_without_libraries_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert TARGET in {"linux-x86_64", "linux-aarch64", "macos-x86_64", "macos-aarch64", "windows-x86_64", "none"}
    monkeypatch.setattr(sys, "platform", "freebsd14")
    assert library.target() is None
    assert library.look(HERE) == "no kernels are compiled ahead for this platform"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "version", "3.12.1 (tags/v3.12.1) [MSC v.1937 64 bit (ARM64)]")
    assert library.target() == "windows-aarch64"
    monkeypatch.setattr(sys, "version", "3.12.1 (tags/v3.12.1) [MSC v.1937 64 bit (AMD64)]")
    assert library.target() == "windows-x86_64"
    assert library.file_name("windows-x86_64") == "windows-x86_64.dll"


assert os.environ["COLIBRI_KERNEL_LIBRARIES"], "tests/conftest.py: other tests find none"
