"""Completion as shells do it: bash and zsh on a terminal, fish as it asks itself; and what they are given."""

import os
import select
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.shell_completion import get_completion_class
from click.testing import CliRunner

from colibri import Index
from colibri.cli import group
from colibri.cli.completion import SHELLS
from colibri.cli.grouped import COMPLETE
from colibri.cli.shells import register

pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals")
_SECONDS = 60.0  # until a shell that does not answer is called a failure


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a program `colibri`, two indexes of its user's, and one in the current folder, whose document has fields."""
    monkeypatch.delenv("COLIBRI_INDEX")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "bin" / "colibri"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom colibri.cli import main\nmain()\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "folder").mkdir()
    for name in ("default", "my own", "papers"):
        (tmp_path / "data" / "colibri" / "indexes" / name).mkdir(parents=True)
    with Index.open(tmp_path / ".colibri-index", dim=2, space_id="mine") as index:
        for suffix in ("md", "txt"):
            payload = {"author": "me", "file": {"suffix": suffix, "path": "/a b.md"}, "no.field": 1}
            index.add([{"id": suffix, "vectors": [[1.0, 0.0]], "payload": payload}])
    return tmp_path


def environment(home: Path) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if name in {"PYTHONPATH", "LANG", "LC_ALL", "VIRTUAL_ENV"}
    }
    path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "PATH": path, "TERM": "dumb"}


def asked(home: Path, *words: str) -> list[str]:
    """What `colibri` answers a shell, the last word being the one under the cursor."""
    register()
    shell = get_completion_class("zsh")
    assert shell is not None
    found = shell(group, {}, "colibri", COMPLETE).get_completions(list(words[:-1]), words[-1])
    return [one.value for one in found]


@pytest.mark.parametrize(
    ("words", "among"),
    [
        (["sta"], ["status"]),
        (["exp"], ["export"]),
        (["index", "--gl"], ["--glob"]),
        (["index", "--na"], ["--name"]),
        (["search", "--name", ""], ["default", "my own", "papers"]),
        (["search", "--name", "pa"], ["papers"]),
        (["index", "--name", "pa"], ["papers"]),
        (["status", "--name", "d"], ["default"]),
        (["search", "--where", ""], ["author=", "file.path=", "file.suffix="]),
        (["search", "--where", "file.s"], ["file.suffix=", "file.suffix=md", "file.suffix=txt"]),
        (["search", "--where", "file.suffix="], ["file.suffix=", "file.suffix=md", "file.suffix=txt"]),
        (["search", "--where", "file.suffix=t"], ["file.suffix=txt"]),
        (["search", "--where", "file.p"], ["file.path="]),  # its value is none that can be typed as it is
        (["search", "--where", "absent=x"], []),
        (["search", "--index", "absent", "--where", ""], []),
        (["search", "--provider", "cp"], ["cpu"]),
        (["completion", "f"], ["fish"]),
        (["search", "--kind", "pd"], ["pdf"]),
        (["search", "--kind", "markd"], ["markdown"]),
        (["keys", "a"], ["add"]),
        (["search", "--mode=w"], ["--mode=words"]),  # zsh and fish replace the whole word
        (["search", "--name=pa"], ["--name=papers"]),
    ],
)
def test_what_a_shell_is_given(home: Path, words: list[str], among: list[str]) -> None:
    assert asked(home, *words) == among


