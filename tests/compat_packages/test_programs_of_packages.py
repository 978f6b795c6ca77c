"""Programs for packages that stay: only the import line of the one that Colibri stands in for changes."""

import re
import runpy
from pathlib import Path

import pytest

import originals

PROGRAMS = Path(originals.__path__[0]) / "programs"


@pytest.mark.parametrize("name", ["fastembed_qdrant", "rerankers_readme"])
def test_with_its_import_line_changed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (PROGRAMS / f"{name}.py").read_text(encoding="utf-8")
    changed, count = re.subn(r"^from (fastembed|rerankers) ", r"from colibri.compat.\1 ", text, flags=re.MULTILINE)
    assert count == 1
    (tmp_path / f"{name}.py").write_text(changed, encoding="utf-8")
    runpy.run_path(str(tmp_path / f"{name}.py"), run_name="__main__")
