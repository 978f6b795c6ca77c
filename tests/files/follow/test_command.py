"""`colibri index --watch` as a person meets it, and the units of docs/watching.md."""

import configparser
import os
import plistlib
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from colibri import Index
from colibri.cli import group
from reference import ARTEFACTS
from watcher import SECONDS, Watcher

PAGE = Path(__file__).parents[3] / "docs" / "watching.md"
MODEL = ("--model", str(ARTEFACTS / "tiny-random-bert"))


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "bird.md").write_text("A colibri is a small bird.", encoding="utf-8")
    return folder


@pytest.mark.parametrize("words", [["--prune"], ["--rebuild"], ["--stats"], ["--remove", "x"], ["--verify"]])
def test_what_is_of_one_run_is_refused_beside_it(words: list[str], notes: Path) -> None:
    done = CliRunner().invoke(group, ["index", str(notes), "--watch", "--into", str(notes.parent / "index"), *words])
    assert done.exit_code == 2
    assert not (notes.parent / "index").exists()


def test_a_path_that_is_not_there_is_refused_before_any_work(tmp_path: Path) -> None:
    done = CliRunner().invoke(group, ["index", str(tmp_path / "none"), "--watch", "--into", str(tmp_path / "index")])
    assert done.exit_code == 1
    assert "no such file or folder" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="a device that has a path")
def test_what_cannot_be_indexed_is_refused_at_once_and_not_tried_again(notes: Path) -> None:
    words = ["index", str(notes), os.devnull, "--watch", "--into", str(notes.parent / "index"), *MODEL]
    done = subprocess.run(
        [sys.executable, "-m", "colibri", *words], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{os.devnull}: neither a file nor a folder" in done.stderr


def _lines(process: "subprocess.Popen[str]") -> Iterator[str]:
    assert process.stdout is not None
    yield from process.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="another Ctrl-C")
def test_a_person_reads_what_it_did_and_ends_it_with_ctrl_c(notes: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "colibri", "index", notes, "--watch", "--into", tmp_path / "index", *MODEL]
    process = subprocess.Popen(
        list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        lines = _lines(process)
        assert re.fullmatch(r"\d\d:\d\d:\d\d 1 indexed \(bird\.md\); 1 document; [\d.]+ s\n", next(lines))
        assert next(lines) == f"following the folders of {tmp_path / 'index'}; Ctrl-C ends it\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130
        assert process.stderr is not None
        said = process.stderr.read().splitlines()  # without the extra [desktop] that nothing tells of changes, too
        assert said[-1] == f"ended: all that was indexed is kept in {tmp_path / 'index'}"
        assert all("watchfiles" in line for line in said[:-1])
    finally:
        process.kill()
        process.communicate()


def test_a_second_one_is_refused_and_the_first_takes_what_is_added(notes: Path, tmp_path: Path) -> None:
    with Watcher(tmp_path / "index", notes, *MODEL) as first:
        first.looked()
        done = CliRunner().invoke(group, ["index", "--watch", "--into", str(tmp_path / "index")])
        assert done.exit_code == 1
        assert "another program follows its folders already" in done.stderr
        if sys.platform != "win32":
            children = first.children() if sys.platform == "linux" else ()
            assert first.end() == 143
            assert first.until(lambda line: line["event"] == "ended")
            assert not [child for child in children if os.path.exists(f"/proc/{child}")]  # noqa: PTH110
    with Index.open(tmp_path / "index", create=False) as index:
        assert index.count() == 1


def _block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def _is_known(words: list[str]) -> None:
    with group.make_context("colibri", words, resilient_parsing=False) as context:
        command = group.get_command(context, words[0])
        assert command is not None
        command.make_context(words[0], words[1:], parent=context)


@pytest.mark.skipif(not PAGE.exists(), reason="no documentation beside the tests")
def test_the_units_are_what_their_systems_take() -> None:
    unit = configparser.ConfigParser(strict=True, comment_prefixes="#", interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(_block("ini"))
    program, *words = shlex.split(unit["Service"]["ExecStart"])
    assert program == "%h/.local/bin/colibri"
    _is_known(words)
    assert unit["Install"]["WantedBy"] == "default.target"
    agent = plistlib.loads(_block("xml").encode())
    _is_known(agent["ProgramArguments"][1:])
    assert agent["RunAtLoad"] is True
    (task,) = re.findall(r'/tr "(.*)"\n', _block("bat"))
    words = shlex.split(task.replace('\\"', '"').replace("\\", "/"))
    assert words[1:3] == ["-m", "colibri"]
    _is_known(words[3:])
