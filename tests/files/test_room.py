"""No file ends the program: the process that reads is limited, ends with it, and is started again."""

import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.reading import Item, NotRead, Read, Reading
from colibri.files.room import memory
from colibri.files.room.frames import Frame, framed, item_of, receive, send
from colibri.files.room.worker import Limits, Room, RoomError
from colibri.files.text import FileText, Part, Passed, Place, Unreadable
from rounds import rounds

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")

MANY = rounds(5_000, 50_000)
ROWS = "\n".join(json.dumps({"text": f"row {i} about the harbour"}) for i in range(MANY)).encode()


def page(megabytes: int) -> bytes:
    """A valid page of so many short paragraphs."""
    return b"<!doctype html><title>t</title>" + b"<p>The keeper counts <b>gulls</b> &amp; boats.</p>\n" * (
        megabytes << 20 >> 6
    )


def book(chapter: bytes) -> bytes:
    """An EPUB of one chapter."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("mimetype", "application/epub+zip")
        packed.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:c"><rootfiles><rootfile full-path="p.opf"/></rootfiles></container>',
        )
        packed.writestr(
            "p.opf",
            '<package xmlns="urn:p"><manifest><item id="a" href="a.xhtml"/></manifest>'
            '<spine><itemref idref="a"/></spine></package>',
        )
        packed.writestr("a.xhtml", chapter)
    return file.getvalue()


def texts(items: Iterator[Item]) -> list[str]:
    return [item.part.content.text for item in items if isinstance(item, Read)]


def gone(process: int, seconds: float = 10.0) -> bool:
    """Whether it has ended, or does so in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
            threads = len(list(Path(f"/proc/{process}/task").iterdir()))
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z" and threads == 1:  # its first thread is gone before the others are
            return True
        time.sleep(0.02)
    return False


def test_one_process_reads_many_files() -> None:
    with Room(Limits()) as room:
        assert texts(room.read("a.txt", b"one")) == ["one"]
        first = room.process_id
        assert texts(room.read("b.html", b"<p>two")) == ["two"]
        assert len(texts(room.read("c.jsonl", ROWS))) == MANY
        with pytest.raises(Unreadable):
            texts(room.read("d.docx", b"PK\x03\x04 damaged"))
        assert texts(room.read("e.txt", b"three")) == ["three"]
        assert room.process_id == first
    assert room.process_id is None


def test_what_takes_too_long_is_named_and_the_next_file_is_read() -> None:
    with Room(Limits(seconds=0.5)) as room:
        assert texts(room.read("a.txt", b"one")) == ["one"]
        first = room.process_id
        began = time.monotonic()
        with pytest.raises(Unreadable, match=r"^took longer than 0\.5 s$"):
            texts(room.read("long.html", page(60)))
        assert time.monotonic() - began < 60
        assert texts(room.read("b.txt", b"two")) == ["two"]
        assert room.process_id != first


BIG = {"big.html": page(30), "big.epub": book(page(30))}
LIMITED = [pytest.param(name, False, marks=posix) for name in BIG]
WATCHED = [pytest.param(name, True) for name in BIG]


# Who limits does not look at what is read: outside of soak each of the two meets one of the files.
@pytest.mark.parametrize(("name", "watch"), rounds([LIMITED[0], WATCHED[1]], [*LIMITED, *WATCHED]))
def test_what_needs_too_much_memory_is_named_and_the_next_file_is_read(name: str, watch: bool) -> None:
    """Once where the system says no, once where the program watches."""
    if not watch and not memory.LIMITED:
        pytest.skip("this system limits no process's memory")
    with Room(Limits(memory_bytes=60 << 20), watch=watch) as room:
        with pytest.raises(Unreadable, match=r"^needs more than 60 MB$"):
            texts(room.read(name, BIG[name]))
        assert texts(room.read("b.txt", b"two")) == ["two"]


