"""`colibri serve --name`: one of the user's own indexes in place of a folder; nothing is served unasked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from colibri import Index
from live_server import BERT, LiveServer
from reference import ARTEFACTS


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the index called work lies."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data" / "colibri" / "indexes" / "work"


def test_one_of_the_users_own_is_served_by_its_name_and_made_for_this_user_alone(own: Path, tmp_path: Path) -> None:
    with LiveServer("--name", "work", log=tmp_path / "log", artefacts=(BERT,)) as server:
        assert str(own) in server.announced
        answer = server.call("/v1/index/count", {})
        assert (answer.status, list(answer.json.values())) == (200, [0])
    assert own.parent.stat().st_mode & 0o077 == 0 or os.name == "nt"


def test_no_index_is_served_that_was_not_named(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the one of the current folder, of COLIBRI_INDEX or of the user: a server is for others."""
    for place in (own.with_name("default"), tmp_path / ".colibri-index", tmp_path / "other"):
        Index.open(place, ARTEFACTS / BERT).close()
    monkeypatch.setenv("COLIBRI_INDEX", str(tmp_path / "other"))
    with LiveServer(log=tmp_path / "log", artefacts=(BERT,)) as server:
        assert "Index(" not in server.announced
        assert server.call("/v1/index/count", {}).status == 404
        assert not any("COLIBRI_INDEX" in line["message"] for line in server.logged())


@pytest.mark.parametrize(
    ("variables", "words", "code", "said"),
    [
        ({}, ["--name", "work", "--index", "x"], 1, "either --index or --name"),
        ({"COLIBRI_SERVE_NAME": "work"}, ["--index", "x"], 1, "either --index or COLIBRI_SERVE_NAME"),
        ({"COLIBRI_SERVE_NAME": "a/b"}, [], 2, "'a/b' is no name of an index"),
    ],
)
def test_what_cannot_be_is_a_line_of_the_log(
    own: Path, variables: dict[str, str], words: list[str], code: int, said: str
) -> None:
    command = [sys.executable, "-m", "colibri", "serve", "--artefact", str(ARTEFACTS / BERT), *words]
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert said in json.loads(done.stderr.splitlines()[-1])["message"]
    assert not own.exists()
