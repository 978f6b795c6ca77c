"""`colibri search` asks the process of the same user that serves the index, and says the same as without it."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from colibri import explain
from colibri import index as library
from colibri.cli import answered, asking, group
from colibri.machine import announce, find
from colibri.machine.served import Served
from colibri.server.api import hits
from live_server import XLMR, LiveServer
from reference import ARTEFACTS
from ui_server import UiServer

FILES = {
    "a.md": "# Birds\n\nA small bird sings.\n\nA house stands by the river.",
    "b.txt": "Bread is baked.",
    "c.md": "🐦",
}

NOTHING = ("--since", "2030")
"""Asked so, the index is opened, to see whether it holds anything at all."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an index, and places of its own for what is announced."""
    made = tmp_path_factory.mktemp("asked")
    (made / "run").mkdir(mode=0o700)
    (made / "files").mkdir()
    for name, text in FILES.items():
        (made / "files" / name).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(made / "run"))
        patch.setenv("XDG_DATA_HOME", str(made / "data"))
        done = run("index", made / "files", "--into", made / "index", "--model", ARTEFACTS / XLMR)
        assert done.exit_code == 0, done.output
        yield made


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words])


def found(folder: Path, *words: str) -> Result:
    return run("search", "small", "bird", "--index", folder / "index", *words)


@pytest.fixture(scope="module")
def alone(folder: Path) -> dict[tuple[str, ...], str]:
    """What is said while nobody serves the index."""
    asked = [
        ("--json",),
        (),
        ("-k", "1"),
        ("--kind", "md"),
        ("--where", "file.suffix=md"),
        ("--mode", "words"),
        ("--mode", "meaning"),
        NOTHING,
    ]
    return {words: found(folder, *words).output for words in asked}


def served_by(folder: Path, *words: str) -> LiveServer:
    log = folder / f"{len(list(folder.glob('*.jsonl')))}.jsonl"
    return LiveServer("--index", str(folder / "index"), *words, log=log, artefacts=(XLMR,))


