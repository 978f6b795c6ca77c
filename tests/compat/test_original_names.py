"""`install`: the originals' import names for a whole program, in processes of their own."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from colibri.compat import install
from colibri.errors import InputError

# A package of the name "colbert" as if it were installed, with a module that ours does not have.
REAL = "import sys; sys.path.insert(0, {!r});"


def run(code: str) -> str:
    child = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    return child.stdout


@pytest.fixture
def real(tmp_path: Path) -> str:
    """A folder that holds a package called colbert, which is not ours."""
    folder = tmp_path / "colbert"
    folder.mkdir()
    (folder / "__init__.py").write_text("whose = 'theirs'\n", encoding="utf-8")
    (folder / "training.py").write_text("", encoding="utf-8")
    return REAL.format(str(tmp_path))


def test_one_object_under_both_names() -> None:
    run(
        "import colibri.compat as c; c.install('colbert'); c.install('colbert', 'ragatouille')\n"
        "import colbert, colibri.compat.colbert as ours, importlib, sys\n"
        "assert colbert is ours and colbert.__name__ == ours.__spec__.name == 'colibri.compat.colbert'\n"
        "assert importlib.import_module('colbert') is ours\n"
        "assert importlib.util.find_spec('json') is not None\n"
        "assert sum(type(f).__module__.startswith('colibri') for f in sys.meta_path) == 1\n"
    )


def test_a_star_brings_what_the_door_has() -> None:
    doors = ["colbert", "colbert.infra", "colbert.infra.config", "colbert.data", "ragatouille", "ragatouille.data"]
    for door in ("pylate", *doors):
        ours = importlib.import_module(f"colibri.compat.{door}")
        assert sorted(ours.__all__) == dir(ours)
        brought: dict[str, object] = {}
        exec(f"from colibri.compat.{door} import *", brought)
        assert all(brought[name] is getattr(ours, name) for name in ours.__all__)


def test_ours_answers_where_the_original_is_installed_too(real: str) -> None:
    run(real + "import colibri.compat as c; c.install('colbert'); import colbert; assert not hasattr(colbert, 'whose')")


def test_it_refuses_after_the_original_was_imported_and_installs_none(real: str) -> None:
    said = run(
        real + "import colbert, colibri.compat as c\n"
        "try: c.install('ragatouille', 'colbert')\n"
        "except ValueError as error: print(error)\n"
        "import sys; assert not any(type(f).__module__.startswith('colibri') for f in sys.meta_path)\n"
        "assert colbert.whose == 'theirs'"
    )
    assert said.startswith("install: colbert was imported from ")
    assert said.endswith("call colibri.compat.install before anything imports it\n")


def test_a_module_that_we_do_not_have_is_an_import_error_that_says_so(real: str) -> None:
    said = run(
        real + "import colibri.compat; colibri.compat.install('colbert')\n"
        "try: import colbert.training\n"
        "except ModuleNotFoundError as error: print(error, '|', error.name)"
    )
    assert said == (
        "No module named 'colbert.training': colibri.compat stands in for colbert, and has no "
        "colibri.compat.colbert.training | colbert.training\n"
    )


def test_it_never_runs_by_itself() -> None:
    run(
        "import colibri, colibri.compat, colibri.compat.rows, sys, importlib.util\n"
        "assert not any(type(f).__module__.startswith('colibri') for f in sys.meta_path)"
    )


@pytest.mark.parametrize("names", [("torch",), ("colbert", "colber"), ()])
def test_other_names_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="there is colbert, ragatouille, pylate, sentence_transformers"):
        install(*names)
    assert not any(type(finder).__module__.startswith("colibri") for finder in sys.meta_path)