@posix
@pytest.mark.parametrize("limit_mb", [2048, 80], ids=["usual limit", "less than this program takes"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_what_ends_the_process_is_named_and_what_came_before_stays(number: signal.Signals, limit_mb: int) -> None:
    with Room(Limits(memory_bytes=limit_mb << 20)) as room:
        items = room.read("a.jsonl", ROWS)
        before = [next(items), next(items)]
        assert room.process_id is not None
        os.kill(room.process_id, number)
        with pytest.raises(Unreadable, match=rf"^ended the reader \(signal {int(number)}\)$"):
            before += list(items)
        assert texts(iter(before))[:2] == ["row 0 about the harbour", "row 1 about the harbour"]
        assert texts(room.read("b.txt", b"two")) == ["two"]


@posix
def test_a_process_that_ended_between_two_files_costs_neither() -> None:
    with Room(Limits()) as room:
        assert texts(room.read("a.txt", b"one")) == ["one"]
        assert room.process_id is not None
        os.kill(room.process_id, signal.SIGKILL)
        assert gone(room.process_id)
        assert texts(room.read("b.txt", b"two")) == ["two"]


@posix
def test_ctrl_c_is_for_the_program_alone() -> None:
    with Room(Limits()) as room:
        assert texts(room.read("a.txt", b"one")) == ["one"]
        assert room.process_id is not None
        os.kill(room.process_id, signal.SIGINT)
        assert texts(room.read("b.txt", b"two")) == ["two"]


def test_who_stops_listening_gets_a_fresh_process() -> None:
    with Room(Limits()) as room:
        items = room.read("a.jsonl", ROWS)
        next(items)
        items.close()  # type: ignore[attr-defined]
        assert room.process_id is None
        assert texts(room.read("b.txt", b"two")) == ["two"]


@linux
def test_the_process_has_its_pipes_and_nothing_else_of_the_program() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.set_inheritable(True)
        with Room(Limits()) as room:
            list(room.read("a.txt", b"one"))
            places = [str(entry.readlink()) for entry in Path(f"/proc/{room.process_id}/fd").iterdir()]
    assert [place for place in places if place.startswith("socket:")] == []
    assert sum(place.startswith("pipe:") for place in places) == 2


def run(code: str, *, cwd: Path, words: tuple[str, ...] = ("-c",)) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, *words] + ([code] if words == ("-c",) else [])
    return subprocess.run(
        command, input=code, capture_output=True, text=True, check=False, cwd=cwd, env=environment, timeout=120
    )


READS = """
from colibri.files.room.worker import Limits, Room
with Room(Limits()) as room:
    print([item.part.content.text for item in room.read("a.html", b"<p>from a room")])
"""


def test_a_script_needs_no_main_guard(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(READS, encoding="utf-8")
    done = run("", cwd=tmp_path, words=("script.py",))
    assert done.stdout == "['from a room']\n", done.stderr


def test_a_session_without_a_file_reads(tmp_path: Path) -> None:
    """As a notebook or a console does: the code comes on standard input."""
    done = run(READS, cwd=tmp_path, words=("-i", "-q", "-"))
    assert "['from a room']" in done.stdout, done.stderr


def test_a_daemonic_worker_reads(tmp_path: Path) -> None:
    """multiprocessing forbids its daemons children of its own kind; ours is none."""
    code = (
        "import multiprocessing\ndef work(queue):\n"
        + "\n".join(f"    {line}" for line in READS.replace("print", "queue.put").strip().splitlines())
        + "\nif __name__ == '__main__':\n    context = multiprocessing.get_context('spawn')\n"
        "    queue = context.Queue()\n"
        "    child = context.Process(target=work, args=(queue,), daemon=True)\n    child.start()\n"
        "    print(queue.get(timeout=60))\n    child.join()\n"
    )
    (tmp_path / "script.py").write_text(code, encoding="utf-8")
    done = run("", cwd=tmp_path, words=("script.py",))
    assert done.stdout == "['from a room']\n", done.stderr


@posix
def test_a_frozen_program_starts_itself(tmp_path: Path) -> None:
    """With a program that says it is frozen, and whose executable is itself; PyInstaller's own is in tests/frozen."""
    program = tmp_path / "program"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.frozen, sys.executable = True, {str(program)!r}\n"
        "import colibri\nprint('started')\n" + READS,
        encoding="utf-8",
    )
    program.chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([program], capture_output=True, text=True, check=False, env=environment, timeout=60)
    assert done.stdout == "started\n['from a room']\n", done.stderr


def test_what_lies_around_is_not_run(tmp_path: Path) -> None:
    """Neither in the folder that one is in, nor beside the program."""
    (tmp_path / "code").mkdir()
    for name in ("json", "struct", "zipfile", "code/html", "code/email"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(7)", encoding="utf-8")
    (tmp_path / "code" / "script.py").write_text(READS, encoding="utf-8")
    done = run("", cwd=tmp_path, words=("code/script.py",))
    assert done.stdout == "['from a room']\n", done.stderr


@linux
@pytest.mark.parametrize("busy", [False, True])
def test_the_process_ends_with_its_program(tmp_path: Path, busy: bool) -> None:
    """However that ends: it is killed, and says nothing more."""
    code = (
        "import sys\nfrom colibri.files.room.worker import Limits, Room\nroom = Room(Limits())\n"
        "list(room.read('a.txt', b'one'))\nprint(room.process_id, flush=True)\n"
    ) + ("list(room.read('a.html', b'<!doctype html>' + b'<p>gulls' * (20 << 20)))\n" if busy else "sys.stdin.read()\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as program:
        assert program.stdout is not None
        process = int(program.stdout.readline())
        time.sleep(0.3)
        assert not gone(process, 0.0)
        program.kill()
        program.wait()
        assert gone(process)


@posix
def test_why_it_does_not_start_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho x >> count\necho a trace >&2\necho no colibri in here >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(program))
    with Room(Limits()) as room:
        for _ in range(3):
            with pytest.raises(RoomError, match="did not start: no colibri in here"):
                list(room.read("a.txt", b"one"))
    assert (tmp_path / "count").read_text(encoding="utf-8") == "x\n"  # tried once
    monkeypatch.setattr(sys, "executable", "")
    with Room(Limits()) as room, pytest.raises(RoomError, match=r"sys\.executable is empty"):
        list(room.read("a.txt", b"one"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    with Room(Limits()) as room, pytest.raises(RoomError, match="did not start"):
        list(room.read("a.txt", b"one"))


def test_python_can_be_told_to_run_it_by_name() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "colibri.files.room"]
    assert subprocess.run(command, input=b"", capture_output=True, check=True, env=environment).stdout == b""


def test_nothing_is_written_beside_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Room(Limits(memory_bytes=100 << 20)) as room:
        for name, data in (("a.epub", book(b"<p>x")), ("b.html", page(60)), ("c.docx", b"PK")):
            try:
                list(room.read(name, data))
            except Unreadable:
                continue
    assert list(tmp_path.iterdir()) == []


def test_any_name_and_any_option_reach_the_process() -> None:
    with Room(Limits(reading=Reading(text_field="answer", id_field="key"))) as room:
        data = b'{"key": "k", "answer": "yes", "more": [1, {"a": null}]}'
        (item,) = list(room.read("caf\udce9\n.jsonl", data))
    assert isinstance(item, Read)
    assert (item.part.name, item.part.content.text) == ("k", "yes")
    assert item.part.fields == {"key": "k", "more": [1, {"a": None}]}


words = st.text(max_size=20).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))
maybe = st.none() | words.filter(bool)
contents = st.builds(
    FileText,
    text=words,
    places=st.lists(st.builds(Place, st.integers(0, 99), words), max_size=4).map(tuple),
    verbatim=st.booleans(),
    title=maybe,
    author=maybe,
    language=maybe,
    created=maybe,
    modified=maybe,
    remarks=st.lists(words, max_size=3).map(tuple),
)
fields = st.dictionaries(words, st.none() | st.integers() | words | st.lists(words, max_size=2), max_size=3)
parts = st.builds(Part, name=words, content=contents, fields=fields, line=st.none() | st.integers(1, 1 << 40))
items = (
    st.builds(Read, part=parts, reader=words, within=words)
    | st.builds(Passed, name=words, why=words)
    | st.builds(NotRead, name=words, label=words, kind=words)
)


@given(st.lists(items, max_size=5))
def test_items_come_out_of_the_pipe_as_they_went_in(given_items: list[Item]) -> None:
    pipe = io.BytesIO()
    for item in given_items:
        send(pipe, framed(item))
    pipe.seek(0)
    found = []
    while (frame := receive(pipe)) is not None:
        found.append(item_of(frame))
    assert found == given_items


@given(st.integers(0, 40))
def test_a_message_that_is_cut_is_none(length: int) -> None:
    pipe = io.BytesIO()
    send(pipe, Frame("read", {"name": "x"}, b"body" * 10))
    whole = pipe.getvalue()
    assert receive(io.BytesIO(whole[: min(length, len(whole) - 1)])) is None


def test_chance_bytes_end_nothing() -> None:
    chances = random.Random(16)
    with Room(Limits(seconds=20)) as room:
        for name in ("a.pdf", "a.docx", "a.epub", "a.html", "a.csv", "a.zip", "a.doc", "a"):
            for start in (b"", b"%PDF-1.4\n", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
                try:
                    list(room.read(name, start + chances.randbytes(2_000)))
                except Unreadable as error:
                    assert "ended the reader" not in str(error)  # noqa: PT017 - either is right
