"""run.py: usage that needs no environment."""

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[1] / "run.py"


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), ([], 0), (["dance"], 2)])
def test_usage_is_shown_without_making_an_environment(words: list[str], code: int, tmp_path: Path) -> None:
    copy = tmp_path / "run.py"
    copy.write_bytes(RUN.read_bytes())
    done = subprocess.run([sys.executable, str(copy), *words], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "run.py demo" in (done.stdout if code == 0 else done.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["run.py"]


def test_without_libreoffice_the_files_verb_says_what_to_install(tmp_path: Path) -> None:
    copy = tmp_path / "run.py"
    copy.write_bytes(RUN.read_bytes())
    command = [sys.executable, str(copy), "test-files"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)})
    assert done.returncode == 2
    assert "apt install --no-install-recommends libreoffice-writer" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run.py"]


def test_without_a_browser_the_page_verb_says_what_to_install(tmp_path: Path) -> None:
    copy = tmp_path / "run.py"
    copy.write_bytes(RUN.read_bytes())
    command = [sys.executable, str(copy), "test-ui"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)})
    assert done.returncode == 2
    assert "apt install --no-install-recommends chromium npm" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run.py"]


def test_run_py_needs_only_the_standard_library() -> None:
    code = "import run, sys; sys.exit(any(m in sys.modules for m in ('numpy', 'click', 'colibri')))"
    subprocess.run([sys.executable, "-S", "-c", code], cwd=RUN.parent, check=True)
