"""A version older or newer than what was tried is refused at import, by its number."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("version", ["0.12.52", "0.15.0"])
def test_another_version_is_refused_by_its_number(version: str, tmp_path: Path) -> None:
    """Of a package that stands before the installed one, and fails when anything of it is imported."""
    info = tmp_path / f"llama_index_core-{version}.dist-info"
    info.mkdir()
    text = f"Metadata-Version: 2.1\nName: llama-index-core\nVersion: {version}\n"
    (info / "METADATA").write_text(text, encoding="utf-8")
    (tmp_path / "llama_index.py").write_text("raise AssertionError('imported')\n", encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import colibri.compat.llama_index"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"MissingExtra: colibri.compat.llama_index: found llama-index-core {version}" in done.stderr
    assert "wanted llama-index-core>=0.13.0,<0.15" in done.stderr
    assert "colibri-edge[llama-index]" in done.stderr
