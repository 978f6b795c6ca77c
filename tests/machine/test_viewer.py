"""A file is opened by the system's program for it, as one argument and by no shell."""

import os
import sys
import threading
from pathlib import Path

import pytest

from colibri.machine import open_file, show_in_folder

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
    missing = "open: No such file" if sys.platform == "darwin" else "neither xdg-open nor gio is here"
    assert missing in str(open_file(file))
    program(programs, "sys.exit('no viewer\\nfor text')")
    assert open_file(file) == f"{PROGRAM} ended with code 1: no viewer for text"
    program(programs, "sys.exit(3)")
    assert open_file(file) == f"{PROGRAM} ended with code 3"
    (programs / PROGRAM).chmod(0o644)
    assert open_file(file) is not None


@pytest.mark.skipif(sys.platform == "darwin", reason="has a word of its own for it")
def test_the_folder_of_a_file_is_shown(programs: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.desktop"  # which would run if it were opened itself
    assert show_in_folder(Path("a.md")) == "a.md: not an absolute path"
    assert show_in_folder(file) == f"{file}: no such file"
    file.write_text("")
    program(programs, f"open({str(tmp_path / 'said')!r}, 'w').write(repr(sys.argv[1:]))")
    assert show_in_folder(file) is None
    assert (tmp_path / "said").read_text() == repr([str(tmp_path)])


@pytest.mark.skipif(sys.platform == "darwin", reason="has one that is always there")
def test_where_there_is_no_xdg_open_gio_opens(programs: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("")
    program(programs, f"open({str(tmp_path / 'said')!r}, 'w').write(repr(sys.argv[1:]))")
    (programs / PROGRAM).rename(programs / "gio")
    assert open_file(file) is None
    assert (tmp_path / "said").read_text() == repr(["open", str(file)])


def test_a_program_that_shows_the_file_itself_is_left_alone(programs: Path, tmp_path: Path) -> None:
    """And no zombie is left of it, however long this process goes on."""
    file, ended = tmp_path / "a.md", tmp_path / "ended"
    os.mkfifo(ended)
    file.write_text("")
    program(programs, f"open({str(ended)!r}).read()")
    before = {*threading.enumerate()}
    assert open_file(file, wait_seconds=0.1) is None
    (waiting,) = {*threading.enumerate()} - before
    ended.open("w").close()  # it still reads there
    waiting.join(60)
    assert not waiting.is_alive()
