"""`colibri search --where` on a field that no document has says so."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from colibri.cli import group
from reference import ARTEFACTS

MODEL = ("--model", str(ARTEFACTS / "tiny-random-bert"))


def run(*words: str | Path) -> Result:
    done = CliRunner().invoke(group, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done


def test_a_field_that_no_document_has_is_said_with_the_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.md").write_text("A colibri is a small bird.", encoding="utf-8")
    run("index", "a.md", "--into", "own", *MODEL)
    here = ("--index", "own")
    done = run("search", "bird", *here, "--where", "file.sufix=md")
    assert done.stderr == "nothing found\nno document has the field file.sufix; the nearest is file.suffix\n"
    found = json.loads(run("search", "bird", *here, "--where", "file.sufix=md", "--json").stdout)
    assert (found["results"], found["unknown_fields"]) == ([], {"file.sufix": "file.suffix"})
    done = run("search", "bird", *here, "--where", '{"file.sufix": {"$ne": "md"}}')
    assert done.stderr == "no document has the field file.sufix; the nearest is file.suffix\n"
    assert "a.md" in done.stdout
    assert run("search", "bird", *here, "--where", "file.suffix=pdf").stderr == (
        "nothing found: the filters leave no document\n"
    )
    assert "unknown_fields" not in run("search", "bird", *here, "--where", "file.suffix=md", "--json").stdout
