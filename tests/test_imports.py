"""What is loaded when: an import costs nothing, and heavy or foreign packages are never touched."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import colibri
from reference import ARTEFACTS

FOREIGN = {"torch", "transformers", "onnx", "onnx_ir", "safetensors", "colibri_export"}
HEAVY = {"numpy", "onnxruntime", "tokenizers", "numba", "click", "huggingface_hub", "tqdm"}

RANK = f"import colibri; colibri.load({str(ARTEFACTS / 'tiny-random-bert')!r}).rerank('bird', ['a bird', 'a house'])"


def loaded_by(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter holds after running the code."""
    report = "; import sys, json; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    child = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    assert child.stderr == ""
    return set(json.loads(child.stdout))


_TODAY: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("loaded_by_imports.json").read_text("utf-8"))
_MODULES = """
import json, sys
names = {name for name in sys.modules if name.startswith("colibri")}
tops = {name for name in sys.modules if "." not in name and not name.startswith("_") and not name.startswith("colibri")}
print(json.dumps([sorted(names), sorted(tops - sys.stdlib_module_names - {"typing_extensions"})]))
"""


@pytest.mark.parametrize("statement", _TODAY)
def test_a_public_import_loads_what_it_loads_today(statement: str) -> None:
    """Modules of ours and packages of others. What fdb8e86 loaded, but for doors, and for rooms that only the eager
    `__init__` of a folder brought along: whoever adds one to an import adds it to the file, and measures the start."""
    if "server.app" in statement:
        pytest.importorskip("starlette", reason="the server is an extra")
    child = subprocess.run(
        [sys.executable, "-c", f"{statement}\n{_MODULES}"], capture_output=True, text=True, check=True
    )
    ours, others = json.loads(child.stdout)
    assert ours == _TODAY[statement]["ours"].split()
    assert others == _TODAY[statement]["others"].split()


def test_importing_colibri_loads_nothing_else() -> None:
    assert not loaded_by("import colibri") & (HEAVY | FOREIGN)
    assert not loaded_by("import colibri; dir(colibri); colibri.__version__; colibri.ShapeError") & (HEAVY | FOREIGN)


@pytest.mark.parametrize("name", ["maxsim", "TokenVectors"])
def test_scoring_needs_numpy_alone(name: str) -> None:
    assert loaded_by(f"from colibri import {name}") & (HEAVY | FOREIGN) == {"numpy"}


def test_the_model_asks_for_onnxruntime_before_it_needs_it() -> None:
    """So that its absence is an error of ours, which says what to install."""
    loaded = loaded_by("from colibri import Colibri, Report, load")
    assert "colibri" in loaded
    assert not loaded & {"onnxruntime", "numba", "click", "asyncio"}


def test_ranking_loads_neither_export_nor_hub_nor_compiler() -> None:
    loaded = loaded_by(RANK)
    assert {"onnxruntime", "tokenizers"} <= loaded
    assert not loaded & (FOREIGN | {"numba", "huggingface_hub", "click"})


def test_a_query_is_read_without_numpy() -> None:
    """A terminal that asks another process judges by it what fits."""
    code = "from colibri.index import asked; asked('red -blue').stands_in('a red boat')"
    assert not loaded_by(code) & (HEAVY | FOREIGN | {"sqlite3"})


def test_ranking_loads_nothing_of_the_index() -> None:
    command = "import colibri.cli.rank"
    for code in ("import colibri", RANK, command):
        assert not loaded_by(code) & {"sqlite3", "pypdf", "docx"}


def test_an_index_of_vectors_needs_numpy_and_sqlite_alone(tmp_path: Path) -> None:
    code = (
        f"import colibri, numpy; i = colibri.Index.open({str(tmp_path / 'i')!r}, dim=4, space_id='');"
        "i.add([{'id': 'a', 'vectors': numpy.eye(4)}]); assert i.search(numpy.eye(4))[0].id == 'a'"
    )
    assert loaded_by(code) & (HEAVY | FOREIGN | {"sqlite3"}) == {"numpy", "sqlite3"}


def test_ranking_reports_to_nobody_and_writes_nothing_at_home(tmp_path: Path) -> None:
    """onnxruntime 1.32 leaves a device id and a database of events in ~/.cache unless it is told not to."""
    places = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "USERPROFILE": str(tmp_path)}
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", RANK], env=kept | places, check=True)
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(("before", "after"), [({}, "1"), ({"ORT_DISABLE_TELEMETRY": "0"}, "0")])
def test_the_word_of_the_user_on_telemetry_stands(before: dict[str, str], after: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    code = "import colibri, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    done = subprocess.run([sys.executable, "-c", code], env=kept | before, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == after


def test_ranking_leaves_no_thread_of_python_behind() -> None:
    loaded_by(
        f"{RANK}; import threading; assert threading.enumerate() == [threading.main_thread()], threading.enumerate()"
    )


def test_the_facade_has_what_it_lists() -> None:
    assert sorted(dir(colibri)) == sorted([*colibri.__all__, "__version__"])
    for name in colibri.__all__:
        assert getattr(colibri, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        _ = colibri.absent


@pytest.mark.parametrize("name", [name for name in colibri.__all__ if isinstance(getattr(colibri, name), type)])
def test_errors_are_also_the_builtins_one_would_expect(name: str) -> None:
    kind = getattr(colibri, name)
    if not issubclass(kind, Exception):
        return
    assert issubclass(kind, colibri.ColibriError)
    builtins = {base for base in kind.__mro__ if base.__module__ == "builtins"} - {Exception, BaseException, object}
    assert bool(builtins) == (kind is not colibri.ColibriError)
