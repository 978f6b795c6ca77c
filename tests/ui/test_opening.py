"""Files are opened if they belong to the index, and are still what it has."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from colibri.index import Index
from colibri.machine import runs
from colibri.server import Problem
from colibri.ui.opening import file_to_open, open_file
from reference import ARTEFACTS
from ui_server import TINY, UiServer, write

posix = pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="a starter of our own can be put first on PATH")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files, and a program in place of the desktop's that notes what it was given."""
    base = tmp_path_factory.mktemp("opening")
    name = "$(touch pwned); `id` & \"quoted\" 'x'.txt"
    write(base, {"files/a.txt": "A goose.\n", f"files/{name}": "A bear.\n"})
    write(base, {"files/broken.txt": "Broken viewer.\n", "secret.txt": "Not of the index.\n"})
    if sys.platform not in {"win32", "darwin"}:  # whose names are always text
        Path(os.fsdecode(os.fsencode(base) + b"/files/broken\xff.txt")).write_text("A name that is none.\n")
    opener = base / "bin/xdg-open"
    opener.parent.mkdir()
    opener.write_text(
        f"#!{sys.executable}\nimport json, sys\nwith open({str(base / 'opened')!r}, 'a') as file:\n"
        "    file.write(json.dumps(sys.argv[1:]) + '\\n')\n"
        "if 'broken' in sys.argv[1]:\n    print('no viewer for that', file=sys.stderr)\n    sys.exit(3)\n",
        encoding="utf-8",
    )
    opener.chmod(0o755)
    return base


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[UiServer]:
    """The page of these files."""
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    words = ("files", "--model", TINY)
    with UiServer(*words, folder=folder, log=folder / "log", environment={"PATH": path}) as running:
        running.wait_for_documents(3 if sys.platform in {"win32", "darwin"} else 4)
        yield running


def opened(folder: Path) -> list[str]:
    """What the desktop was asked to open so far."""
    found = folder / "opened"
    return found.read_text(encoding="utf-8").splitlines() if found.exists() else []


@posix
def test_a_file_and_its_folder_are_opened_as_one_word(page: UiServer, folder: Path) -> None:
    before = len(opened(folder))
    names = ["a.txt", "$(touch pwned); `id` & \"quoted\" 'x'.txt"]
    for name in names:
        assert page.api("open", {"id": str(folder / "files" / name), "start": 3}).json == {"done": True}
        assert page.api("reveal", {"id": str(folder / "files" / name)}).json == {"done": True}
    import json

    given = [json.loads(line) for line in opened(folder)[before:]]
    wanted = [[[str(folder / "files" / name)], [str(folder / "files")]] for name in names]
    assert given == [word for pair in wanted for word in pair]
    assert not list(folder.rglob("pwned"))


@posix
def test_a_name_that_is_no_text_is_told_as_it_is_shown(page: UiServer) -> None:
    (name,) = [file["id"] for file in page.search("A name")["files"] if "udcff" in file["id"]]
    answer = page.api("open", {"id": name})
    assert (answer.status, answer.json["code"]) == (501, "NOTHING_OPENS")
    assert "broken\\udcff.txt" in answer.json["detail"]


@posix
def test_nothing_else_is_opened(page: UiServer, folder: Path) -> None:
    before = opened(folder)
    others = [str(folder / "secret.txt"), "/etc/passwd", f"{folder}/files/../secret.txt", "file:///etc/passwd"]
    others += [f"{folder}/files/a.txt/", "--help", "https://evil.example"]
    for found_id in others:
        assert page.api("open", {"id": found_id}).status == 404
        assert page.api("reveal", {"id": found_id}).status == 404
    assert opened(folder) == before


@posix
def test_a_viewer_that_fails_is_said(page: UiServer, folder: Path) -> None:
    answer = page.api("open", {"id": str(folder / "files/broken.txt")})
    assert (answer.status, answer.json["code"]) == (501, "NOTHING_OPENS")
    assert "ended with code 3: no viewer for that" in answer.json["detail"]  # in its own words


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """An index of three files, each for a change of its own."""
    write(tmp_path, {"files/sub/a.txt": "A.\n", "files/b.txt": "B.\n", "files/c.txt": "C.\n", "outside/a.txt": "S.\n"})
    with Index.open(tmp_path / "i", ARTEFACTS / "tiny-random-bert") as opened:
        opened.sync(tmp_path / "files")
        opened.add(
            [{"id": "note", "text": "Of no file."}, {"id": "liar", "text": "x", "payload": {"file": {"path": 1}}}]
        )
        yield opened


def test_a_path_that_became_something_else_is_refused(index: Index, tmp_path: Path) -> None:
    files, outside = tmp_path / "files", tmp_path / "outside"
    assert file_to_open(index, str(files / "sub/a.txt")) == files / "sub/a.txt"
    (files / "sub/a.txt").unlink()
    (files / "sub").rmdir()
    (files / "sub").symlink_to(outside)
    (files / "b.txt").unlink()
    (files / "b.txt").symlink_to(outside / "a.txt")
    (files / "c.txt").unlink()
    (files / "c.txt").mkdir()
    for name in ("sub/a.txt", "b.txt", "c.txt"):
        with pytest.raises(Problem) as refused:
            file_to_open(index, str(files / name))
        assert (refused.value.status, refused.value.code) == (409, "FILE_NOT_OPENED")
    (files / "c.txt").rmdir()
    with pytest.raises(Problem) as refused:
        file_to_open(index, str(files / "c.txt"))
    assert (refused.value.status, refused.value.code) == (404, "FILE_GONE")


def test_documents_without_a_file_have_none(index: Index) -> None:
    for found_id in ("note", "liar", "nobody"):
        with pytest.raises(Problem) as refused:
            file_to_open(index, found_id)
        assert refused.value.status == 404


def test_what_would_run_is_not_opened(index: Index, tmp_path: Path) -> None:
    ending = {"win32": "a.cmd", "darwin": "a.command"}.get(sys.platform, "a.desktop")
    path = write(tmp_path, {f"files/{ending}": "x"}) / "files" / ending
    file = {"path": str(path), "root": str(tmp_path / "files")}
    index.add([{"id": "program", "text": "x", "payload": {"file": file}}])
    with pytest.raises(Problem) as refused:
        open_file(index, "program")
    assert (refused.value.status, refused.value.code) == (409, "FILE_RUNS")


def test_a_root_that_is_a_link_itself_is_no_way_out(tmp_path: Path) -> None:
    write(tmp_path, {"real/a.txt": "A.\n"})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with Index.open(tmp_path / "i", ARTEFACTS / "tiny-random-bert") as opened:
        opened.sync(tmp_path / "link")
        for found_id, _ in opened.payloads():
            assert file_to_open(opened, found_id).read_text(encoding="utf-8") == "A.\n"


@pytest.mark.parametrize(
    ("name", "platform", "wanted"),
    [
        ("a.BAT", "win32", True),
        ("a.bat. ", "win32", True),
        ("invoice.pdf.lnk", "win32", True),
        ("a.py", "win32", True),
        ("a.txt", "win32", False),
        ("a.command", "darwin", True),
        ("a.bat", "linux", False),
        ("a.py", "linux", False),
        ("A.Desktop", "linux", True),
        ("desktop", "linux", False),
    ],
)
def test_what_opening_would_run(tmp_path: Path, name: str, platform: str, wanted: bool) -> None:
    assert runs(tmp_path / name, platform) is wanted
