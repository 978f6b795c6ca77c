"""`colibri status`: which indexes there are and which is meant, what they hold, who uses them."""

import json
import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from colibri import Index
from colibri.cli import group
from colibri.files.followed import LOCK, is_followed
from colibri.index import by_one_alone
from colibri.machine import announce
from reference import ARTEFACTS

MODEL = ("--model", str(ARTEFACTS / "tiny-random-bert"))


def run(*words: str | Path, code: int = 0) -> Result:
    done = CliRunner().invoke(group, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done


def told(*words: str | Path) -> dict[str, Any]:
    done = run("status", *words, "--json")
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("COLIBRI_INDEX")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("COLIBRI_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text("")
    for name, text in {
        "docs/a.md": "A bird.",
        "docs/b.jpg": "",
        "docs/c.pdf": "%PDF-1.7 damaged",
        "work/w.txt": "Tax.",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    return tmp_path / "data" / "colibri" / "indexes"


def test_with_none_it_says_how_to_make_one(mine: Path) -> None:
    assert run("status").stdout.startswith(f"no index yet: `colibri index PATH` makes your own, {mine / 'default'}\n")
    found = told()
    assert found["indexes"] == []
    assert found["meant"] == {"path": str(mine / "default"), "why": "your own", "name": "default"}


def test_what_each_holds(mine: Path, tmp_path: Path) -> None:
    run("index", tmp_path / "docs", *MODEL)
    run("index", tmp_path / "work", "--name", "work", *MODEL)
    default, work = told()["indexes"]
    assert (default["name"], default["meant"], work["name"], work["meant"]) == ("default", "your own", "work", None)
    with Index.open(mine / "default", create=False) as index:
        stats = index.stats()
        assert default["documents"] == stats.documents == 1
        for name in ("passages", "tokens", "dim", "model"):
            assert default[name] == getattr(stats, name)
    assert default["disk_bytes"] > 0
    (root,) = default["roots"]
    assert (root["path"], root["gone"], root["files"], root["documents"]) == (str(tmp_path / "docs"), None, 1, 1)
    assert root["not_read"] == {".jpg": 1}
    assert (root["skipped"], default["passed_over"]) == (1, 1)
    assert root["when"]
    (tmp_path / "work").rename(tmp_path / "away")
    assert told("--name", "work")["indexes"][0]["roots"][0]["gone"] == "is gone"
    shown = run("status").stdout
    assert f"default: {mine / 'default'}  <- meant here (your own)\n  1 document of 1 file, " in shown
    assert "passed over: 1 skipped, 1 of kinds that nothing reads (`colibri index --stats` says why)" in shown
    assert f"  {tmp_path / 'work'}  1 file, 1 document; is gone" in shown
    assert shown.endswith(f"configured by {tmp_path / 'config.toml'}\n")


def test_the_one_that_is_meant_here_comes_first(mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("index", tmp_path / "work", *MODEL)
    run("index", tmp_path / "docs", "--into", "own", *MODEL)
    assert [one["name"] for one in told()["indexes"]] == ["default"]
    monkeypatch.setenv("COLIBRI_INDEX", "own")
    found = told()
    assert found["meant"] == {"path": str(Path("own").absolute()), "why": "COLIBRI_INDEX", "name": None}
    assert [(one["name"], one["meant"]) for one in found["indexes"]] == [(None, "COLIBRI_INDEX"), ("default", None)]
    assert [one["path"] for one in told("--index", "own")["indexes"]] == [str(Path("own").absolute())]
    monkeypatch.setenv("COLIBRI_INDEX", str(mine / "default"))
    assert [(one["name"], one["meant"]) for one in told()["indexes"]] == [("default", "COLIBRI_INDEX")]


def test_what_is_configured_and_not_there_yet(mine: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "docs")  # the same folder
    run("index", tmp_path / "docs", *MODEL)
    (tmp_path / "config.toml").write_text(
        f"roots = ['/a', '{tmp_path / 'docs'}', '{tmp_path / 'link'}']\n[index.art]\nroots = ['/b']\n[index.x]\n"
    )
    default, art = told()["indexes"]
    assert default["configured"] == ["/a"]
    assert (art["name"], art["there"], art["configured"]) == ("art", False, ["/b"])
    shown = run("status").stdout
    assert "  /a  not indexed yet (config.toml)" in shown
    assert "not there yet; `colibri index --name art` makes it of /b" in shown


def test_who_serves_and_who_follows_it(mine: Path, tmp_path: Path) -> None:
    run("index", tmp_path / "docs", *MODEL)
    place = mine / "default"
    assert (told()["indexes"][0]["served"], is_followed(place)) == (None, False)
    with announce(place, "http://127.0.0.1:8123", "secret"), by_one_alone(place / LOCK, "taken"):
        one = told()["indexes"][0]
        assert one["served"] == {"url": "http://127.0.0.1:8123", "pid": os.getpid(), "page": True}
        assert one["followed"] is True
        shown = run("status").stdout
        assert f"served at http://127.0.0.1:8123 by process {os.getpid()}, with a page" in shown
        assert "secret" not in shown
    (place / LOCK).write_text("")  # of one that was killed
    assert told()["indexes"][0]["followed"] is False


def test_problems_are_told_and_the_rest_is_shown(mine: Path, tmp_path: Path) -> None:
    for name in ("default", "work"):
        run("index", tmp_path / "work", "--name", name, *MODEL)
    (mine / "work" / "index.sqlite").write_bytes(b"no database" * 100)
    default, work = told()["indexes"]
    assert default["problem"] is None
    assert work["problem"]
    assert f"  problem: {work['problem']}" in run("status").stdout
    assert work["problem"] in run("status", "--name", "work", code=1).stderr
    assert "absent: no index there" in run("status", "--name", "absent", code=1).stderr
    (tmp_path / "config.toml").write_text("rots = []")
    found = told()
    assert found["problems"] == [f"{tmp_path / 'config.toml'}: unknown key 'rots'; the nearest is 'roots'"]
    assert found["indexes"][0]["documents"] == 1  # what it holds is told all the same


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give away files")
def test_another_users_that_was_found_is_a_problem_that_is_told(mine: Path, tmp_path: Path) -> None:
    run("index", tmp_path / "work", *MODEL)
    Path(".colibri-index").mkdir()
    os.chown(".colibri-index", 4242, 4242)
    found = told()
    assert (found["meant"], [one["name"] for one in found["indexes"]]) == (None, ["default"])
    assert "belongs to user 4242" in found["problems"][0]
    assert run("status").stdout.startswith("problem: ")


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process is fixed here")
def test_a_person_is_told_the_time_here_and_a_program_with_its_zone(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("index", tmp_path / "work", *MODEL)
    (root,) = told()["indexes"][0]["roots"]
    when = datetime.fromisoformat(root["when"])
    assert when.utcoffset() == timedelta()
    monkeypatch.setenv("TZ", "HERE-05:30")
    try:
        time.tzset()
        here = when + timedelta(hours=5, minutes=30)
        for shown in (run("status").stdout, run("index", "--stats").stdout):
            assert f"; last looked at {here:%Y-%m-%d %H:%M}\n" in shown
        assert told()["indexes"][0]["roots"] == [root]
    finally:
        monkeypatch.undo()
        time.tzset()