@contextmanager
def scripted(answer: bytes) -> Iterator[str]:
    """The address of a server that says this to whoever connects, after one request."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                while b"\r\n\r\n" not in connection.recv(1 << 16):
                    pass
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def test_a_search_through_a_server_says_what_one_alone_says(
    folder: Path, alone: dict[tuple[str, ...], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with served_by(folder) as server:
        served = find(folder / "index")
        assert served == Served(url=server.url, pid=server.process.pid, page=False)
        with monkeypatch.context() as patch:
            patch.setattr("colibri.index.Index.open", None)  # nothing is opened here
            for words in alone.keys() - {NOTHING}:
                assert found(folder, *words).output == alone[words], words
            refused = found(folder, "--where", '{"$x": 1}')
            assert (refused.exit_code, "unknown operator $x" in refused.output) == (1, True)
            empty = run("search", " ", "--index", folder / "index")
            assert (empty.exit_code, empty.output) == (0, "nothing found: the query holds no word to look for\n")
        assert found(folder, *NOTHING).output == alone[NOTHING] == "nothing found: the filters leave no document\n"
        # What a server would do otherwise than asked, is not asked of it.
        assert found(folder, "-k", "200").exit_code == 0
        assert found(folder, "--threads", "1").exit_code == 0
    assert find(folder / "index") is None


def test_a_server_with_keys_lets_its_own_user_search_and_no_more(
    folder: Path, alone: dict[tuple[str, ...], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("keys", "add", "laptop", "--keys-file", folder / "keys.json").exit_code == 0
    with served_by(folder, "--keys-file", str(folder / "keys.json")) as server:
        served = find(folder / "index")
        assert served is not None
        assert served.token is not None
        with monkeypatch.context() as patch:
            patch.setattr("colibri.index.Index.open", None)
            assert found(folder).output == alone[()]
        own = {"authorization": f"Bearer {served.token}"}
        assert server.call("/v1/search", {"query": "a"}).status == 401
        assert server.call("/v1/index/delete", {"ids": ["x"]}, headers=own).status == 403
        assert served.token not in (folder / "keys.json").read_text()


def test_a_killed_server_is_passed_by_in_silence(folder: Path, alone: dict[tuple[str, ...], str]) -> None:
    with served_by(folder) as server:
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        assert found(folder).output == alone[()]


def test_nobody_who_listens_is_passed_by_in_silence(folder: Path, alone: dict[tuple[str, ...], str]) -> None:
    with announce(folder / "index", "http://127.0.0.1:9"):
        assert found(folder).output == alone[()]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 503 Busy\r\n\r\n" + b'{"detail": "too many requests"}', "answered 503: too many requests"),
        (b"HTTP/1.1 401 No\r\n\r\n{}", "answered 401: no reason"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b'{"results": [{}]}', "its answer is none of Colibri"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b'{"results": 5}', "its answer is none of Colibri"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "its answer is none of Colibri"),
        (b"SSH-2.0-OpenSSH_9\r\n", "its answer is none of Colibri"),
        (b"\0" * 9, "its answer is none of Colibri"),
    ],
)
def test_whatever_else_is_said_and_searched_without_it(
    folder: Path, alone: dict[tuple[str, ...], str], answer: bytes, said: str
) -> None:
    with scripted(answer) as url, announce(folder / "index", url, page=False):
        done = found(folder)
    assert done.exit_code == 0
    assert done.stdout == alone[()]
    assert said in done.stderr
    assert done.stderr.endswith("; searched without it\n")


def test_hits_of_an_answer_have_the_fields_of_the_librarys() -> None:
    for ours, theirs in (
        (answered.Hit, library.Hit),
        (answered.PassageHit, library.PassageHit),
        (answered.Match, library.Match),
    ):
        assert [one.name for one in fields(ours)] == [one.name for one in fields(theirs)]


def test_asking_loads_neither_numpy_nor_onnxruntime(folder: Path) -> None:
    code = (
        "import os, sys\nfrom colibri.cli import main\n"
        f"sys.argv = ['colibri', 'search', 'bird', '--index', {str(folder / 'index')!r}]\n"
        "end = os._exit\n"
        "heavy = {'numpy', 'onnxruntime', 'http.client', 'sqlite3', 'ssl'}\n"
        "heavy |= {'encodings.idna', 'colibri.artefact.manifest'}\n"
        "def said(code):\n    print(sorted(heavy & {*sys.modules}))\n"
        "    sys.stdout.flush(); end(code)\nos._exit = said\nmain()\n"
    )
    with served_by(folder):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "a.md" in done.stdout


def test_what_shows_an_answer_is_loaded_while_it_is_waited_for() -> None:
    code = "import sys, colibri.cli.search, colibri.cli.asking; print(*sorted(sys.modules))"
    before = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"colibri.cli.listing", "colibri.cli.answered", "colibri.files.places"} & {*before}
    asked, answer = threading.Event(), b'HTTP/1.0 200 OK\r\n\r\n{"results": [], "mode": "both"}'
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                while not connection.recv(1 << 16).endswith(b"}"):
                    pass
                asked.set()
                assert loaded.wait(60)
                connection.sendall(answer)

        loaded, thread = threading.Event(), threading.Thread(target=serve)
        thread.start()
        served = Served(url=f"http://127.0.0.1:{listening.getsockname()[1]}", pid=1, page=False)

        def load() -> None:
            assert asked.wait(60)  # the question is there, and nobody has answered it
            loaded.set()

        told = asking.asked(served, "bird", 5, None, 2, "both", exact=False, meanwhile=load)
        thread.join()
    assert (told.hits, told.mode) == ([], "both")


def test_a_page_is_asked_with_its_token(
    folder: Path, alone: dict[tuple[str, ...], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with UiServer("--index", str(folder / "index"), folder=folder, log=folder / "ui.log") as page:
        address = f"http://{page.host}:{page.port}"
        assert page.call("/ui/api/hits", {"query": "bird"}, token=None).status == 401
        assert page.call("/ui/api/hits", {"query": "bird", "zzz": 1}).status == 422
        with announce(folder / "index", address, page.token), monkeypatch.context() as patch:
            patch.setattr("colibri.index.Index.open", None)
            for words in alone.keys() - {NOTHING}:
                assert found(folder, *words).output == alone[words], words


def test_all_that_a_row_of_pooled_tokens_stands_for_comes_along() -> None:
    plain = explain.Match(explain.Span(0, 3), explain.Span(4, 9), 0.5, 0.25)
    assert "also" not in msgspec.json.decode(msgspec.json.encode(hits._match(plain)))
    for match in (plain, replace(plain, also=(explain.Span(19, 24), explain.Span(30, 31)))):
        told = answered._match(msgspec.json.decode(msgspec.json.encode(hits._match(match))))
        assert [getattr(told, one.name) for one in fields(match)] == [getattr(match, one.name) for one in fields(match)]
        assert list(map(tuple, told.answers)) == list(map(tuple, match.answers))