def test_paths_are_left_to_the_shell(home: Path) -> None:
    assert asked(home, "search", "--index", "pa") == ["pa"]
    assert asked(home, "index", "") == [""]
    assert asked(home, "search", "--in", "pa") == ["pa"]
    assert asked(home, "rerank", "--file", "pa") == ["pa"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_told_and_is_the_environments_shell_by_default(
    shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    named = CliRunner().invoke(group, ["completion", shell])
    assert named.exit_code == 0
    assert COMPLETE in named.stdout
    assert CliRunner().invoke(group, ["completion"]).stdout == named.stdout


def test_a_shell_that_is_not_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CliRunner().invoke(group, ["completion", "powershell"]).exit_code == 2
    for said, shell in (("SHELL is not set", ""), ("SHELL is nu", "/bin/nu")):
        monkeypatch.setenv("SHELL", shell)
        done = CliRunner().invoke(group, ["completion"])
        assert (done.exit_code, done.stdout) == (1, "")
        assert f"{said}; name one: bash, zsh, fish" in done.stderr


TYPED = [
    ("colibri sta", "tus "),
    ("colibri search --name pa", "pers "),
    ("colibri search --where file.su", "ffix="),
    ("colibri search --where file.suffix=m", "d "),  # bash breaks words there
    ("colibri search --where=file.suffix=m", "d "),
    ("colibri search --mode=w", "ords "),
    ("colibri search --name my", "\\ own "),
    ("colibri search --name 'my", " own' "),
    ("colibri search --in fol", "der/"),
]


def needs(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")


class Terminal:
    """A shell on a terminal of its own."""

    def __init__(self, number: int) -> None:
        self._number = number

    def send(self, text: str) -> None:
        os.write(self._number, text.encode())

    def until(self, text: str) -> str:
        """What it shows from here until a text is there."""
        shown, end = b"", time.monotonic() + _SECONDS
        while text.encode() not in shown:
            ready, _, _ = select.select([self._number], [], [], max(end - time.monotonic(), 0))
            assert ready, f"no {text!r} in {shown.decode(errors='replace')!r}"
            shown += os.read(self._number, 4096).replace(b"\a", b"")  # a bell: there are several
        return shown.decode(errors="replace")


@contextmanager
def terminal(home: Path, *command: str) -> Iterator[Terminal]:
    child, number = pty.fork()
    if child == 0:
        os.chdir(home)
        os.execvpe(command[0], command, environment(home))
    try:
        yield Terminal(number)
    finally:
        os.kill(child, 9)
        os.close(number)
        os.waitpid(child, 0)


def all_are_completed(shell: Terminal) -> None:
    """One after the other, each on a new line: Ctrl-U empties the last one, and what is shown next was asked for."""
    for typed, rest in TYPED:
        shell.send('\x15echo rea""dy\n')
        shell.until("\nready")
        shell.send(f"{typed}\t")
        shell.until(typed + rest)


def test_bash_completes_on_a_terminal(home: Path) -> None:
    needs("bash")
    with terminal(home, "bash", "--norc", "--noprofile", "-i") as shell:
        shell.send("source <(colibri completion bash); PS1=\n")
        all_are_completed(shell)


def test_zsh_completes_on_a_terminal_from_a_folder_of_its_fpath(home: Path) -> None:
    needs("zsh")
    functions = home / "functions"
    functions.mkdir()
    (functions / "_colibri").write_text(CliRunner().invoke(group, ["completion", "zsh"]).stdout)
    with terminal(home, "zsh", "-f", "-i") as shell:
        shell.send(f"fpath=({functions} $fpath); autoload -Uz compinit; compinit -u -D\n")
        all_are_completed(shell)


def test_fish_completes_from_its_folder(home: Path) -> None:
    needs("fish")
    folder = home / ".config" / "fish" / "completions"
    folder.mkdir(parents=True)
    (folder / "colibri.fish").write_text(CliRunner().invoke(group, ["completion", "fish"]).stdout)

    def shown(line: str) -> list[str]:
        done = subprocess.run(
            ["fish", "-c", f"complete -C {line!r}"],
            env=environment(home),
            cwd=home,
            capture_output=True,
            text=True,
            check=True,
        )
        return [one.partition("\t")[0] for one in done.stdout.splitlines()]

    assert shown("colibri sta") == ["status"]
    assert shown("colibri search --name ") == ["default", "my own", "papers"]
    assert shown("colibri search --mode=w") == ["--mode=words"]
    assert "--glob" in shown("colibri index --g")
