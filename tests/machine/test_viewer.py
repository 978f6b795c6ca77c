"""A file is opened by the system's program for it, as one argument and by no shell."""

import os
import sys
from pathlib import Path

import pytest

from colibri.machine import open_file

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows opens files by a call of its own")
PROGRAM = "open" if sys.platform == "darwin" else "xdg-open"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that programs are found in."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, code: str) -> None:
    path = folder / PROGRAM
    path.write_text(f"#!{sys.executable}\nimport sys\n{code}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("name", ["a b.md", "-x.md", "$(touch pwned).md", "'; rm -rf x #.md", "ä\n.md"])
def test_the_file_is_the_only_argument(programs: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text("")
    program(programs, f"open({str(tmp_path / 'said')!r}, 'w').write(repr(sys.argv[1:]))")
    assert open_file(file) is None
    assert (tmp_path / "said").read_text() == repr([str(file)])
    assert not (tmp_path / "pwned").exists()


def test_why_it_failed_is_told(programs: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    assert open_file(Path("a.md")) == "a.md: not an absolute path"
    assert open_file(file) == f"{file}: no such file"
    file.write_text("")
    assert f"there is no {PROGRAM} here" in str(open_file(file))
    program(programs, "sys.exit('no viewer\\nfor text')")
    assert open_file(file) == f"{PROGRAM} ended with code 1: no viewer for text"
    program(programs, "sys.exit(3)")
    assert open_file(file) == f"{PROGRAM} ended with code 3"
    (programs / PROGRAM).chmod(0o644)
    assert open_file(file) is not None


def test_a_program_that_shows_the_file_itself_is_left_alone(programs: Path, tmp_path: Path) -> None:
    file, ended = tmp_path / "a.md", tmp_path / "ended"
    os.mkfifo(ended)
    file.write_text("")
    program(programs, f"open({str(ended)!r}).read()")
    assert open_file(file, wait_seconds=0.1) is None
    ended.open("w").close()  # it still reads there
