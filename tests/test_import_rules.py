"""The rules that keep the runtime light are in force: ruff refuses what `runtime/ruff.toml` and pyproject.toml ban."""

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
