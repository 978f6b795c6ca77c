"""`colibri index --rows`: what a new index keeps, and --convert and --rebuild of one that is there."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from colibri.cli import group
from colibri.index import Index
from reference import ARTEFACTS

MODEL = ("--model", str(ARTEFACTS / "tiny-random-bert"))


def run(*words: str | Path, code: int = 0) -> Result:
    done = CliRunner().invoke(group, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done


def stats(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("index", "--stats", "--json", *words).stdout)
    return found


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "birds.md").write_text("# Birds\n\nA colibri is a small bird.\n", encoding="utf-8")
    (folder / "bread.txt").write_text("Bread is baked in an oven.", encoding="utf-8")
    return folder


def test_a_new_index_keeps_what_it_is_told_to(notes: Path) -> None:
    run("index", notes, "--rows", "int4", *MODEL)
    assert stats()["rows"] == "int4"
    assert "rows         int4" in run("index", "--stats").stdout
    assert "dims, int4 rows" in run("status", "--index", ".colibri-index").stdout
    found = json.loads(run("status", "--index", ".colibri-index", "--json").stdout)
    assert found["indexes"][0]["rows"] == "int4"
    assert "birds.md" in run("search", "small bird", "-k", "1").output
    (notes / "more.txt").write_text("Tax is due.", encoding="utf-8")
    run("index")  # what it is need not be said again
    assert (stats()["rows"], stats()["documents"]) == ("int4", 3)
    run("index", "--rows", "int4")
    said = run("index", notes, "--rows", "int8", code=1).stderr
    assert "has int4 rows, not int8; `colibri index --convert --rows int8`" in said
    assert run("index", "--verify").exit_code == 0


def test_one_that_is_there_is_converted_and_what_that_loses_is_said(notes: Path) -> None:
    run("index", notes, *MODEL)
    said = run("index", "--convert", "--rows", "int4").stdout
    assert "rows are int4 now, and were int8; what four bits do not hold is gone" in said
    assert stats()["rows"] == "int4"
    assert "has words and sign bits already" in run("index", "--convert", "--rows", "int4").stdout
    found = json.loads(run("index", "--convert", "--rows", "int8", "--json").stdout)
    assert found == {"converted": 2, "rows": "int8", "no_words": None}
    run("index", "--rebuild", "--rows", "int4")
    assert stats()["rows"] == "int4"
    assert "int4 rows" in run("index", "--rebuild", "--dim", "48").stderr  # it keeps what it keeps
    run("index", "--export", "export")
    run("index", "--import", "export", "--into", "copy", "--rows", "int4", "--dim", "48", *MODEL)
    assert (stats("--into", "copy")["rows"], stats("--into", "copy")["documents"]) == ("int4", 2)
    with Index.open("copy", create=False) as index:
        assert index.verify().clean


@pytest.mark.parametrize("words", [["--stats"], ["--verify"], ["--compact"], ["--export", "x"], ["--remove", "notes"]])
def test_rows_of_what_writes_none_would_pass_in_silence(notes: Path, words: list[str]) -> None:
    run("index", notes, *MODEL)
    assert "--rows is of a run over files" in run("index", *words, "--rows", "int4", code=2).output


def test_other_kinds_are_refused(notes: Path) -> None:
    assert "'int2'" in run("index", notes, "--rows", "int2", code=2).output
