"""No name and no text steers a terminal, and no encoding is too narrow for a command."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from colibri.cli.terminal import LINES, TEXT, VisibleLines, echo, echo_error, visible

STEERING = {*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
TINY = str(Path(__file__).parents[1] / "artefacts" / "tiny-random-xlmr")
EVIL = "a\x1b]0;owned\x07\x9b31mb\u202ec"  # a window's title, a colour without ESC, letters in reverse


def printed(*words: str, encoding: str = "utf-8", script: str = "") -> subprocess.CompletedProcess[bytes]:
    """`colibri` with words, or a script, in a process whose streams have an encoding."""
    command = [sys.executable, *(["-c", script] if script else ["-m", "colibri"]), *words]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    return subprocess.run(command, capture_output=True, env=environment, check=False)


def steers(data: bytes, keep: str = LINES) -> set[str]:
    """Characters in an output that it should not hold."""
    text = data.decode("utf-8").replace(os.linesep, "\n")
    return {character for character in text if ord(character) in STEERING} - set(keep)


@given(st.text(st.characters() | st.sampled_from(sorted(map(chr, STEERING)))), st.sampled_from(["", LINES, TEXT]))
def test_visible_text_steers_nothing_and_other_text_stays(text: str, keep: str) -> None:
    shown = visible(text, keep)
    assert {ord(character) for character in shown} & STEERING <= set(map(ord, keep))
    wanted = "".join(
        c if ord(c) not in STEERING or c in keep else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}"
        for c in text
    )
    assert shown == wanted


def test_the_order_of_a_texts_letters_is_never_turned() -> None:
    assert visible("\u202dx\u202e", TEXT) == "\\u202dx\\u202e"
    assert visible("\u2067x\u2069\u200f", TEXT) == "\u2067x\u2069\u200f"


def test_echo_is_visible_and_colours_of_our_own_survive() -> None:
    @click.command()
    def command() -> None:
        echo(EVIL)
        echo(EVIL, err=True)
        echo("x" + click.style(visible(EVIL), fg="cyan"), styled=True)

    coloured = CliRunner().invoke(command, color=True)
    assert coloured.stderr == visible(EVIL) + "\n"
    assert coloured.stdout == f"{visible(EVIL)}\nx\x1b[36m{visible(EVIL)}\x1b[0m\n"
    assert CliRunner().invoke(command).stdout == f"{visible(EVIL)}\nx{visible(EVIL)}\n"  # no terminal, no colours


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8", "utf-16"])
def test_what_an_encoding_cannot_show_is_replaced(encoding: str) -> None:
    text = "é 図 😀 \udce9"
    script = f"from colibri.cli.terminal import echo; echo({text!r}); echo({text!r}, err=True)"
    done = printed(script=script, encoding=encoding)
    for data in (done.stdout, done.stderr):
        assert data.decode(encoding).splitlines() == [text.encode(encoding, "backslashreplace").decode(encoding)]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_json_says_the_same_in_every_encoding_and_steers_nothing(encoding: str) -> None:
    value = {"é 図 😀": EVIL, "name": os.fsdecode(b"caf\xe9"), "all": "".join(map(chr, sorted(STEERING)))}
    done = printed(script=f"from colibri.cli.terminal import echo_json; echo_json({value!r})", encoding=encoding)
    assert json.loads(done.stdout) == value, done.stderr
    assert done.stdout.isascii() or encoding == "utf-8"
    assert steers(done.stdout) == set()


@pytest.mark.parametrize(
    "error",
    [
        click.ClickException(f"{EVIL}: no such file\nor folder"),
        click.BadParameter(EVIL, param_hint="--where"),
        click.FileError(EVIL, hint=EVIL),
        click.NoSuchOption(EVIL),
    ],
)
def test_errors_are_visible(error: click.ClickException, capsys: pytest.CaptureFixture[str]) -> None:
    echo_error(error)
    shown = capsys.readouterr().err
    assert "Error: " in shown
    assert "owned" in shown
    assert steers(shown.encode()) == set()


def test_what_loggers_say_is_visible() -> None:
    record = logging.LogRecord("x", logging.WARNING, "", 0, "%s: odd\nfile", (EVIL,), None)
    assert VisibleLines("%(message)s").format(record) == f"{visible(EVIL)}: odd\nfile"


@pytest.mark.parametrize("words", [["encode", "--file"], ["info"], ["verify"], ["rerank", "x", "--file"], ["nope"]])
def test_a_commands_errors_are_visible(words: list[str]) -> None:
    done = printed(*words, EVIL) if words != ["nope"] else printed(EVIL)
    assert done.returncode in (1, 2)
    assert b"owned" in done.stderr
    assert steers(done.stderr) == set()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_rerank_shows_any_text_in_any_encoding(encoding: str, tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.write_text(f"{EVIL}\n図書館は毎週月曜日に休みます。\n", encoding="utf-8")
    words = ["rerank", "図", "--file", str(texts), "--model", TINY]
    done = printed(*words, encoding=encoding)
    assert done.returncode == 0, done.stderr
    assert visible(EVIL) in done.stdout.decode(encoding)
    assert steers(done.stdout.decode(encoding).encode()) == set()
    answer = json.loads(printed(*words, "--json", encoding=encoding).stdout)
    assert sorted(result["document"] for result in answer["results"]) == sorted(texts.read_text("utf-8").splitlines())


@pytest.mark.skipif(os.name == "nt", reason="closes numbers of files as shells do")
@pytest.mark.parametrize("closed", ["1", "2", "12", "012"])
def test_a_command_without_streams_does_its_work(closed: str) -> None:
    """As under pythonw, in a service and after `>&-`."""
    close = (
        f"import os, sys; [os.close(int(n)) for n in {closed!r}]; "
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    words = ["-m", "colibri", "rerank", "--model", TINY, "query", "a document"]
    done = subprocess.run([sys.executable, "-c", close, *words], input=b"", capture_output=True, check=False)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert (b"a document" in done.stdout) == ("1" not in closed)


@pytest.mark.skipif(os.name == "nt", reason="closes numbers of files as shells do")
def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """SQLite's or a segment's would have in it what a library prints."""
    out = tmp_path / "out"
    script = (
        "import os, subprocess, sys; os.closerange(0, 3); sys.stdin = sys.stdout = sys.stderr = None\n"
        "from colibri.cli.terminal import echo, never_fail; never_fail(); echo('lost')\n"
        "out = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)\n"
        "child = subprocess.run([sys.executable, '-c', 'import os; [os.fstat(n) for n in range(3)]'])\n"
        "os.write(out, repr((out > 2, child.returncode, sys.stdin.read())).encode())"
    )
    subprocess.run([sys.executable, "-c", script, str(out)], check=True)
    assert out.read_text() == repr((True, 0, ""))
