"""Programs in the words of the originals' READMEs (tests/originals/programs), run as they are but for their imports.

Once each with the import lines changed, in this process; once all of them unchanged, in a process that has called
`colibri.compat.install`. The models they name are mapped to the shipped one, as a user may do openly.
"""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import originals
from colibri.compat import arrays

PROGRAMS = Path(originals.__path__[0]) / "programs"
NAMES = [
    "stanford_encode",
    "stanford_search",
    "ragatouille_seed",
    "ragatouille_readme",
    "pylate_readme",
    "multi_vector_encoder",
]
MODELS = ("jinaai/jina-colbert-v2", "colbert-ir/colbertv2.0", "lightonai/GTE-ModernColBERT-v1", "lightonai/LateOn")
ALIASES = ",".join(f"{name}=colibri-mini" for name in MODELS)
IMPORT = re.compile(r"^(from|import) (colbert|ragatouille|pylate|sentence_transformers)\b", re.MULTILINE)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, where the models' names are known."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLIBRI_ALIAS", ALIASES)
    arrays("auto")


@pytest.mark.parametrize("name", NAMES)
def test_with_its_import_lines_changed(name: str, tmp_path: Path) -> None:
    text = (PROGRAMS / f"{name}.py").read_text(encoding="utf-8")
    changed, count = IMPORT.subn(r"\1 colibri.compat.\2", text)
    assert count > 0
    program = tmp_path / f"{name}.py"
    program.write_text(changed, encoding="utf-8")
    runpy.run_path(str(program), run_name="__main__")


def test_as_they_are_after_install(tmp_path: Path) -> None:
    """No module of theirs is there, and none of torch's is loaded by ours."""
    code = (
        "import colibri.compat, runpy, sys\n"
        "colibri.compat.install('colbert', 'ragatouille', 'pylate', 'sentence_transformers')\n"
        "for program in sys.argv[1:]:\n"
        "    runpy.run_path(program, run_name='__main__')\n"
        "assert not {'torch', 'transformers'} & sys.modules.keys()\n"
    )
    command = [sys.executable, "-c", code, *(str(PROGRAMS / f"{name}.py") for name in NAMES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
