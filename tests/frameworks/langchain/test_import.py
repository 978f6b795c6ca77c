"""A version older or newer than what was tried is refused at import, by its number."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("version", ["0.3.85", "2.0.0rc1"])
def test_another_version_is_refused_by_its_number(version: str, tmp_path: Path) -> None:
    """Of a package that stands before the installed one, and fails when anything of it is imported."""
    info = tmp_path / f"langchain_core-{version}.dist-info"
    info.mkdir()
    text = f"Metadata-Version: 2.1\nName: langchain-core\nVersion: {version}\n"
    (info / "METADATA").write_text(text, encoding="utf-8")
    (tmp_path / "langchain_core.py").write_text("raise AssertionError('imported')\n", encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import colibri.compat.langchain"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    wanted = f"MissingExtra: colibri.compat.langchain: found langchain-core {version}, wanted langchain-core>=0.3.86,<2"
    assert wanted in done.stderr
    assert "colibri-edge[langchain]" in done.stderr
