"""Who serves an index is known to its own user alone, as long as the server lives and no longer."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import other_user
from colibri.machine import announce, find
from colibri.machine.served import Served

posix = pytest.mark.skipif(os.name == "nt", reason="permissions and signals of POSIX")
_NOT_HERE = other_user.why_not()

_CHILD = """
import sys
from pathlib import Path
from colibri.machine import announce
with announce(Path(sys.argv[1]), sys.argv[2], "child's"):
    print("announced", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of such files, for this test alone."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return runtime / "colibri" / "served"


@contextmanager
def child(index: Path, url: str = "http://127.0.0.1:1") -> Iterator["subprocess.Popen[str]"]:
    """Another process that has announced itself."""
    running = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(index), url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "announced\n"
    try:
        yield running
    finally:
        running.communicate()


def test_an_announced_server_is_found_until_its_end(tmp_path: Path, kept: Path) -> None:
    index = tmp_path / "index"
    assert find(index) is None
    with announce(index, "http://127.0.0.1:8123/", "secret"):
        assert find(index) == Served(url="http://127.0.0.1:8123", token="secret", pid=os.getpid(), page=True)
        assert find(tmp_path / "other") is None
    assert find(index) is None
    assert not list(kept.iterdir())


def test_to_look_makes_nothing(tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert find(tmp_path / "index") is None
    assert sorted(tmp_path.rglob("*")) == before


def test_one_index_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "link").symlink_to("index", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    with announce(Path("link"), "http://127.0.0.1:1"):
        for name in ("index", "./link", "link/../index"):
            assert find(Path(name)) is not None, name
        assert find(tmp_path / "index") is not None


def test_the_token_is_in_no_representation(tmp_path: Path) -> None:
    with announce(tmp_path, "http://127.0.0.1:1", "secret"):
        assert "secret" not in repr(find(tmp_path))


@posix
def test_only_its_user_may_read_it(tmp_path: Path, kept: Path) -> None:
    before = os.umask(0)
    try:
        with announce(tmp_path, "http://127.0.0.1:1", "secret"):
            (file,) = kept.iterdir()
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    finally:
        os.umask(before)


def test_a_page_is_told_from_the_api_alone(tmp_path: Path) -> None:
    with announce(tmp_path, "http://127.0.0.1:1", page=False):
        assert find(tmp_path) == Served(url="http://127.0.0.1:1", pid=os.getpid(), page=False)
        assert find(tmp_path, page=True) is None
        with announce(tmp_path, "http://127.0.0.1:2", "secret"):
            found = find(tmp_path, page=True)
            assert found is not None
            assert found.url == "http://127.0.0.1:2"


def test_of_several_the_first_is_found(tmp_path: Path) -> None:
    with announce(tmp_path, "http://127.0.0.1:1"):
        with child(tmp_path, "http://127.0.0.1:2"):
            found = find(tmp_path)
            assert found is not None
            assert found.pid == os.getpid()
        with announce(tmp_path, "http://127.0.0.1:3"):
            found = find(tmp_path)
            assert found is not None
            assert found.url == "http://127.0.0.1:1"


@posix
def test_whoever_was_killed_is_not_found_and_is_cleared_away(tmp_path: Path, kept: Path) -> None:
    with child(tmp_path) as running:
        found = find(tmp_path)
        assert found is not None
        assert (found.pid, found.token) == (running.pid, "child's")
        running.kill()
        running.wait()
        assert len(list(kept.iterdir())) == 1
        assert find(tmp_path) is None
        assert not list(kept.iterdir())


def test_a_number_of_a_process_that_lives_is_not_enough(tmp_path: Path, kept: Path) -> None:
    """The number of one that was killed is given out again."""
    with announce(tmp_path, "http://127.0.0.1:1", "secret"):
        (file,) = kept.iterdir()
        said = file.read_bytes()
    left = file
    left.write_bytes(said)
    left.chmod(0o600)
    assert json.loads(said)["pid"] == os.getpid()
    assert find(tmp_path) is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_neither_ends_nor_prolongs_it(tmp_path: Path) -> None:
    to_parent, from_child = os.pipe()
    with announce(tmp_path, "http://127.0.0.1:1"):
        pid = os.fork()
        if pid == 0:
            try:
                os.write(from_child, b"y" if find(tmp_path) is not None else b"n")
            finally:
                os._exit(0)
        assert os.read(to_parent, 1) == b"y"
        assert os.waitpid(pid, 0)[1] == 0
        assert find(tmp_path) is not None
    assert find(tmp_path) is None
    os.close(to_parent)
    os.close(from_child)


@posix
@pytest.mark.parametrize("mode", [0o620, 0o640, 0o604])
def test_a_file_that_others_may_touch_is_not_believed(tmp_path: Path, kept: Path, mode: int) -> None:
    with announce(tmp_path, "http://127.0.0.1:1", "secret"):
        (file,) = kept.iterdir()
        file.chmod(mode)
        assert find(tmp_path) is None


@posix
@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_folder_that_others_may_write_is_neither_believed_nor_used(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    with announce(tmp_path, "http://127.0.0.1:1"):
        kept.chmod(mode)
        assert find(tmp_path) is None
    with announce(tmp_path, "http://127.0.0.1:2"):
        found = find(tmp_path)
        assert found is not None
        assert found.url == "http://127.0.0.1:2"
        assert not list(kept.iterdir())


@posix
def test_links_are_not_followed(tmp_path: Path, kept: Path) -> None:
    with announce(tmp_path, "http://127.0.0.1:1"):
        (file,) = kept.iterdir()
        elsewhere = tmp_path / "elsewhere"
        file.rename(elsewhere)
        file.symlink_to(elsewhere)
        assert find(tmp_path) is None
        file.unlink()
        elsewhere.rename(file)
        assert find(tmp_path) is not None
        kept.rename(tmp_path / "folder")
        kept.symlink_to(tmp_path / "folder", target_is_directory=True)
        assert find(tmp_path) is None


@pytest.mark.skipif(_NOT_HERE is not None, reason=_NOT_HERE or "")
def test_another_user_finds_nothing_and_is_not_found() -> None:
    with other_user.open_folder(0o777) as folder:
        index = folder / "index"
        places = {"XDG_RUNTIME_DIR": str(folder), "XDG_DATA_HOME": str(folder), "TMPDIR": str(folder)}
        code = f"from pathlib import Path; from colibri.machine import find; print(find(Path({str(index)!r})))"
        with pytest.MonkeyPatch.context() as patch:
            for name, value in places.items():
                patch.setenv(name, value)
            patch.setattr("tempfile.tempdir", str(folder))
            with announce(index, "http://127.0.0.1:1", "secret"):
                assert find(index) is not None
                done = other_user.python(code, user=other_user.NOBODYS, environment=places)
                assert (done.stdout, done.stderr) == ("None\n", "")
            # What another user announces, where this one looks: root may read it, and must not believe it.
            started = other_user.start(
                _CHILD, str(index), "http://127.0.0.1:9", user=other_user.NOBODYS, environment=places
            )
            assert started.stdout is not None
            assert started.stdout.readline() == "announced\n", started.communicate()
            assert find(index) is None
            started.communicate()


@pytest.mark.parametrize(
    "said",
    [b"", b"{", b"[]", b"null", b'{"url": 3}', b"\xff", b"[" * 9_000, b'{"index": "/i", "url": "http://127.0.0.1:1"}'],
)
def test_what_is_no_such_file_is_passed_by(tmp_path: Path, kept: Path, said: bytes) -> None:
    with announce(tmp_path, "http://127.0.0.1:1"):
        (file,) = kept.iterdir()
        with file.open("r+b") as held:
            held.truncate(0)
            held.write(said)
        assert find(tmp_path) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("machine", "another 1"), ("url", "file:///etc/passwd"), ("page", 1), ("since", "now"), ("pid", True)],
)
def test_what_is_not_of_this_machine_or_of_another_form_is_passed_by(
    tmp_path: Path, kept: Path, name: str, value: object
) -> None:
    with announce(tmp_path, "http://127.0.0.1:1"):
        (file,) = kept.iterdir()
        changed = {**json.loads(file.read_bytes()), name: value}
        with file.open("r+b") as held:
            held.truncate(0)
            held.write(json.dumps(changed).encode())
        assert find(tmp_path) is None


def test_a_file_that_is_being_made_is_left_alone(tmp_path: Path, kept: Path) -> None:
    with announce(tmp_path, "http://127.0.0.1:1"):
        (file,) = kept.iterdir()
    file.touch(0o600)
    assert find(tmp_path) is None
    assert file.exists()
    os.utime(file, (0, 0))
    assert find(tmp_path) is None
    assert not file.exists()


def test_where_nothing_can_be_kept_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    for variable in ("XDG_RUNTIME_DIR", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    monkeypatch.setattr("colibri.machine.served._session_folders", list)
    with announce(tmp_path, "http://127.0.0.1:1"):
        assert find(tmp_path) is None
    assert "cannot be announced" in caplog.text


def test_a_service_and_a_terminal_with_other_variables_find_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colibri.machine.served._session_folders", list)
    with announce(tmp_path, "http://127.0.0.1:1"):
        monkeypatch.undo()
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
        assert find(tmp_path) is not None
