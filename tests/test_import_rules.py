"""The rules on imports are in force: ruff and import-linter refuse what pyproject.toml and `runtime/ruff.toml` ban."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def findings(code: str, file: str) -> str:
    words = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--output-format",
        "concise",
        "--stdin-filename",
        str(ROOT / file),
        "-",
    ]
    return subprocess.run(words, input=code, capture_output=True, text=True, check=False, cwd=ROOT).stdout


@pytest.mark.parametrize("module", ["torch", "transformers", "onnx", "onnx_ir", "optimum", "colibri_export"])
def test_the_runtime_may_not_import_what_an_edge_machine_lacks(module: str) -> None:
    assert f"TID251 `{module}` is banned" in findings(f"import {module}\n", "runtime/colibri/new.py")


@pytest.mark.parametrize("module", ["onnx", "onnx_ir", "colibri"])
def test_the_exporter_may(module: str) -> None:
    assert "TID251" not in findings(f"import {module}\n", "export/colibri_export/new.py")


@pytest.mark.parametrize("file", ["runtime/colibri/new.py", "export/colibri_export/new.py"])
def test_numba_is_never_imported_with_a_module(file: str) -> None:
    assert "TID253 `numba` is banned at the module level" in findings("import numba\n", file)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of both source roots and of the contracts."""
    copy = tmp_path_factory.mktemp("house")
    for root in ("runtime", "export"):
        shutil.copytree(ROOT / root, copy / root, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def contracts(house: Path) -> tuple[int, str]:
    """import-linter's exit code and words about the copy."""
    paths = os.pathsep.join(str(house / root) for root in ("runtime", "export"))
    code = "from importlinter.cli import lint_imports_command as lint; lint()"
    words = [sys.executable, "-c", code, "--no-logo", "--no-cache", "--config", str(house / "pyproject.toml")]
    environment = os.environ | {"PYTHONPATH": paths, "COLUMNS": "200"}
    done = subprocess.run(words, env=environment, cwd=house, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


_LATE = "def late() -> None:\n    {}\n"
_TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {}\n"


def test_the_contracts_hold(house: Path) -> None:
    code, said = contracts(house)
    assert code == 0, said
    assert " 0 broken" in said


# Each file breaks one contract; import-linter, which takes half a second, is asked once about all of them.
WRONG = {
    "tokens/new.py": ("from colibri.index import Index\n", "floors: each stands above"),
    "scoring/new.py": (_LATE.format("from colibri.model import Colibri"), "floors: each stands above"),
    "machine/new.py": (_TYPES.format("from colibri.artefact import Manifest"), "floors: each stands above"),
    "loose.py": ("", "floors: each stands above"),
    "encoding/new.py": ("from colibri.tokens.passages import split\n", "the door of tokens"),
    "model_helper/__init__.py": ("from colibri.index.storage.segments import KINDS\n", "the door of index"),
    "index/storage/new.py": ("from colibri.index.upkeep.verify import Verification\n", "floors of the index"),
    "server/access/new.py": ("from colibri.server.api.routes import routes\n", "floors of the server"),
    "files/kinds/new.py": ("from colibri.vectors import Span\n", "readers of files"),
    "checks_of_torch.py": (_LATE.format("import torch"), "an edge machine has none of these"),
    "machine/another.py": (_LATE.format("import colibri_export.recipe"), "an edge machine has none of these"),
}


@pytest.fixture(scope="module")
def said_of_wrong_ones(house: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What import-linter says of each contract that WRONG breaks, by the contract's name."""
    house = shutil.copytree(house, tmp_path_factory.mktemp("wrong") / "house")
    for file, (text, _) in WRONG.items():
        path = house / "runtime" / "colibri" / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    code, said = contracts(house)
    assert code == 1, said
    broken = re.split(r"\n(.+)\n-+\n", said[said.index("Broken contracts") :])
    return dict(zip(broken[1::2], broken[2::2], strict=True))


@pytest.mark.parametrize("file", WRONG)
def test_a_wrong_import_breaks_a_contract(file: str, said_of_wrong_ones: dict[str, str]) -> None:
    module = "colibri." + file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    named = {name for name, said in said_of_wrong_ones.items() if re.search(rf"\b{re.escape(module)}\b", said)}
    assert [name for name in named if name.startswith(WRONG[file][1])], (named, said_of_wrong_ones)
